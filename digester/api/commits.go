package api

import (
	"errors"
	"time"

	"sundew/digester/store"
)

// maxCommitsListed is how many commits of a release are listed at most.
const maxCommitsListed = 500

// Commit is a change that went into a release.
type Commit struct {
	ID          string            `json:"id"`
	Message     string            `json:"message"`
	DateCreated Time              `json:"dateCreated"`
	Author      Author            `json:"author"`
	Repository  *CommitRepository `json:"repository"`
}

// Author is who wrote a commit.
type Author struct {
	Name  string `json:"name"`
	Email string `json:"email"`
}

// CommitRepository is where a commit belongs, as the tool said that sent it.
type CommitRepository struct {
	Name string `json:"name"`
}

func newCommit(c store.Commit) Commit {
	shape := Commit{ID: c.Hash, Message: c.Message, DateCreated: Time{c.At}, Author: Author{c.AuthorName, c.AuthorEmail}}
	if c.Repository != "" {
		shape.Repository = &CommitRepository{c.Repository}
	}
	return shape
}

// NewCommit is a commit that a tool sends.
type NewCommit struct {
	ID          string       `json:"id"`
	Message     *string      `json:"message"`
	AuthorName  *string      `json:"author_name"`
	AuthorEmail *string      `json:"author_email"`
	Timestamp   *string      `json:"timestamp"`
	Repository  *string      `json:"repository"`
	PatchSet    []NewPatched `json:"patch_set"`
}

// NewPatched is a file that a commit changed.
type NewPatched struct {
	Path string `json:"path"`
	Type string `json:"type"` // A: added, M: modified, D: deleted
}

func (c NewCommit) commit() (store.Commit, error) {
	if c.ID == "" {
		return store.Commit{}, bad("Every commit needs an id.")
	}
	at, err := moment("timestamp", c.Timestamp)
	if err != nil {
		return store.Commit{}, err
	}
	commit := store.Commit{Hash: c.ID, Repository: orEmpty(c.Repository), AuthorName: orEmpty(c.AuthorName), AuthorEmail: orEmpty(c.AuthorEmail), Message: orEmpty(c.Message)}
	if at != nil {
		commit.At = at.Truncate(time.Millisecond)
	}
	for _, f := range c.PatchSet {
		commit.Files = append(commit.Files, store.CommitFile{Path: f.Path, Type: f.Type})
	}
	return commit, nil
}

func orEmpty(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}

// NewRef is where a repository stands in a release.
type NewRef struct {
	Repository     string `json:"repository"`
	Commit         string `json:"commit"`
	PreviousCommit string `json:"previousCommit"`
}

func (a *API) listCommits(rx *store.Rx, r *request) (List[Commit], error) {
	_, releases, err := releasesAsked(rx, r)
	if err != nil {
		return nil, err
	}
	var most []store.Commit
	for _, one := range releases {
		commits, err := rx.Commits(one.ID, maxCommitsListed)
		if err != nil {
			return nil, err
		}
		if len(commits) > len(most) {
			most = commits
		}
	}
	var all List[Commit]
	for _, c := range most {
		all = append(all, newCommit(c))
	}
	return paged(r, all, 100, 100)
}

// PreviousRelease is a release, or {} if there is none.
type PreviousRelease struct{ *Release }

func (a *API) previousRelease(rx *store.Rx, r *request) (PreviousRelease, error) {
	projects, releases, err := releasesAsked(rx, r)
	if err != nil {
		return PreviousRelease{}, err
	}
	var newest store.Release
	for _, one := range releases {
		previous, err := rx.PreviousWithCommits(one.Project, one.ID)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return PreviousRelease{}, err
		}
		if previous.ID > newest.ID {
			newest = previous
		}
	}
	if newest.ID == 0 {
		return PreviousRelease{}, nil
	}
	shape, err := shapeRelease(rx, projects, []store.Release{newest})
	return PreviousRelease{&shape}, err
}
