package artifact

import (
	"net/url"
	"path"
	"strings"
)

// CleanURL returns the URL of a file as it is stored and looked up: without query and
// fragment, and with "~" in place of nothing before a path, since that is what tools
// write for "any host".
func CleanURL(raw string) string {
	raw = strings.TrimSpace(raw)
	if i := strings.IndexAny(raw, "?#"); i >= 0 {
		raw = raw[:i]
	}
	if strings.HasPrefix(raw, "/") && !strings.HasPrefix(raw, "//") {
		return "~" + raw
	}
	return raw
}

// Candidates returns the URLs under which a bundle may have the script of a frame, the
// most exact first: as it is, and as its path on any host.
func Candidates(frame string) []string {
	full := CleanURL(frame)
	if full == "" {
		return nil
	}
	all := []string{full}
	add := func(s string) {
		for _, known := range all {
			if s == known {
				return
			}
		}
		all = append(all, s)
	}
	onAnyHost := full
	if !strings.HasPrefix(full, "~") {
		onAnyHost = "~" + hostless(full)
		add(onAnyHost)
	}
	if plain, err := url.PathUnescape(onAnyHost); err == nil {
		add(plain)
	}
	return all
}

// hostless returns the path of a URL, with a slash before it.
func hostless(full string) string {
	rest := full
	if _, after, ok := strings.Cut(full, "://"); ok {
		rest = "/"
		if i := strings.Index(after, "/"); i >= 0 {
			rest = after[i:]
		}
	} else if strings.HasPrefix(full, "//") {
		return hostless("https:" + full)
	}
	return path.Clean("/" + strings.TrimPrefix(rest, "./"))
}

// Resolve returns the URL that a reference means which stands in the file with the URL
// base, e.g. "app.js.map" in "~/assets/app.js"; both as CleanURL has them. A reference
// that is no URL is empty, and so is one that carries its content (data:).
func Resolve(base, reference string) string {
	reference = strings.TrimSpace(reference)
	if reference == "" || strings.HasPrefix(reference, "data:") {
		return ""
	}
	if strings.HasPrefix(reference, "~/") || strings.Contains(reference, "://") {
		return CleanURL(reference)
	}
	reference = CleanURL(reference)
	scheme, rest := "", base
	if before, after, ok := strings.Cut(base, "://"); ok {
		scheme, rest = before+"://", after
	}
	host, dir := rest, "/"
	if i := strings.Index(rest, "/"); i >= 0 {
		host, dir = rest[:i], path.Dir(rest[i:])
	}
	if after, ok := strings.CutPrefix(reference, "~/"); ok {
		return scheme + host + path.Clean("/"+after)
	}
	return scheme + host + path.Join(dir, reference)
}

// BaseName returns the last part of a URL's path.
func BaseName(u string) string {
	u = CleanURL(u)
	return u[strings.LastIndex(u, "/")+1:]
}
