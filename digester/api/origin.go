package api

import (
	"net"
	"net/http"
	"net/url"
	"strings"
)

// origin returns how whoever sent a request reaches this installation: tools send their
// token only to the host that they were told of. What proxies say counts as far as they
// are trusted (Config.ProxyHops); what cannot be known is the public URL.
func (a *API) origin(r *request) string {
	public, err := url.Parse(a.cfg.PublicURL)
	if err != nil {
		return a.cfg.PublicURL
	}
	host, scheme := r.Host, "http"
	if r.TLS != nil {
		scheme = "https"
	}
	if a.cfg.ProxyHops > 0 {
		if said := lastOf(r.Header, "X-Forwarded-Host"); said != "" {
			host = said
		}
		if scheme = lastOf(r.Header, "X-Forwarded-Proto"); scheme == "" {
			scheme = public.Scheme
		}
	}
	if strings.EqualFold(host, public.Host) || !isHost(host) || scheme != "http" && scheme != "https" {
		return a.cfg.PublicURL
	}
	base := ""
	if a.base != "" && strings.HasPrefix(r.RequestURI, a.base+"/") {
		base = a.base
	}
	return scheme + "://" + host + base
}

// lastOf returns the last of a header's values, which the proxy next to us wrote.
func lastOf(h http.Header, name string) string {
	values := h.Values(name)
	if len(values) == 0 {
		return ""
	}
	last := values[len(values)-1]
	return strings.TrimSpace(last[strings.LastIndex(last, ",")+1:])
}

// isHost reports whether a text is a host, perhaps with a port, and nothing else.
func isHost(text string) bool {
	u, err := url.Parse("http://" + text)
	if err != nil || u.Host != text || u.Path != "" || u.User != nil || u.Hostname() == "" {
		return false
	}
	return net.ParseIP(u.Hostname()) != nil || !strings.ContainsAny(u.Hostname(), " \"'<>\\%")
}
