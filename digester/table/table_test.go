package table

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sundew/digester/search"
	"sundew/schema/event"
)

var now = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

// ask makes a question of columns and a query.
func ask(t *testing.T, columns, query string, sorted ...string) *Question {
	t.Helper()
	parsed, err := search.Parse(query)
	if err != nil {
		t.Fatal(err)
	}
	q, err := New(strings.Split(columns, " "), parsed, sorted, now)
	if err != nil {
		t.Fatalf("%s: %v", columns, err)
	}
	return q
}

// someRows are events of two issues.
func someRows() []Row {
	yes, no := true, false
	thrown := func(kind string, handled *bool, user string) *event.Event {
		return &event.Event{
			Exceptions: []event.Exception{{Type: "Cause"}, {Type: kind, Value: "it broke", Mechanism: event.Mechanism{Handled: handled}}},
			Tags:       []event.Pair{{Key: "plan", Value: "Gold"}}, User: event.User{ID: "7", Email: user}, Transaction: "/checkout",
		}
	}
	rows := []Row{
		{ID: 3, ProjectSlug: "shop", Project: 1, Issue: 1, ShortID: "SHOP-1", Title: "PaymentError: declined", Level: event.LevelError, Release: "shop@1.2", User: "id:7", Event: thrown("PaymentError", &yes, "Ada@example.com")},
		{ID: 2, ProjectSlug: "shop", Project: 1, Issue: 1, ShortID: "SHOP-1", Title: "PaymentError: declined", Level: event.LevelFatal, Release: "shop@1.1", User: "id:8", Event: thrown("PaymentError", &no, "")},
		{ID: 1, ProjectSlug: "shop", Project: 1, Issue: 2, ShortID: "SHOP-2", Title: "KeyError: 'rates'", Level: event.LevelError, Environment: "production", User: "id:7"},
	}
	rows[2].State, rows[2].Assigned = search.Resolved, true
	for i := range rows {
		rows[i].First, rows[i].Last, rows[i].Count = now.Add(-time.Duration(i)*time.Hour), now.Add(-time.Duration(i)*time.Hour), 1
	}
	return rows
}

// TestQuery asks of each event what the query says.
func TestQuery(t *testing.T) {
	for query, want := range map[string][]int64{
		"":                                  {3, 2, 1},
		"declined":                          {3, 2},
		`"payment declined"`:                nil,
		"!declined":                         {1},
		"level:fatal":                       {2},
		"!level:fatal":                      {3, 1},
		"release:1.2":                       {3},
		"release:shop@*":                    {3, 2},
		"!release:1.2":                      {2, 1},
		"environment:PRODUCTION":            {1},
		"!has:environment":                  {3, 2},
		"user.id:7":                         {3, 1},
		"user.email:ada@*":                  {3},
		"user:ada@example.com":              {3},
		"plan:gold":                         {3, 2},
		"tags[plan]:[silver, g*d]":          {3, 2},
		"transaction:/check*":               {3, 2},
		"error.type:Cause":                  {3, 2},
		"error.handled:false":               {2},
		"error.handled:1":                   {3},
		"error.unhandled:true":              {2},
		"is:unresolved":                     {3, 2},
		"is:[resolved, muted]":              {1},
		"!is:resolved":                      {3, 2},
		"is:assigned":                       {1},
		"is:[muted, unassigned]":            {3, 2},
		"issue:SHOP-2":                      {1},
		"project:shop issue.id:1":           {3, 2},
		"project:other":                     nil,
		"timestamp:>2026-03-04T10:30:00":    {3, 2},
		"timestamp:+90m":                    {1},
		"timestamp:2026-03-04 !has:release": {1},
		"title:*rates* event.type:error":    {1},
	} {
		q := ask(t, "id", query)
		var got []int64
		for _, row := range someRows() {
			if q.Holds(&row) {
				got = append(got, row.ID)
			}
			if whole := q.Holds(&row); whole && !q.Passes(&row) {
				t.Errorf("%s: event %d holds and does not pass", query, row.ID)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", query, got, want)
		}
	}
}

// TestNeeds asks for no more than the columns and the query need.
func TestNeeds(t *testing.T) {
	for asked, want := range map[string]Needs{
		"count()":                           0,
		"issue project count() last_seen()": 0,
		"title count()":                     Title,
		"count() count_unique(user) | level:error":   User | Level,
		"count() | user.id:7":                        User,
		"count() | user.email:x":                     EachEvent | Body | User,
		"plan count()":                               EachEvent | Body,
		"title":                                      EachEvent | Title,
		"count() | is:unresolved times_seen:>5":      0,
		"timestamp.to_hour count()":                  Hour,
		"count() | timestamp:-24h":                   0,
		"count() | !timestamp:-24h":                  EachEvent,
		"count() | declined release:1 environment:x": Title | Release | Environment,
	} {
		columns, query, _ := strings.Cut(asked, " | ")
		if got := ask(t, columns, query).Needs(); got != want {
			t.Errorf("%s: %b, want %b", asked, got, want)
		}
	}
	q := ask(t, "count()", "is:unresolved plan:gold !release:1 assigned:me is:[new, muted]")
	if q.Issues.String() != "assigned:me is:[new, muted]" || q.Narrow.String() != "plan:gold" {
		t.Errorf("of issues %q, and %q", q.Issues.String(), q.Narrow.String())
	}
}

// TestBounds says when events can have happened.
func TestBounds(t *testing.T) {
	day := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	for query, want := range map[string][2]time.Time{
		"":                      {},
		"timestamp:-24h":        {now.Add(-24 * time.Hour), {}},
		"timestamp:+24h":        {{}, now.Add(-24 * time.Hour)},
		"timestamp:>2026-03-01": {day.Add(time.Millisecond), {}},
		"timestamp:<2026-03-01": {{}, day.Add(-time.Millisecond)},
		"timestamp:2026-03-01":  {day, day.Add(24*time.Hour - time.Millisecond)},
		"!timestamp:2026-03-01": {},
		"timestamp:>=2026-03-01 timestamp:-1h timestamp:<=2026-03-05": {now.Add(-time.Hour), day.Add(4 * 24 * time.Hour)},
	} {
		q := ask(t, "count()", query)
		if got := [2]time.Time{q.From, q.To}; got != want {
			t.Errorf("%s: %v, want %v", query, got, want)
		}
	}
}

// texts are the rows of a table.
func (t Table) texts() []string {
	var all []string
	for _, row := range t.Rows {
		var cells []string
		for _, v := range row {
			cell := strings.Join(v.texts(), "+")
			if v.Kind == Rate {
				cell = strconv.FormatFloat(v.Number, 'f', 3, 64)
			}
			cells = append(cells, cell)
		}
		all = append(all, strings.Join(cells, " | "))
	}
	return all
}

// TestAnswer sums up, sorts, and leaves nothing out.
func TestAnswer(t *testing.T) {
	many := someRows()
	many[0].Count, many[0].First = 5, now.Add(-24*time.Hour)
	for _, c := range []struct {
		columns string
		sorted  []string
		rows    []Row
		want    []string
	}{
		{"issue count()", nil, someRows(), []string{"SHOP-1 | 2", "SHOP-2 | 1"}},
		{"issue count()", []string{"count()"}, someRows(), []string{"SHOP-2 | 1", "SHOP-1 | 2"}},
		{"issue count()", []string{"-count"}, many, []string{"SHOP-1 | 6", "SHOP-2 | 1"}},
		{"issue count_unique(user) last_seen()", []string{"-last_seen"}, someRows(), []string{"SHOP-1 | 2 | 2026-03-04T12:00:00Z", "SHOP-2 | 1 | 2026-03-04T10:00:00Z"}},
		{"count() count_unique(user) count_unique(issue)", nil, many, []string{"7 | 2 | 2"}},
		{"count() last_seen()", nil, nil, []string{"0 | "}},
		{"issue count()", nil, nil, nil},
		{"min(timestamp) max(timestamp)", nil, many, []string{"2026-03-03T12:00:00Z | 2026-03-04T12:00:00Z"}},
		{"first_seen() epm() eps()", nil, many, []string{"2026-03-03T12:00:00Z | 0.117 | 0.002"}},
		{"release environment count()", []string{"release"}, someRows(), []string{" | production | 1", "shop@1.1 |  | 1", "shop@1.2 |  | 1"}},
		{"level title", []string{"title", "-level"}, someRows(), []string{"error | KeyError: 'rates'", "fatal | PaymentError: declined", "error | PaymentError: declined"}},
		{"error.type error.handled plan user.email", nil, someRows(), []string{"Cause+PaymentError | true | Gold | Ada@example.com", "Cause+PaymentError | false | Gold | ", " |  |  | "}},
		{"tags[plan] count()", nil, someRows(), []string{"Gold | 2", " | 1"}},
		{"title", []string{"-timestamp"}, someRows()[1:], []string{"PaymentError: declined", "KeyError: 'rates'"}},
		{"timestamp.to_day timestamp.to_hour project.id", nil, someRows()[:1], []string{"2026-03-04T00:00:00Z | 2026-03-04T12:00:00Z | 1"}},
	} {
		got := ask(t, c.columns, "", c.sorted...).Answer(c.rows, time.Hour)
		if diff := cmp.Diff(c.want, got.texts()); diff != "" {
			t.Errorf("%s: %s", c.columns, diff)
		}
	}
	if got := ask(t, "epm() title", "").Headers(); !slices.Equal(got, []Header{{"epm()", Rate, "1/minute"}, {"title", String, ""}}) {
		t.Errorf("headers %v", got)
	}
}

// TestWrong says in words what cannot be asked.
func TestWrong(t *testing.T) {
	for asked, want := range map[string]string{
		"":                               "Name 1 to 20 columns",
		"p95(span.duration)":             "Sundew keeps errors only",
		"span.op":                        "Sundew keeps errors only",
		"transaction.duration":           "Sundew keeps errors only",
		"equation|count() / 2":           "Equations are not something",
		"count_unique(count())":          "count_unique() counts the values",
		"title | level:error | -count()": `sorted by "count()"`,
		"title | timestamp:yesterday":    "timestamp:yesterday is no time",
		"title | span.op:db":             "Sundew keeps errors only",
	} {
		parts := append(strings.Split(asked, " | "), "", "")
		var columns, sorted []string
		if parts[0] != "" {
			columns = strings.Fields(parts[0])
			if strings.HasPrefix(parts[0], "equation") {
				columns = parts[:1]
			}
		}
		query, err := search.Parse(parts[1])
		if err != nil {
			t.Fatal(err)
		}
		if len(parts) > 3 && parts[2] != "" {
			sorted = parts[2:3]
		}
		_, err = New(columns, query, sorted, now)
		var why *Error
		if !errors.As(err, &why) || !strings.Contains(why.Words, want) {
			t.Errorf("%s: %v, want %s", asked, err, want)
		}
	}
}

// FuzzNew answers whatever is asked, or says why not.
func FuzzNew(f *testing.F) {
	f.Add("title count()", "level:error !has:x timestamp:-24h", "-count")
	f.Add("tags[a b] count_unique(user.email) epm()", "user:a* release:1 a:[b, *c*]", "title")
	f.Fuzz(func(t *testing.T, columns, query, sorted string) {
		parsed, err := search.Parse(query)
		if err != nil {
			return
		}
		q, err := New(strings.Fields(columns), parsed, strings.Fields(sorted), now)
		if err != nil {
			var why *Error
			if !errors.As(err, &why) {
				t.Fatal(err)
			}
			return
		}
		rows := someRows()
		rows = slices.DeleteFunc(rows, func(r Row) bool { return !q.Holds(&r) })
		for _, row := range q.Answer(rows, time.Hour).Rows {
			if len(row) != len(q.Headers()) {
				t.Fatalf("%d values of %d columns", len(row), len(q.Headers()))
			}
		}
	})
}
