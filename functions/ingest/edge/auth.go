package edge

import (
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"sundew/schema/event"
)

// protocolVersion is the newest version of the protocol that clients may claim to
// speak; all older ones are understood.
const protocolVersion = 7

// credentials is what a request says about its sender. The key is 32 lower-case hex
// digits, or empty when neither query nor headers have one.
type credentials struct {
	key    string
	client string // sentry_client
}

// readCredentials gathers the credentials of the query, X-Sentry-Auth and
// Authorization. The same key in several places is fine, two keys are not.
func readCredentials(r *http.Request) (credentials, error) {
	var c credentials
	if strings.Contains(r.URL.RawQuery, "sentry_") {
		query := r.URL.Query()
		for _, name := range []string{"sentry_key", "sentry_version", "sentry_client"} {
			if err := c.set(name, query.Get(name)); err != nil {
				return c, fmt.Errorf("query: %w", err)
			}
		}
	}
	for _, value := range r.Header.Values("X-Sentry-Auth") {
		list, _ := afterScheme(value, "Sentry")
		if err := c.setList(list); err != nil {
			return c, fmt.Errorf("header x-sentry-auth: %w", err)
		}
	}
	authorization := r.Header.Get("Authorization")
	if list, ok := afterScheme(authorization, "Sentry"); ok {
		if err := c.setList(list); err != nil {
			return c, fmt.Errorf("header authorization: %w", err)
		}
	}
	if user, _, ok := r.BasicAuth(); ok && c.key == "" && isKey(user) {
		// Anything else in Basic is meant for a proxy in front.
		c.key = strings.ToLower(user)
	}
	return c, nil
}

// afterScheme returns what follows the scheme in an authorization header, and
// whether it is of that scheme; without it the value unchanged.
func afterScheme(value, scheme string) (string, bool) {
	value = strings.TrimSpace(value)
	if len(value) <= len(scheme) || !strings.EqualFold(value[:len(scheme)], scheme) ||
		value[len(scheme)] != ' ' && value[len(scheme)] != '\t' {
		return value, false
	}
	return value[len(scheme)+1:], true
}

// setList takes over a list like "sentry_version=7, sentry_key=…".
func (c *credentials) setList(list string) error {
	for pair := range strings.SplitSeq(list, ",") {
		name, value, _ := strings.Cut(pair, "=")
		if err := c.set(strings.TrimSpace(name), strings.Trim(value, " \t\"")); err != nil {
			return err
		}
	}
	return nil
}

// set takes over one field; those it does not know, such as the sentry_secret of
// old clients, mean nothing.
func (c *credentials) set(name, value string) error {
	if value == "" {
		return nil
	}
	switch name {
	case "sentry_key":
		key := strings.ToLower(value)
		if !isKey(key) {
			return fmt.Errorf("%w: sentry_key has %d characters where 32 hex digits are expected", errAuthMalformed, len(key))
		}
		if c.key != "" && c.key != key {
			return fmt.Errorf("%w: the request has two different keys", errAuthMalformed)
		}
		c.key = key
	case "sentry_version":
		major, _, _ := strings.Cut(value, ".")
		if v, err := strconv.Atoi(major); err != nil || v < 0 || v > protocolVersion {
			return fmt.Errorf("%w: sentry_version is not a number up to %d", errAuthMalformed, protocolVersion)
		}
	case "sentry_client":
		c.client = value
	}
	return nil
}

// isKey reports whether s has the form of a public key, in any case.
func isKey(s string) bool {
	var key [16]byte
	if len(s) != 2*len(key) {
		return false
	}
	_, err := hex.Decode(key[:], []byte(s))
	return err == nil
}

// parseDSN reads the key and the project of a DSN, whose secret, host and prefix mean
// nothing here. Its errors do not quote it.
func parseDSN(dsn string) (key string, project event.ProjectID, err error) {
	u, err := url.Parse(dsn)
	if err != nil || u.Host == "" {
		return "", 0, fmt.Errorf("%w: the dsn of the envelope header is not a URL", errAuthMalformed)
	}
	key = strings.ToLower(u.User.Username())
	if !isKey(key) {
		return "", 0, fmt.Errorf("%w: the dsn of the envelope header has no key of 32 hex digits", errAuthMalformed)
	}
	path := strings.TrimRight(u.Path, "/")
	project, err = parseProject(path[strings.LastIndexByte(path, '/')+1:])
	if err != nil {
		return "", 0, fmt.Errorf("%w: the dsn of the envelope header has no project number", errAuthMalformed)
	}
	return key, project, nil
}
