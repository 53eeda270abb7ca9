package dashboard

import (
	"net/url"
	"strings"

	"sundew/digester/store"
)

// commitsOfRelease is how many commits a release's page shows.
const commitsOfRelease = 50

// releaseCommit is a commit on a release's page.
type releaseCommit struct {
	store.Commit
	Subject string // the first line of its message
	Short   string // the beginning of its hash
	URL     string // where it can be read; empty: that is not known
}

// addCommits reads what changed in a page's release.
func (p *releasePage) addCommits(rx *store.Rx) error {
	commits, err := rx.Commits(p.Release.ID, commitsOfRelease+1)
	for i, c := range commits {
		if i == commitsOfRelease {
			p.MoreCommits = true
			break
		}
		row := releaseCommit{Commit: c, Short: c.Hash[:min(len(c.Hash), 10)], URL: commitURL(c.Repository, c.Hash)}
		row.Subject, _, _ = strings.Cut(c.Message, "\n")
		p.Commits = append(p.Commits, row)
	}
	return err
}

// commitURL is where a commit can be read, if its repository is named by an address or
// with its host; a name such as shop/web says not where it is.
func commitURL(repository, hash string) string {
	for _, host := range []string{"github.com", "gitlab.com", "bitbucket.org", "codeberg.org"} {
		if strings.HasPrefix(repository, host+"/") {
			repository = "https://" + repository
		}
	}
	u, err := url.Parse(repository)
	if err != nil || u.Host == "" || u.User != nil || u.Scheme != "https" && u.Scheme != "http" {
		return ""
	}
	commits := "commit"
	if u.Host == "bitbucket.org" {
		commits = "commits"
	}
	path := strings.TrimSuffix(strings.TrimRight(u.Path, "/"), ".git")
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: path}).JoinPath(commits, hash).String()
}
