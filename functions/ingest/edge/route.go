package edge

import (
	"fmt"
	"strconv"
	"strings"

	"sundew/schema/event"
)

// endpoint is what a request asks for.
type endpoint string

const (
	endpointEnvelope endpoint = "envelope"
	endpointStore    endpoint = "store"
	endpointSecurity endpoint = "security"
)

// category returns the protocol's data category that requests to the endpoint are
// counted and limited under.
func (e endpoint) category() string {
	if e == endpointSecurity {
		return categorySecurity
	}
	return categoryError
}

// Handles reports whether a request's path belongs to intake, so that a process
// that serves other pages too can ask before its ServeMux does: a ServeMux answers
// a doubled slash with a redirect, and a redirected event is lost. That is every
// path under /api/, and under any prefix the three intake endpoints. What is left out
// is /api/0/, where no project is: there tools ask about what was reported.
func Handles(path string) bool {
	segments := split(path)
	if _, _, ok := parseSegments(segments); ok {
		return true
	}
	if len(segments) == 0 || segments[0] != "api" {
		return false
	}
	return len(segments) == 1 || segments[1] != "0"
}

// parsePath returns the endpoint that a path names and the project as written,
// with any prefix, any doubled slash and a trailing slash or none; false for every
// other path.
func parsePath(path string) (e endpoint, project string, ok bool) {
	return parseSegments(split(path))
}

func parseSegments(segments []string) (e endpoint, project string, ok bool) {
	n := len(segments)
	if n < 3 || segments[n-3] != "api" {
		return "", "", false
	}
	switch e = endpoint(segments[n-1]); e {
	case endpointEnvelope, endpointStore, endpointSecurity:
		return e, segments[n-2], true
	}
	return "", "", false
}

// split returns a path's segments without the empty ones.
func split(path string) []string {
	return strings.FieldsFunc(path, func(r rune) bool { return r == '/' })
}

// parseProject reads the project number of a path or a DSN.
func parseProject(s string) (event.ProjectID, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n <= 0 || s[0] == '+' {
		return 0, fmt.Errorf("%w: a positive number is expected", errProject)
	}
	return event.ProjectID(n), nil
}
