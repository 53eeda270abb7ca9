package dashboard

import (
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"sundew/digester/access"
	"sundew/digester/artifact"
	"sundew/digester/store"
)

// upload stores an upload of the project with one file, all of whose texts are text.
func (s *site) upload(kind store.BundleKind, text string) store.Bundle {
	s.t.Helper()
	s.counts++
	content := fmt.Appendf(nil, "%s %d", text, s.counts)
	sum := sha1.Sum(content)
	chunk := hex.EncodeToString(sum[:])
	if err := s.db.StoreChunk(s.t.Context(), chunk, content); err != nil {
		s.t.Fatal(err)
	}
	up := store.Upload{Project: s.project.ID, Kind: kind, Checksum: chunk, Release: text, Dist: text, Chunks: []string{chunk}}
	if kind == store.BundleDebugFile {
		up.Release, up.Dist, up.Name = "", "", text
	}
	var b store.Bundle
	s.mustWrite(func(tx *store.Tx) (err error) {
		b, _, err = tx.BeginUpload(up)
		return err
	})
	if err := s.db.AddBundleFiles(s.t.Context(), b.ID, 0, []store.NewFile{{
		ArtifactFile: store.ArtifactFile{Path: text, URL: text, Type: artifact.Type(text), DebugID: strings.Repeat("a", 32), SourceMap: text, Size: int64(len(content))},
		Sum:          sha256.Sum256(content), Part: s.db.NewPart(content),
	}}); err != nil {
		s.t.Fatal(err)
	}
	s.mustWrite(func(tx *store.Tx) error {
		return tx.PublishBundle(b.ID, store.Assembled{Detail: text, Symbols: text, CPU: text})
	})
	return b
}

func TestSourceMapPages(t *testing.T) {
	s := newSite(t, nil)
	const list = "/projects/1/settings/sourcemaps"
	page := s.mustGet(list)
	mustContain(t, page, "Nothing was uploaded yet", "export SENTRY_PROJECT=web-shop", "export SENTRY_AUTH_TOKEN=…", "/projects/1/tokens?for=tools#new")
	bundle, debugFile := s.upload(store.BundleArtifacts, "shop@1.0"), s.upload(store.BundleDebugFile, "libshop")
	broken := store.Upload{Project: s.project.ID, Checksum: strings.Repeat("0", 40), Release: "shop@1.1"}
	s.mustWrite(func(tx *store.Tx) error {
		b, _, err := tx.BeginUpload(broken)
		if err != nil {
			return err
		}
		return tx.FailBundle(b.ID, "it is no zip archive")
	})
	page = s.mustGet(list)
	mustContain(t, page, "shop@1.0", "ready", "today", "libshop", "shop@1.1", "failed", "it is no zip archive", "Delete")
	one := fmt.Sprintf("%s/%d", list, bundle.ID)
	mustContain(t, s.mustGet(one), "shop@1.0", "aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa", "1 file")
	if resp := s.post(one+"/delete", ""); resp.StatusCode != http.StatusSeeOther {
		t.Fatalf("deleting: status %d", resp.StatusCode)
	}
	if last := s.lastAudit(); last.Action != "artifact.delete" {
		t.Errorf("audit: %+v", last)
	}
	mustLack(t, s.mustGet(list), "shop@1.0")
	if resp := s.get(one); resp.StatusCode != http.StatusNotFound {
		t.Errorf("a deleted one: status %d", resp.StatusCode)
	}
	mustContain(t, s.mustGet(fmt.Sprintf("%s/%d", list, debugFile.ID)), "libshop")
}

// Who may only look sees what is there, and nothing to change it with.
func TestSourceMapsForViewers(t *testing.T) {
	s := newSite(t, nil)
	bundle := s.upload(store.BundleArtifacts, "shop@1.0")
	viewer := s.signInAs("viewer@example.com", access.None)
	s.mustWrite(func(tx *store.Tx) error { return tx.SetProjectMember(s.project.ID, viewer.ID, access.Viewer) })
	for _, path := range []string{"/projects/1/settings/sourcemaps", fmt.Sprintf("/projects/1/settings/sourcemaps/%d", bundle.ID)} {
		page := s.mustGet(path)
		mustContain(t, page, "shop@1.0")
		mustLack(t, page, "Delete", "settings/keys", "/projects/1/tokens")
	}
}

// Long lists come in pages.
func TestSourceMapPager(t *testing.T) {
	s := newSite(t, nil)
	for i := range bundlesPerPage + 1 {
		s.upload(store.BundleArtifacts, fmt.Sprintf("release-%d-", i))
	}
	page := s.mustGet("/projects/1/settings/sourcemaps")
	mustContain(t, page, "release-50-", "?before=2")
	mustLack(t, page, "release-0-")
	mustContain(t, s.mustGet("/projects/1/settings/sourcemaps?before=2"), "release-0-")
}
