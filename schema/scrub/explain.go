package scrub

import (
	"slices"
	"strconv"
	"strings"
)

// What tells a secret, for people.
const (
	whyName    = "its name"
	whyCard    = "card number"
	whyToken   = "credential of a known form"
	whyJWT     = "JSON web token"
	whyKey     = "private key"
	whyURL     = "password in a URL"
	whyScheme  = "sign-in header"
	whyCookie  = "cookie"
	whyAddress = "IP address"
	whyPattern = "pattern of the project"
)

// explanation collects what was taken out and where. nil takes nothing.
type explanation struct {
	path     []string
	findings []Finding
}

// maxFindings bounds what one payload can make somebody read.
const maxFindings = 200

func (e *explanation) down(key []byte) {
	if e != nil {
		e.path = append(e.path, string(key))
	}
}

func (e *explanation) index(i int) {
	if e != nil {
		e.path = append(e.path, strconv.Itoa(i))
	}
}

func (e *explanation) up() {
	if e != nil {
		e.path = e.path[:len(e.path)-1]
	}
}

func (e *explanation) found(why string) {
	if e == nil || len(e.findings) == maxFindings {
		return
	}
	f := Finding{Path: strings.Join(e.path, "."), Why: why}
	if !slices.Contains(e.findings, f) {
		e.findings = append(e.findings, f)
	}
}

// mark and back undo what was found by reading in vain.
func (e *explanation) mark() int {
	if e == nil {
		return 0
	}
	return len(e.findings)
}

func (e *explanation) back(path, findings int) {
	if e != nil {
		e.path, e.findings = e.path[:path], e.findings[:findings]
	}
}

func (e *explanation) depth() int {
	if e == nil {
		return 0
	}
	return len(e.path)
}
