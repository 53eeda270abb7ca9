package api

import (
	"slices"

	"sundew/digester/access"
	"sundew/digester/search"
	"sundew/digester/store"
	"sundew/schema/event"
)

// tagRoutes are about tags and their values.
func (a *API) tagRoutes() {
	const tag = "Tags"
	for _, issue := range []string{"/issues/{issue}/tags/", "/organizations/{org}/issues/{issue}/tags/"} {
		read(a, issue, readEvents, ofIssue(access.Viewer), Doc{Tag: tag, Summary: "The tags of an issue, each with its most frequent values"}, a.issueTags)
		read(a, issue+"{key}/", readEvents, ofIssue(access.Viewer), Doc{Tag: tag, Summary: "A tag of an issue"}, a.issueTag)
		read(a, issue+"{key}/values/", readEvents, ofIssue(access.Viewer), Doc{Tag: tag, Summary: "The values of a tag of an issue, the most frequent first", Paged: true}, a.issueTagValues)
	}
	const lately = "Of the 100 issues that were seen last."
	read(a, "/organizations/{org}/tags/", readEvents, anyone, Doc{Tag: tag, Summary: "The tags of several projects", Text: lately, Query: []Param{{Name: "project", Text: "number or slug of a project", Many: true}}}, a.tagsOfAll)
	read(a, "/projects/{org}/{project}/tags/", readEvents, ofProject(access.Viewer), Doc{Tag: tag, Summary: "The tags of a project", Text: lately}, a.tagsOfProject)
	read(a, "/projects/{org}/{project}/tags/{key}/values/", readEvents, ofProject(access.Viewer), Doc{Tag: tag, Summary: "The values of a tag of a project", Text: lately, Paged: true}, a.tagValuesOfProject)
}

// topValues is how many values a tag is shown with.
const topValues = 10

// TagSummary is a tag with how many values it has.
type TagSummary struct {
	Key          string         `json:"key"`
	Name         string         `json:"name"`
	UniqueValues int64          `json:"uniqueValues"`
	TotalValues  int64          `json:"totalValues"` // events that have it
	TopValues    List[TagValue] `json:"topValues,omitempty"`
}

// TagValue is a value of a tag.
type TagValue struct {
	Key       string `json:"key"`
	Name      string `json:"name"`
	Value     string `json:"value"`
	Count     int64  `json:"count"`
	LastSeen  Time   `json:"lastSeen"`
	FirstSeen Time   `json:"firstSeen"` // null: it is not kept
	Query     string `json:"query"`     // finds issues that have it
}

// nameOf is what a tag is called for people.
func nameOf(key string) string {
	switch key {
	case "os", "url":
		return map[string]string{"os": "OS", "url": "URL"}[key]
	}
	if key == "" {
		return key
	}
	if c := key[0]; 'a' <= c && c <= 'z' {
		return string(c-'a'+'A') + key[1:]
	}
	return key
}

func tagValue(key string, v store.TagValue) TagValue {
	query := search.Query{{Cond: search.Tag{Key: key, Any: []search.Pattern{{v.Value}}}}}
	return TagValue{Key: key, Name: v.Value, Value: v.Value, Count: v.Count, LastSeen: Time{v.LastSeen}, Query: query.String()}
}

// tagSummaries are the tags of an issue without values.
func tagSummaries(rx *store.Rx, issues ...int64) (List[TagSummary], error) {
	keys, err := rx.TagKeys(issues)
	views := make(List[TagSummary], len(keys))
	for i, k := range keys {
		views[i] = TagSummary{Key: k.Key, Name: nameOf(k.Key), UniqueValues: k.Values, TotalValues: k.Events}
	}
	return views, err
}

func (a *API) issueTags(rx *store.Rx, r *request) (List[TagSummary], error) {
	views, err := tagSummaries(rx, r.issue.ID)
	if err != nil {
		return nil, err
	}
	top, err := rx.IssueTags(r.issue.ID, topValues)
	for i := range views {
		for _, t := range top {
			if t.Key == views[i].Key {
				views[i].TopValues = append(views[i].TopValues, tagValue(t.Key, store.TagValue{Value: t.Value, Count: t.Count, LastSeen: t.LastSeen}))
			}
		}
	}
	return views, err
}

func (a *API) issueTag(rx *store.Rx, r *request) (TagSummary, error) {
	views, err := a.issueTags(rx, r)
	at := slices.IndexFunc(views, func(t TagSummary) bool { return t.Key == r.PathValue("key") })
	if err == nil && at < 0 {
		err = store.ErrNotFound
	}
	if err != nil {
		return TagSummary{}, err
	}
	return views[at], nil
}

func (a *API) issueTagValues(rx *store.Rx, r *request) (List[TagValue], error) {
	return tagValues(rx, r, []int64{r.issue.ID})
}

// tagValues is a page of the values of a tag of some issues.
func tagValues(rx *store.Rx, r *request, issues []int64) (List[TagValue], error) {
	at, err := parseCursor(r.query("cursor"))
	if err != nil {
		return nil, err
	}
	limit, err := r.perPage(100, 100)
	if err != nil {
		return nil, err
	}
	key := r.PathValue("key")
	values, more, err := rx.TagValues(issues, key, at.Offset, limit)
	r.page(cursor{Offset: max(0, at.Offset-limit)}, cursor{Offset: at.Offset + len(values)}, at.Offset > 0, more)
	views := make(List[TagValue], len(values))
	for i, v := range values {
		views[i] = tagValue(key, v)
	}
	return views, err
}

// lately are the issues of some projects that were seen last.
func (a *API) lately(rx *store.Rx, projects []event.ProjectID) ([]int64, error) {
	found, err := rx.Find(store.Search{Projects: projects, Limit: maxList, Now: a.cfg.Now()})
	ids := make([]int64, len(found.Issues))
	for i, issue := range found.Issues {
		ids[i] = issue.ID
	}
	return ids, err
}

func (a *API) tagsOfAll(rx *store.Rx, r *request) (List[TagSummary], error) {
	projects, err := chosenProjects(rx, r)
	if err != nil {
		return nil, err
	}
	return a.tagsOf(rx, projects)
}

func (a *API) tagsOfProject(rx *store.Rx, r *request) (List[TagSummary], error) {
	return a.tagsOf(rx, []event.ProjectID{r.project.ID})
}

func (a *API) tagsOf(rx *store.Rx, projects []event.ProjectID) (List[TagSummary], error) {
	issues, err := a.lately(rx, projects)
	if err != nil {
		return nil, err
	}
	return tagSummaries(rx, issues...)
}

func (a *API) tagValuesOfProject(rx *store.Rx, r *request) (List[TagValue], error) {
	issues, err := a.lately(rx, []event.ProjectID{r.project.ID})
	if err != nil {
		return nil, err
	}
	return tagValues(rx, r, issues)
}
