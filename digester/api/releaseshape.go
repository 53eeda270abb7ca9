package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"sundew/digester/store"
	"sundew/schema/event"
)

// Release is a release of some projects.
type Release struct {
	ID           int64                `json:"id"`
	Version      string               `json:"version"`
	ShortVersion string               `json:"shortVersion"`
	Status       string               `json:"status"`
	URL          *string              `json:"url"`
	Ref          *string              `json:"ref"`
	DateCreated  Time                 `json:"dateCreated"`
	DateReleased Time                 `json:"dateReleased"`
	FirstEvent   Time                 `json:"firstEvent"`
	LastEvent    Time                 `json:"lastEvent"`
	NewGroups    int64                `json:"newGroups"`
	CommitCount  int64                `json:"commitCount"`
	LastCommit   *Commit              `json:"lastCommit"`
	DeployCount  int64                `json:"deployCount"`
	LastDeploy   *Deploy              `json:"lastDeploy"`
	Authors      List[Author]         `json:"authors"`
	Projects     List[ReleaseProject] `json:"projects"`
}

// ReleaseProject is a project that has a release.
type ReleaseProject struct {
	ID        int64  `json:"id"`
	Slug      string `json:"slug"`
	Name      string `json:"name"`
	Platform  string `json:"platform"`
	NewGroups int64  `json:"newGroups"`
}

// shapeReleases makes of releases one for each name, in the order of the names.
func shapeReleases(rx *store.Rx, projects []store.Project, releases []store.Release, names []string) (List[Release], error) {
	byName := make(map[string][]store.Release)
	for _, one := range releases {
		byName[one.Version] = append(byName[one.Version], one)
	}
	var all List[Release]
	for _, name := range names {
		if len(byName[name]) == 0 {
			continue
		}
		shape, err := shapeRelease(rx, projects, byName[name])
		if err != nil {
			return nil, err
		}
		all = append(all, shape)
	}
	return all, nil
}

// shapeRelease makes one of releases with the same name, the oldest first.
func shapeRelease(rx *store.Rx, projects []store.Project, releases []store.Release) (Release, error) {
	first := releases[0]
	shape := Release{
		ID: releases[len(releases)-1].ID, Version: first.Version, ShortVersion: shortVersion(first.Version), Status: "archived",
		DateCreated: Time{first.CreatedAt},
	}
	var ids []int64
	for _, one := range releases {
		ids = append(ids, one.ID)
		shape.NewGroups += one.NewIssues
		shape.URL, shape.Ref = firstText(shape.URL, one.URL), firstText(shape.Ref, one.Ref)
		if shape.DateReleased.IsZero() {
			shape.DateReleased.Time = one.ReleasedAt
		}
		if !one.First.IsZero() && (shape.FirstEvent.IsZero() || one.First.Before(shape.FirstEvent.Time)) {
			shape.FirstEvent.Time = one.First
		}
		if one.Last.After(shape.LastEvent.Time) {
			shape.LastEvent.Time = one.Last
		}
		if !one.Archived {
			shape.Status = "open"
		}
		if i := slices.IndexFunc(projects, func(p store.Project) bool { return p.ID == one.Project }); i >= 0 {
			p := projects[i]
			shape.Projects = append(shape.Projects, ReleaseProject{int64(p.ID), p.Slug, p.Name, p.Platform, one.NewIssues})
		}
	}
	return shape, shape.extend(rx, releases, ids)
}

// extend adds what was said of releases: commits of the one that has the most, since
// they are usually the same, and deploys of all.
func (s *Release) extend(rx *store.Rx, releases []store.Release, ids []int64) error {
	extents, err := rx.ReleaseExtents(ids)
	if err != nil {
		return err
	}
	var commits []store.Commit
	for _, one := range releases {
		e := extents[one.ID]
		if e.Commits > s.CommitCount {
			s.CommitCount = e.Commits
			if commits, err = rx.Commits(one.ID, 1); err != nil {
				return err
			}
		}
		if e.Deploys > 0 {
			newest, err := rx.Deploys(one.Project, one.Version, 1)
			if err != nil {
				return err
			}
			if len(newest) > 0 && (s.LastDeploy == nil || newest[0].FinishedAt.After(s.LastDeploy.DateFinished.Time)) {
				s.LastDeploy = new(newDeploy(newest[0]))
			}
		}
		s.DeployCount = max(s.DeployCount, e.Deploys)
	}
	for _, c := range commits {
		s.LastCommit = new(newCommit(c))
		s.Authors = append(s.Authors, s.LastCommit.Author)
	}
	return nil
}

// shortVersion is a version without the package in front of it, and the beginning of
// one that is a commit.
func shortVersion(version string) string {
	if i := strings.LastIndexByte(version, '@'); i > 0 && i < len(version)-1 {
		version = version[i+1:]
	}
	if len(version) == 40 && strings.Trim(version, "0123456789abcdef") == "" {
		return version[:12]
	}
	return version
}

// firstText is what was found before, or a text that is not empty.
func firstText(found *string, text string) *string {
	if found == nil && text != "" {
		return &text
	}
	return found
}

// Name names a project: its slug or its id, as text or as a number.
type Name string

// UnmarshalJSON implements json.Unmarshaler.
func (n *Name) UnmarshalJSON(text []byte) error {
	if len(text) > 0 && text[0] == '"' {
		return json.Unmarshal(text, (*string)(n))
	}
	if id, err := strconv.ParseInt(string(bytes.TrimSpace(text)), 10, 64); err == nil {
		*n = Name(strconv.FormatInt(id, 10))
		return nil
	}
	return errors.New("a project is named by its slug or its id")
}

// NewRelease is what a release is made of, or changed to. What is missing or null stays
// as it is.
type NewRelease struct {
	Version      string      `json:"version"`  // only to make one
	Projects     []Name      `json:"projects"` // likewise
	URL          *string     `json:"url"`
	Ref          *string     `json:"ref"`
	DateStarted  *string     `json:"dateStarted"`
	DateReleased *string     `json:"dateReleased"`
	Status       *string     `json:"status"` // open or archived
	Commits      []NewCommit `json:"commits"`
	Refs         []NewRef    `json:"refs"`
}

func (in NewRelease) change() (c store.ReleaseChange, err error) {
	c.URL, c.Ref = in.URL, in.Ref
	if c.StartedAt, err = moment("dateStarted", in.DateStarted); err != nil {
		return c, err
	}
	if c.ReleasedAt, err = moment("dateReleased", in.DateReleased); err != nil {
		return c, err
	}
	if in.Status != nil {
		if *in.Status != "open" && *in.Status != "archived" {
			return c, bad("status has to be open or archived.")
		}
		c.Archived = new(*in.Status == "archived")
	}
	return c, nil
}

// setCommits sets what changed in a release, if the request says so.
func (in NewRelease) setCommits(tx *store.Tx, project event.ProjectID, version string) error {
	if in.Commits != nil {
		commits := make([]store.Commit, len(in.Commits))
		for i, c := range in.Commits {
			var err error
			if commits[i], err = c.commit(); err != nil {
				return err
			}
		}
		if err := tx.SetCommits(project, version, commits); err != nil {
			return err
		}
	}
	if in.Refs == nil {
		return nil
	}
	refs := make([]store.Ref, len(in.Refs))
	for i, f := range in.Refs {
		refs[i] = store.Ref{Repository: f.Repository, Hash: f.Commit, Previous: f.PreviousCommit}
	}
	return tx.SetRefs(project, version, refs)
}

// moment reads a time as tools write it; nil: it is not said.
func moment(field string, text *string) (*time.Time, error) {
	if text == nil {
		return nil, nil
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05 -0700", time.DateOnly} {
		if at, err := time.Parse(layout, *text); err == nil && at.Year() >= 1970 {
			return &at, nil
		}
	}
	return nil, bad(fmt.Sprintf("%s has to be a time as 2026-01-02T15:04:05Z.", field))
}
