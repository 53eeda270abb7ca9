package dashboard

import (
	"cmp"
	"maps"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"sundew/digester/ledger"
	"sundew/digester/store"
	"sundew/schema/event"
)

// Bounds of the lists of the page.
const (
	ledgerHours   = 24
	ledgerReasons = 40
	ledgerGaps    = 50
	ledgerRejects = 50
)

// ledgerPage shows where everything went that was accepted.
type ledgerPage struct {
	shell
	Verdict  verdict // without words for who sees some projects only
	Projects []balanceRow
	Total    *balanceRow // nil: there is only one project
	Selected *balanceRow // all that stands below the totals is of this project; nil: of all
	Hours    []hourRow
	Asides   []asideList
	Gaps     []gapRow
	MoreGaps int
	Rejects  []rejectRow
}

// verdict says whether the books balance.
type verdict struct {
	Fine bool
	Head string
	Text string
	Dead bool // there are dead letters
}

// balanceRow is the books of one project, or of all.
type balanceRow struct {
	ID      event.ProjectID
	Name    string
	Current bool
	ledger.Project
}

// term is one side of the balance, or a part of the other.
type term struct {
	Name    string
	Count   int64
	Reasons []reasonCount
	Bad     bool // it should be zero
}

// Terms are the columns of the row: the first is the sum of the others.
func (r balanceRow) Terms() []term {
	return []term{
		{Name: "Accepted", Count: r.Accepted},
		{Name: "Stored", Count: r.Digested},
		{Name: "Duplicate", Count: r.Duplicate},
		{Name: "Dropped", Count: r.DroppedTotal(), Reasons: reasonCounts(r.Dropped)},
		{Name: "In flight", Count: r.Queued()},
		{Name: "Dead letters", Count: r.DeadLetters, Bad: true},
		{Name: "Lost", Count: r.Lost, Bad: true},
	}
}

// reasonCount is how often something happened, and why in words.
type reasonCount struct {
	Words string
	Count int64
}

// hourRow is one hour of the books.
type hourRow struct {
	Hour     time.Time
	Accepted int64
	Stored   int64
	Repeated int64
	Dropped  int64
	InFlight int64
	Client   int64
	Refused  int64
	Unstored int64
}

// Label names the hour, in UTC.
func (r hourRow) Label() string { return r.Hour.Format("Jan 2, 15:04") }

// asideList is what never became a message, with the reasons.
type asideList struct {
	Title, Text, None string
	Total             int64
	Rows              []asideRow
	More              int // rows left out
}

type asideRow struct {
	What, Why string
	Count     int64
}

// gapRow is an open gap.
type gapRow struct {
	ledger.Gap
	ProjectName string
}

// Numbers are the first and the last number that is missing.
func (g gapRow) Numbers() string {
	if g.From == g.To {
		return formatCount(g.From)
	}
	return formatCount(g.From) + " – " + formatCount(g.To)
}

// Short is enough of the instance's name to tell it from others.
func (g gapRow) Short() string { return g.Instance[:min(8, len(g.Instance))] }

// IsLost reports whether the gap will not close.
func (g gapRow) IsLost() bool { return g.State == ledger.Lost }

// rejectRow is a dropped message.
type rejectRow struct {
	store.Reject
	ProjectName string
	Words       string
}

// serveLedger is GET /ledger. The books are read before the page's own
// transaction begins: transactions do not nest, and the queue has to be read
// before the database.
func (d *Dashboard) serveLedger(w http.ResponseWriter, r *http.Request) {
	books, err := d.cfg.Ledger(r.Context())
	if err != nil {
		d.fail(w, r, err)
		return
	}
	d.read(w, r, ofLedger, func(rx *store.Rx, r *http.Request) (reply, error) { return d.showLedger(rx, r, books) })
}

func (d *Dashboard) showLedger(rx *store.Rx, r *http.Request, books *ledger.Books) (reply, error) {
	projects, err := rx.Projects()
	if err != nil {
		return reply{}, err
	}
	selected := event.ProjectID(queryNumber(r, "project", math.MaxInt64, 0))
	page := ledgerPage{
		shell:    shell{Title: "Ledger", Trail: d.trail()},
		Verdict:  judge(books),
		Projects: balanceRows(books, projects, selected),
	}
	if !who(r).SeesAll() { // what concerns all is not for those who see some
		page.Verdict = verdict{}
		page.Projects = slices.DeleteFunc(page.Projects, func(row balanceRow) bool { return !row.Current })
	}
	names := map[event.ProjectID]string{0: "none"}
	for i, row := range page.Projects {
		names[row.ID] = row.Name
		if row.Current {
			page.Selected = &page.Projects[i]
		}
	}
	if selected != 0 && page.Selected == nil {
		return reply{}, store.ErrNotFound
	}
	if len(page.Projects) > 1 {
		page.Total = totalRow(page.Projects)
	}
	page.Hours = hourRows(books, selected, d.cfg.Now())
	page.Asides = asideLists(books, selected)
	page.Gaps, page.MoreGaps = gapRows(books, selected, names)
	rejects, err := rx.Rejects(selected, ledgerRejects)
	page.Rejects = rejectRows(rejects, names)
	return show("ledger", page), err
}

// judge says in a sentence what the books say in numbers.
func judge(b *ledger.Books) verdict {
	switch {
	case b.Mismatch != 0:
		return verdict{Head: "The books do not balance.",
			Text: "Counters and numbers of messages disagree by " + formatCount(b.Mismatch) + ". The database is damaged: “digester check” says where."}
	case b.Lost == 1:
		return verdict{Head: "1 accepted message is lost.", Text: "It is neither in the database nor in the queue. Its number is among the gaps below."}
	case b.Lost > 1:
		return verdict{Head: formatCount(b.Lost) + " accepted messages are lost.", Text: "They are neither in the database nor in the queue. Their numbers are among the gaps below."}
	case b.Accepted == 0:
		return verdict{Fine: true, Head: "Nothing has been accepted yet.", Text: "From the first event on, this page says where each of them went."}
	}
	var queued, dead int64
	for id, p := range b.ByProject {
		if id != 0 {
			queued += p.Queued()
			dead += p.DeadLetters
		}
	}
	terms := []string{formatCount(b.Digested) + " stored"}
	for _, t := range []struct {
		n    int64
		word string
	}{{b.Duplicate, "duplicate"}, {b.DroppedTotal(), "dropped"}, {queued, "in flight"}} {
		if t.n > 0 {
			terms = append(terms, formatCount(t.n)+" "+t.word)
		}
	}
	v := verdict{Fine: true, Head: "Every event that was accepted is accounted for."}
	if dead > 0 {
		terms = append(terms, formatCounted(dead, "dead letter"))
	}
	v.Text = formatCount(b.Accepted) + " accepted = " + strings.Join(terms, " + ") + "."
	if dead > 0 {
		v.Dead = true
		v.Text += " Dead letters were delivered too often without success; the queue keeps them aside."
	}
	return v
}

// balanceRows lists all projects by name, then those that the books know and the
// database does not.
func balanceRows(b *ledger.Books, projects []store.Project, selected event.ProjectID) []balanceRow {
	var rows []balanceRow
	add := func(id event.ProjectID, name string) {
		row := balanceRow{ID: id, Name: name, Current: id == selected}
		if p, ok := b.ByProject[id]; ok {
			row.Project = *p
		}
		rows = append(rows, row)
	}
	known := map[event.ProjectID]bool{0: true}
	for _, p := range projects {
		known[p.ID] = true
		add(p.ID, p.Name)
	}
	for _, id := range slices.Sorted(maps.Keys(b.ByProject)) {
		if !known[id] {
			add(id, projectName(nil, id))
		}
	}
	return rows
}

func totalRow(rows []balanceRow) *balanceRow {
	total := &balanceRow{Name: "All projects"}
	total.Dropped = make(map[string]int64)
	for _, r := range rows {
		total.Accepted += r.Accepted
		total.Digested += r.Digested
		total.Duplicate += r.Duplicate
		total.InFlight += r.InFlight
		total.DeadLetters += r.DeadLetters
		total.Lost += r.Lost
		addCounts(total.Dropped, r.Dropped)
	}
	return total
}

// reasonCounts puts reasons for drops into words, the most frequent first.
func reasonCounts(counts map[string]int64) []reasonCount {
	var all []reasonCount
	for reason, n := range counts {
		all = append(all, reasonCount{Words: dropWords(reason), Count: n})
	}
	slices.SortFunc(all, func(a, b reasonCount) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Words, b.Words))
	})
	return all
}

// hourRows sums up the last hours, the newest first.
func hourRows(b *ledger.Books, selected event.ProjectID, now time.Time) []hourRow {
	rows := make([]hourRow, ledgerHours)
	newest := now.UTC().Truncate(time.Hour)
	for i := range rows {
		rows[i].Hour = newest.Add(-time.Duration(i) * time.Hour)
	}
	for _, h := range b.Hours {
		i := int(newest.Sub(h.Hour) / time.Hour)
		if i < 0 || i >= ledgerHours || selected != 0 && h.Project != selected {
			continue
		}
		row := &rows[i]
		row.Accepted += h.Accepted
		row.Stored += h.Digested
		row.Repeated += h.Duplicate
		row.Dropped += h.DroppedTotal()
		row.InFlight += h.InFlight
		row.Client += ledger.Sum(h.ClientLost)
		row.Refused += ledger.Sum(h.Refused) + ledger.Sum(h.Limited)
		row.Unstored += ledger.Sum(h.Unstored)
	}
	return rows
}

// asideLists lists what never became a message, of all time.
func asideLists(b *ledger.Books, selected event.ProjectID) []asideList {
	client, refused, unstored := make(map[string]int64), make(map[string]int64), make(map[string]int64)
	for id, p := range b.ByProject {
		if selected != 0 && id != selected {
			continue
		}
		addCounts(client, p.ClientLost)
		addCounts(refused, p.Refused)
		addCounts(refused, p.Limited)
		addCounts(unstored, p.Unstored)
	}
	return []asideList{
		newAsideList("Lost by the SDKs", "What SDKs report that they did not send.", "No SDK has reported a loss.", client, clientWords),
		newAsideList("Refused", "Answered with an error, so never accepted.", "Nothing was refused.", refused, refusalWords),
		newAsideList("Not stored", "Answered with 200, but of a kind that Sundew does not keep.", "Everything was of a kind that Sundew keeps.", unstored, refusalWords),
	}
}

func addCounts(to, counts map[string]int64) {
	for key, n := range counts {
		to[key] += n
	}
}

func newAsideList(title, text, none string, counts map[string]int64, words func(string) string) asideList {
	list := asideList{Title: title, Text: text, None: none, Total: ledger.Sum(counts)}
	for key, n := range counts {
		category, reason, _ := strings.Cut(key, ":")
		list.Rows = append(list.Rows, asideRow{What: categoryWords(category), Why: words(reason), Count: n})
	}
	slices.SortFunc(list.Rows, func(a, b asideRow) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.What, b.What), cmp.Compare(a.Why, b.Why))
	})
	if len(list.Rows) > ledgerReasons {
		list.More = len(list.Rows) - ledgerReasons
		list.Rows = list.Rows[:ledgerReasons]
	}
	return list
}

// gapRows lists gaps, lost ones first, and says how many more there are.
func gapRows(b *ledger.Books, selected event.ProjectID, names map[event.ProjectID]string) (rows []gapRow, more int) {
	for _, g := range b.Gaps {
		if selected != 0 && g.Project != selected {
			continue
		}
		if len(rows) == ledgerGaps {
			more++
			continue
		}
		rows = append(rows, gapRow{Gap: g, ProjectName: names[g.Project]})
	}
	return rows, more
}

func rejectRows(rejects []store.Reject, names map[event.ProjectID]string) []rejectRow {
	left := newBudget()
	var rows []rejectRow
	for _, reject := range rejects {
		name := names[reject.Project]
		if name == "" {
			name = "Project " + strconv.FormatInt(int64(reject.Project), 10)
		}
		reject.Detail = left.text(reject.Detail, maxLine)
		rows = append(rows, rejectRow{Reject: reject, ProjectName: name, Words: dropWords(reject.Reason)})
	}
	return rows
}
