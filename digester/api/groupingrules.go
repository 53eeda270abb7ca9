package api

import (
	"sundew/digester/access"
	"sundew/digester/deed"
	"sundew/digester/grouping"
	"sundew/digester/store"
)

// groupingRoutes are about which of a project's events belong together.
func (a *API) groupingRoutes() {
	const tag, at = "Project settings", "/projects/{org}/{project}/settings/grouping/"
	admin := ofProject(access.Admin)
	read(a, at, readProjects, admin, Doc{Tag: tag, Summary: "A project's fingerprint rules", Text: "Sundew's own; the rules are part of the project too, as fingerprintingRules."}, a.groupingRules)
	change(a, "PUT", at, "fingerprint rules by API", writeProjects, admin, Doc{Tag: tag, Summary: "Change a project's fingerprint rules",
		Text: "Sundew's own. Rules are for events to come: those that are here stay in their issues."}, a.changeGroupingRules)
	try(a, at+"try/", readProjects, both(admin, readsEvents), Doc{Tag: tag, Summary: "What fingerprint rules would make of recent issues",
		Text: "Sundew's own. They are tried on the newest event of each issue, so that a scope for events is needed, too. Nothing is saved."}, a.tryGroupingRules)
}

// GroupingRules is which events belong together.
type GroupingRules struct {
	Rules   string `json:"rules"`   // one a line: matcher … -> fingerprint …
	Count   int    `json:"count"`   // of the rules
	Version int    `json:"version"` // of the grouping
}

func rulesView(text string) GroupingRules {
	rules, _ := grouping.ParseRules(text)
	return GroupingRules{Rules: text, Count: rules.Len(), Version: grouping.Version}
}

func (a *API) groupingRules(rx *store.Rx, r *request) (GroupingRules, error) {
	rules, err := rx.ProjectRules(r.project.ID)
	return rulesView(rules.Fingerprint), err
}

// RulesChange is what the rules are to be.
type RulesChange struct {
	Rules *string `json:"rules"`
}

// errNoRules is the body of a request that lacks its only field.
func errNoRules() error { return bad("rules: This field is required.") }

func (a *API) changeGroupingRules(tx *store.Tx, r *request, in RulesChange) (GroupingRules, error) {
	if in.Rules == nil {
		return GroupingRules{}, errNoRules()
	}
	if err := deed.SetRules(tx, r.by(), r.project, *in.Rules); err != nil {
		return GroupingRules{}, err
	}
	return a.groupingRules(&tx.Rx, r)
}

// TriedRules is what rules would make of events that are there.
type TriedRules struct {
	Events  int64             `json:"events"` // looked at
	Matched List[TriedByRule] `json:"matched"`
}

// TriedByRule is an event that a rule matches.
type TriedByRule struct {
	Issue     TriedIssue `json:"issue"`
	Line      int        `json:"line"`      // of the rule
	GroupedBy string     `json:"groupedBy"` // what the event would be
	Moves     bool       `json:"moves"`     // that is not what it is grouped by now
}

// TriedIssue is an issue as a try mentions it.
type TriedIssue struct {
	ID        string `json:"id"`
	ShortID   string `json:"shortId"`
	Title     string `json:"title"`
	Permalink string `json:"permalink"`
}

func (a *API) tryGroupingRules(rx *store.Rx, r *request, in RulesChange) (TriedRules, error) {
	if in.Rules == nil {
		return TriedRules{}, errNoRules()
	}
	rules, problems := grouping.ParseRules(deed.Text(*in.Rules))
	if err := deed.CheckRules(problems); err != nil {
		return TriedRules{}, err
	}
	tried, err := deed.TryRules(rx, r.project, rules, a.cfg.Now())
	view := TriedRules{Events: tried.Events}
	for _, e := range tried.Matched {
		issue := TriedIssue{number(e.Issue.ID), e.Issue.ShortID(), e.Issue.Title, r.link("/issues/" + number(e.Issue.ID))}
		view.Matched = append(view.Matched, TriedByRule{Issue: issue, Line: e.Line, GroupedBy: e.Parts, Moves: e.Moves})
	}
	return view, err
}
