package dashboard

import (
	"sundew/digester/search"
	"sundew/digester/store"
	"sundew/schema/event"
)

// unknownIn returns a sentence about the first term of a query that cannot find anything
// in some projects, as nothing there is called so; empty if there is none.
func unknownIn(rx *store.Rx, query search.Query, projects []event.ProjectID) (string, error) {
	for _, t := range query {
		if t.Not {
			continue
		}
		says, err := "", error(nil)
		switch c := t.Cond.(type) {
		case search.Tag:
			says, err = unknownTag(rx, c.Key, projects)
		case search.Has:
			says, err = unknownTag(rx, c.Key, projects)
		case search.Release:
			says, err = unknownRelease(rx, c.Any, projects)
		}
		if err != nil || says != "" {
			return says, err
		}
	}
	return "", nil
}

func unknownTag(rx *store.Rx, key string, projects []event.ProjectID) (string, error) {
	if has, err := rx.HasTag(projects, key); err != nil || has {
		return "", err
	}
	return "No issue has a tag " + key + ".", nil
}

func unknownRelease(rx *store.Rx, patterns []search.Pattern, projects []event.ProjectID) (string, error) {
	if has, err := rx.HasRelease(projects, patterns); err != nil || has {
		return "", err
	}
	for _, project := range projects {
		names, err := rx.ReleaseNames(project, 1)
		if err != nil {
			return "", err
		}
		if len(names) > 0 {
			return "Releases here are written like " + names[0] + ".", nil
		}
	}
	return unknownTag(rx, "release", projects)
}
