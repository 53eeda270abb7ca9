package dashboard

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"sundew/digester/deed"
	"sundew/digester/store"
)

// act does something to issues that the person may do it to, and notes it.
func (d *Dashboard) act(tx *store.Tx, r *http.Request, a deed.Action, ids []int64) (done, error) {
	did, err := deed.Do(tx, d.by(r), a, ids)
	return done{Done: did}, err
}

// by is who does what a form says.
func (d *Dashboard) by(r *http.Request) deed.By {
	return deed.By{Person: who(r), Address: d.cfg.Address(r)}
}

// done is what came of an action.
type done struct {
	deed.Done
	denied int // issues that the person may only look at
}

// deedView is what a page says about what a form has just done, and how it is undone.
type deedView struct {
	Text string
	Do   string // what undoes it; empty: nothing does
	IDs  []int64
	Head int64
	Back string // where that leads
}

// params adds to an address what newDeedView reads.
func (e done) params(to string) string {
	q := url.Values{"did": {string(e.Verb)}, "n": {strconv.Itoa(len(e.Changed))}}
	for name, n := range map[string]int{"same": e.Same, "denied": e.denied, "head": int(e.Head)} {
		if n > 0 {
			q.Set(name, strconv.Itoa(n))
		}
	}
	if len(e.Undo) > 0 {
		texts := make([]string, len(e.Undo))
		for i, id := range e.Undo {
			texts[i] = strconv.FormatInt(id, 10)
		}
		q.Set("undo", strings.Join(texts, "."))
	}
	separator := "?"
	if strings.Contains(to, "?") {
		separator = "&"
	}
	return to + separator + q.Encode()
}

// deedParams are the names that params adds.
func deedParams() []string { return []string{"did", "n", "same", "denied", "head", "undo"} }

// newDeedView reads from a page's address what a form has done; nil: none did.
func (d *Dashboard) newDeedView(r *http.Request) *deedView {
	q := r.URL.Query()
	v := deed.Verb(q.Get("did"))
	if !slices.Contains(deed.Verbs(), v) {
		return nil
	}
	view := &deedView{Text: deedWords(v, queryNumber(r, "n", store.MaxActed, 0), queryNumber(r, "same", store.MaxActed, 0), queryNumber(r, "denied", store.MaxActed, 0))}
	view.Back = d.backTo(r)
	view.Head = queryNumber(r, "head", 1<<53, 0)
	for text := range strings.SplitSeq(q.Get("undo"), ".") {
		if id, err := strconv.ParseInt(text, 10, 64); err == nil && id > 0 && len(view.IDs) < store.MaxActed {
			view.IDs = append(view.IDs, id)
		}
	}
	if len(view.IDs) == 0 {
		return view
	}
	switch v {
	case deed.Resolve, deed.Mute:
		view.Do = string(deed.Reopen)
	case deed.Delete:
		view.Do = string(deed.Restore)
	case deed.Merge:
		view.Do = string(deed.Unmerge)
	}
	return view
}

// backTo is the address of a page without what a form had it say.
func (d *Dashboard) backTo(r *http.Request) string {
	q := r.URL.Query()
	for _, name := range deedParams() {
		q.Del(name)
	}
	back := d.links.base + r.URL.EscapedPath()
	if len(q) > 0 {
		back += "?" + q.Encode()
	}
	return back
}

// deedWords says what was done: "12 issues resolved, 1 was already.".
func deedWords(v deed.Verb, changed, same, denied int64) string {
	text := formatCounted(changed, "issue") + " " + v.Past()
	if changed == 0 {
		text = "No issue was " + v.Past()
	}
	switch {
	case same == 0:
	case v == deed.Merge || v == deed.Unmerge || v == deed.Restore:
		text += fmt.Sprintf(", %s could not be", formatCount(same))
	case same == 1:
		text += ", 1 was already"
	default:
		text += fmt.Sprintf(", %s were already", formatCount(same))
	}
	if denied > 0 {
		text += fmt.Sprintf("; of %s your role does not allow it", formatCount(denied))
	}
	return text + "."
}
