package dashboard

import (
	"net/http"

	"sundew/digester/store"
)

// shortcutsPage lists what keys do; the script static/triage.js does it.
type shortcutsPage struct {
	shell
	Groups []shortcutGroup
}

type shortcutGroup struct {
	Name string
	Keys []shortcut
}

// shortcut is one or several keys that do the same.
type shortcut struct {
	Keys []string
	Text string
}

// showShortcuts is GET /shortcuts. The script shows it above any page.
func (d *Dashboard) showShortcuts(*store.Rx, *http.Request) (reply, error) {
	return show("shortcuts", shortcutsPage{shell: shell{Title: "Keyboard shortcuts"}, Groups: shortcutGroups()}), nil
}

func shortcutGroups() []shortcutGroup {
	return []shortcutGroup{
		{"Issue lists", []shortcut{
			{[]string{"j", "↓"}, "Next issue"}, {[]string{"k", "↑"}, "Previous issue"},
			{[]string{"o", "Enter"}, "Open it"}, {[]string{"x"}, "Choose it, or not"},
			{[]string{"e"}, "Resolve what is chosen, or the issue you are at"},
			{[]string{"m"}, "Mute: offers for how long"}, {[]string{"a"}, "Assign to me"}, {[]string{"/"}, "Search"},
		}},
		{"Issues and events", []shortcut{
			{[]string{"j"}, "Previous event"}, {[]string{"k"}, "Next event"},
			{[]string{"e"}, "Resolve"}, {[]string{"m"}, "Mute: offers for how long"}, {[]string{"a"}, "Assign to me"}, {[]string{"c"}, "Comment"},
		}},
		{"Everywhere", []shortcut{{[]string{"?"}, "This list"}, {[]string{"Esc"}, "Close what is open"}}},
	}
}
