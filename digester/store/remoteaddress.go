package store

import (
	"errors"
	"net/url"
	"strings"
)

// errRemoteAddress says what ParseRemote takes. It quotes nothing: an address that
// is not understood may have a secret in it.
var errRemoteAddress = errors.New("want libsql://host, https://host or http://host:port, with ?namespace=NAME if the host does not begin with it")

// ParseRemote takes a libSQL server's address: libsql:// stands for https://. What
// the server calls the database, its namespace, is the first label of the host,
// unless ?namespace= says it. The token is not part of the address.
func ParseRemote(address string) (RemoteConfig, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.User != nil || u.Fragment != "" || strings.Trim(u.Path, "/") != "" {
		return RemoteConfig{}, errRemoteAddress
	}
	switch u.Scheme {
	case "libsql":
		u.Scheme = "https"
	case "http", "https":
	default:
		return RemoteConfig{}, errRemoteAddress
	}
	cfg := RemoteConfig{URL: u.Scheme + "://" + u.Host}
	for name, values := range u.Query() {
		if name != "namespace" || len(values) != 1 || values[0] == "" || strings.ContainsAny(values[0], "./: ") {
			return RemoteConfig{}, errRemoteAddress
		}
		cfg.Namespace = values[0]
	}
	return cfg, nil
}
