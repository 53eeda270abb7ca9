package search

import "strings"

// TagText returns the query for issues with a value of a tag, as one would type it;
// false if there is none.
func TagText(key, value string) (string, bool) {
	if value == "" {
		return "", false
	}
	var cond Cond = Tag{key, []Pattern{{value}}}
	switch by, name, ok := strings.Cut(value, ":"); {
	case key == "release" && strings.Contains(value, "@"):
		cond = Release{[]Pattern{{value}}}
	case key == "user" && ok && name != "" && (by == "id" || by == "email" || by == "username" || by == "ip"):
		cond = User{by, []Pattern{{name}}}
	}
	text := Term{Cond: cond}.String()
	q, err := Parse(text)
	return text, err == nil && len(q) == 1 && q.String() == text
}
