package event

import (
	"strings"

	"github.com/mileusna/useragent"
)

// AutoIP is what clients send as a user's address to mean "the one this request
// comes from".
const AutoIP = "{{auto}}"

// ResolveIP replaces the address "{{auto}}" by remote, which may be empty when it
// is not known.
func (e *Event) ResolveIP(remote string) {
	if e.User.IP == AutoIP {
		e.User.IP = line(remote, maxShort)
	}
}

// Identifier returns the one thing to count a user by, with its kind: "id:42",
// "email:…", "username:…" or "ip:…"; "" for nobody.
func (u User) Identifier() string {
	switch {
	case u.ID != "":
		return "id:" + u.ID
	case u.Email != "":
		return "email:" + u.Email
	case u.Username != "":
		return "username:" + u.Username
	case u.IP != "" && u.IP != AutoIP:
		return "ip:" + u.IP
	}
	return ""
}

// AllTags returns the client's own tags, in its order, and after them the derived
// ones whose keys it did not use itself.
func (e *Event) AllTags() []Pair {
	derived := e.DerivedTags()
	all := make([]Pair, len(e.Tags), len(e.Tags)+len(derived))
	copy(all, e.Tags)
	for _, t := range derived {
		if indexOf(e.Tags, t.Key) < 0 {
			all = append(all, t)
		}
	}
	return all
}

// SearchTags returns AllTags and behind them those names of the user that the tag "user"
// does not say, as "user.email" and so on: it says one identifier, and whoever looks for
// a person may know another.
func (e *Event) SearchTags() []Pair {
	all := e.AllTags()
	names := e.User.Names()
	if len(names) > 0 && indexOf(e.Tags, "user") < 0 {
		names = names[1:]
	}
	for _, name := range names {
		if indexOf(e.Tags, name.Key) < 0 {
			all = append(all, name)
		}
	}
	return all
}

// Names returns all that a user can be told by, as tags "user.id", "user.email",
// "user.username" and "user.ip". The first is what Identifier returns.
func (u User) Names() []Pair {
	names := make([]Pair, 0, 4)
	add := func(key, value string) {
		if value != "" {
			names = append(names, Pair{key, cut([]byte(value), maxName)})
		}
	}
	add("user.id", u.ID)
	add("user.email", u.Email)
	add("user.username", u.Username)
	if u.IP != AutoIP {
		add("user.ip", u.IP)
	}
	return names
}

// DerivedTags returns the tags that follow from what the event says elsewhere,
// in a fixed order and without empty ones.
func (e *Event) DerivedTags() []Pair {
	tags := make([]Pair, 0, 14)
	add := func(key, value string) {
		if value != "" {
			tags = append(tags, Pair{key, cut([]byte(value), maxName)})
		}
	}
	browser, os := e.browserAndOS()
	handled, mechanism := e.thrown()
	add("environment", e.Environment)
	add("release", e.Release)
	add("level", e.Level.String())
	add("logger", e.Logger)
	add("transaction", e.Transaction)
	add("url", withoutQuery(e.Request.URL))
	add("server_name", e.ServerName)
	add("browser", browser)
	add("os", os)
	add("runtime", e.runtime())
	add("device", e.device())
	add("user", e.User.Identifier())
	add("handled", handled)
	add("mechanism", mechanism)
	return tags
}

// thrown returns what the mechanism of the thrown exception says.
func (e *Event) thrown() (handled, mechanism string) {
	if len(e.Exceptions) == 0 {
		return "", ""
	}
	m := e.Exceptions[len(e.Exceptions)-1].Mechanism
	if m.Handled != nil && *m.Handled {
		handled = "yes"
	} else if m.Handled != nil {
		handled = "no"
	}
	return handled, m.Type
}

// browserAndOS takes both from the contexts, else from the User-Agent header. On
// a server that header says which browser asked, not which system failed.
func (e *Event) browserAndOS() (browser, os string) {
	if c, ok := e.Context("browser"); ok {
		major, _, _ := strings.Cut(number(fieldText(c, "version")), ".")
		browser = join(fieldText(c, "name"), major)
	}
	for _, name := range []string{"client_os", "os"} {
		if c, ok := e.Context(name); ok {
			os = osName(fieldText(c, "name"), fieldText(c, "version"))
		}
	}
	if e.Request.UserAgent == "" || browser != "" && os != "" {
		return browser, os
	}
	agent := useragent.Parse(e.Request.UserAgent)
	if browser == "" && agent.Name != "" {
		major, _, _ := strings.Cut(number(agent.Version), ".")
		browser = oneLine(join(agent.Name, major))
	}
	if os == "" && e.Platform == "javascript" {
		os = oneLine(osName(agent.OS, agent.OSVersion))
	}
	return browser, os
}

// osName leaves out the version of Linux itself: it is the kernel's, one for
// every patch.
func osName(name, version string) string {
	if strings.EqualFold(name, "linux") {
		return "Linux"
	}
	return join(name, number(version))
}

func (e *Event) runtime() string {
	c, ok := e.Context("runtime")
	if !ok {
		return ""
	}
	return join(fieldText(c, "name"), number(fieldText(c, "version")))
}

func (e *Event) device() string {
	c, ok := e.Context("device")
	if !ok {
		return ""
	}
	if model := fieldText(c, "model"); model != "" {
		return model
	}
	return fieldText(c, "family")
}

// fieldText returns a context's field as text of one line; lists and objects are
// no text.
func fieldText(c Context, key string) string {
	text := c.Field(key)
	if strings.HasPrefix(text, "{") || strings.HasPrefix(text, "[") {
		return ""
	}
	return oneLine(text)
}

// number returns the first word of a version that is one, from its first digit
// on: "20.1" of "v20.1", "3.1.2p20" of "ruby 3.1.2p20 (2022)".
func number(version string) string {
	for word := range strings.FieldsSeq(version) {
		if i := strings.IndexAny(word, "0123456789"); i >= 0 && word[0] != '#' && word[0] != '(' {
			return word[i:]
		}
	}
	return ""
}

func join(name, version string) string {
	if name == "" || version == "" {
		return name
	}
	return name + " " + version
}
