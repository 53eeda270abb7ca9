package store_test

import (
	"bytes"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"sundew/digester/artifact"
	"sundew/digester/store"
	"sundew/digester/store/storetest"
	"sundew/schema/event"
)

const (
	debugA = "a9aac7b1ba305e9880c24bac1f9bc5ae"
	debugB = "b9aac7b1ba305e9880c24bac1f9bc5ae"
)

func sumOf(content string) string {
	sum := sha1.Sum([]byte(content))
	return hex.EncodeToString(sum[:])
}

// uploads is a database that build tools upload to.
type uploads struct {
	t       *testing.T
	db      *store.DB
	replica *store.Replica
	now     time.Time
	project event.ProjectID
	n       int
}

func newUploads(t *testing.T, cfg store.Config) *uploads {
	t.Helper()
	u := &uploads{t: t, now: start}
	cfg.Now = func() time.Time { return u.now }
	u.db, u.replica = storetest.OpenWith(t, cfg)
	u.project = storetest.MustCreateProject(t, u.db, "Shop", "").ID
	return u
}

func (u *uploads) read(fn func(rx *store.Rx) error) {
	u.t.Helper()
	storetest.MustRead(u.t, u.replica, fn)
}

func (u *uploads) write(fn func(tx *store.Tx) error) {
	u.t.Helper()
	mustWrite(u.t, u.db, fn)
}

// asked is an upload of one chunk, the text.
func (u *uploads) asked(text, release, dist string) store.Upload {
	return store.Upload{Project: u.project, Checksum: sumOf(text), Release: release, Dist: dist, Chunks: []string{sumOf(text)}}
}

// begin asks for an upload whose only chunk is there.
func (u *uploads) begin(up store.Upload, text string) store.Bundle {
	u.t.Helper()
	if err := u.db.StoreChunk(u.t.Context(), sumOf(text), []byte(text)); err != nil {
		u.t.Fatal(err)
	}
	var b store.Bundle
	u.write(func(tx *store.Tx) (err error) {
		var missing []string
		b, missing, err = tx.BeginUpload(up)
		if len(missing) > 0 {
			u.t.Errorf("missing chunks: %v", missing)
		}
		return err
	})
	return b
}

// file is a file of a bundle with its content.
func (u *uploads) file(url string, of artifact.Type, debugID, sourceMap, content string) store.NewFile {
	return store.NewFile{
		ArtifactFile: store.ArtifactFile{Path: "files/_/" + url, URL: url, Type: of, DebugID: debugID, SourceMap: sourceMap, Size: int64(len(content))},
		Sum:          sha256.Sum256([]byte(content)), Part: u.db.NewPart([]byte(content)),
	}
}

// publish uploads and assembles a bundle.
func (u *uploads) publish(release, dist string, files ...store.NewFile) store.Bundle {
	u.t.Helper()
	u.n++
	text := fmt.Sprint("upload ", u.n)
	b := u.begin(u.asked(text, release, dist), text)
	if err := u.db.AddBundleFiles(u.t.Context(), b.ID, 0, files); err != nil {
		u.t.Fatal(err)
	}
	u.write(func(tx *store.Tx) error { return tx.PublishBundle(b.ID, store.Assembled{}) })
	return u.bundle(b.ID)
}

func (u *uploads) bundle(id int64) (b store.Bundle) {
	u.t.Helper()
	u.read(func(rx *store.Rx) (err error) {
		b, err = rx.Bundle(u.project, id)
		return err
	})
	return b
}

// tidy removes what is due, looking after each step, and returns how many steps it took.
func (u *uploads) tidy(p store.ArtifactPolicy) (steps int) {
	u.t.Helper()
	for more := true; more && steps < 500; steps++ {
		var due bool
		u.read(func(rx *store.Rx) (err error) {
			due, err = rx.ArtifactsDue(p, u.now)
			return err
		})
		u.write(func(tx *store.Tx) (err error) {
			more, err = tx.TidyArtifacts(p)
			return err
		})
		if due != more {
			u.t.Fatalf("said to be due: %v, done: %v", due, more)
		}
		storetest.MustCheck(u.t, u.replica)
	}
	return steps - 1
}

func (u *uploads) totals() (totals store.ArtifactTotals) {
	u.t.Helper()
	u.read(func(rx *store.Rx) (err error) {
		totals, err = rx.ArtifactTotals()
		return err
	})
	return totals
}

var forever = store.ArtifactPolicy{Bytes: 1 << 40}

func TestArtifactUpload(t *testing.T) {
	u := newUploads(t, store.Config{})
	up := u.asked("one", "1.0", "")
	u.write(func(tx *store.Tx) error {
		b, missing, err := tx.BeginUpload(up)
		if diff := cmp.Diff([]string{sumOf("one")}, missing); diff != "" || b.ID != 0 {
			t.Errorf("before its chunk is there: bundle %d, missing: %s", b.ID, diff)
		}
		return err
	})
	b := u.begin(up, "one")
	if b.State != store.BundleAssembling || b.Release != "1.0" || !b.CreatedAt.Equal(start) {
		t.Errorf("begun: %+v", b)
	}
	if again := u.begin(up, "one"); again.ID != b.ID {
		t.Errorf("asked again: %+v", again)
	}
	other := u.begin(u.asked("one", "1.1", ""), "one") // of another release it is another
	if other.ID == b.ID {
		t.Error("two releases have one bundle")
	}
	u.read(func(rx *store.Rx) error {
		next, chunks, err := rx.NextAssembly()
		if next.ID != b.ID || len(chunks) != 1 || chunks[0] != sumOf("one") {
			t.Errorf("to assemble: %+v of %v", next, chunks)
		}
		if new, err := rx.NewBundles(0); len(new) != 0 || err != nil {
			t.Errorf("ready: %v, %v", new, err)
		}
		return err
	})
	files := []store.NewFile{u.file("~/a.js", artifact.TypeMinified, debugA, "~/a.js.map", "a()"), u.file("~/b.js", artifact.TypeMinified, "", "", "a()")}
	for _, id := range []int64{other.ID, b.ID} {
		if err := u.db.AddBundleFiles(t.Context(), id, 0, files); err != nil {
			t.Fatal(err)
		}
	}
	u.write(func(tx *store.Tx) error { return tx.FailBundle(other.ID, "it is broken") })
	u.write(func(tx *store.Tx) error {
		return tx.PublishBundle(b.ID, store.Assembled{DebugID: debugB, Detail: "left out"})
	})
	if err := u.db.AddBundleFiles(t.Context(), b.ID, 2, files); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("adding to a bundle that is ready: %v", err)
	}
	want := store.Bundle{ID: b.ID, Project: u.project, Checksum: sumOf("one"), Release: "1.0", DebugID: debugB, State: store.BundleReady, Detail: "left out",
		Size: 6, Bytes: 6, Files: 2, CreatedAt: start, SettledAt: start, UsedAt: start.Truncate(24 * time.Hour), Published: 1}
	if diff := cmp.Diff(want, u.begin(up, "one")); diff != "" {
		t.Errorf("uploaded twice: %s", diff)
	}
	if got := u.totals().FileBytes; got != 3 {
		t.Errorf("the same content twice takes %d bytes", got)
	}
	if failed := u.begin(u.asked("one", "1.1", ""), "one"); failed.State != store.BundleFailed || failed.Detail != "it is broken" {
		t.Errorf("a failure that is new: %+v", failed)
	}
	u.now = u.now.Add(2 * time.Minute)
	if retried := u.begin(u.asked("one", "1.1", ""), "one"); retried.State != store.BundleAssembling || retried.ID != other.ID {
		t.Errorf("a failure that is old: %+v", retried)
	}
}

func TestArtifactContents(t *testing.T) {
	u := newUploads(t, store.Config{})
	large := strings.Repeat("a large file ", 500_000) // several parts, and rounds of them
	sum := sha256.Sum256([]byte(large))
	if _, err := u.db.StoreArtifact(t.Context(), sum, int64(len(large)), strings.NewReader(large[:5<<20])); err == nil {
		t.Error("a content that breaks off is stored")
	}
	u.read(func(rx *store.Rx) error {
		if _, err := rx.ArtifactFile(1); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("half a content: %v", err)
		}
		return nil
	})
	id, err := u.db.StoreArtifact(t.Context(), sum, int64(len(large)), strings.NewReader(large))
	if err != nil {
		t.Fatal(err)
	}
	if again, err := u.db.StoreArtifact(t.Context(), sum, int64(len(large)), strings.NewReader("not read")); again != id || err != nil {
		t.Errorf("stored twice: %d, %v", again, err)
	}
	file := u.file("~/a.js", artifact.TypeMinified, "", "", "")
	file.ID, file.Size = id, int64(len(large))
	u.publish("1.0", "", file, u.file("~/empty.js", artifact.TypeMinified, "", "", ""))
	u.read(func(rx *store.Rx) error {
		files, more, err := rx.BundleFiles(1, 0, 1)
		if err != nil || len(files) != 1 || !more {
			t.Errorf("the first file: %v, %v, %v", files, more, err)
		}
		content, err := rx.ArtifactFile(files[0].ID)
		if err != nil || !bytes.Equal(content, []byte(large)) {
			t.Errorf("read back: %d bytes, %v", len(content), err)
		}
		files, _, err2 := rx.BundleFiles(1, 1, 10)
		content, err = rx.ArtifactFile(files[0].ID)
		if len(content) != 0 {
			t.Errorf("the empty file has %d bytes", len(content))
		}
		return errors.Join(err, err2)
	})
	u.now = u.now.Add(2 * time.Hour) // what was left of the first attempt goes
	u.tidy(forever)
	if got, want := u.totals().FileBytes, u.bundle(1).Bytes; got != want || want == 0 {
		t.Errorf("%d bytes are stored, the bundle has %d", got, want)
	}
}

func TestArtifactChunks(t *testing.T) {
	u := newUploads(t, store.Config{ArtifactBytes: 1000})
	for _, text := range []string{"one", "two", "one"} {
		if err := u.db.StoreChunk(t.Context(), sumOf(text), []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := u.db.StoreChunk(t.Context(), sumOf("x"), make([]byte, store.MaxChunk+1)); !errors.Is(err, store.ErrInvalid) {
		t.Errorf("a chunk that is too large: %v", err)
	}
	var noise []byte
	for i := range 100 {
		sum := sha256.Sum256([]byte{byte(i)})
		noise = append(noise, sum[:]...)
	}
	if err := u.db.StoreChunk(t.Context(), sumOf("x"), noise); !errors.Is(err, store.ErrNoRoom) {
		t.Errorf("a chunk too many: %v", err)
	}
	u.read(func(rx *store.Rx) error {
		missing, err := rx.MissingChunks([]string{sumOf("two"), sumOf("four"), sumOf("three"), sumOf("four")})
		if diff := cmp.Diff([]string{sumOf("four"), sumOf("three")}, missing); diff != "" {
			t.Errorf("missing: %s", diff)
		}
		if content, err := rx.Chunk(sumOf("two")); string(content) != "two" || err != nil {
			t.Errorf("read back: %q, %v", content, err)
		}
		return err
	})
	b := u.begin(u.asked("one", "1.0", ""), "one")
	u.now = u.now.Add(25 * time.Hour)
	if steps := u.tidy(forever); steps != 1 || u.totals().ChunkBytes != 3 {
		t.Errorf("a day later: %d steps, %+v", steps, u.totals())
	}
	u.write(func(tx *store.Tx) error { return tx.FailBundle(b.ID, "") })
	if steps := u.tidy(forever); steps != 0 {
		t.Errorf("at once: %d steps", steps)
	}
	u.now = u.now.Add(11 * time.Minute)
	if u.tidy(forever); u.totals().ChunkBytes != 0 {
		t.Errorf("soon after: %+v", u.totals())
	}
}

func TestArtifactRetention(t *testing.T) {
	u := newUploads(t, store.Config{ArtifactBytes: 100})
	old := u.publish("1", "", u.file("~/a.js", artifact.TypeMinified, debugA, "", "content a"), u.file("~/s.js", artifact.TypeMinified, "", "", "shared"))
	u.now = u.now.Add(24 * time.Hour)
	second := u.publish("2", "", u.file("~/b.js", artifact.TypeMinified, "", "", "content b"), u.file("~/s.js", artifact.TypeMinified, "", "", "shared"))
	u.now = u.now.Add(24 * time.Hour)
	third := u.publish("3", "", u.file("~/c.js", artifact.TypeMinified, "", "", "content c"))
	u.write(func(tx *store.Tx) error { return tx.NoteBundleUses([]int64{old.ID, 99}) })
	if got := u.totals().FileBytes; got != 33 {
		t.Fatalf("%d bytes are stored", got)
	}
	left := func() (ids []int64) {
		u.read(func(rx *store.Rx) error {
			all, _, err := rx.Bundles(u.project, false, 0, 10)
			for _, b := range all {
				ids = append(ids, b.ID)
			}
			return err
		})
		return ids
	}
	u.now = u.now.Add(2 * time.Hour)
	u.tidy(store.ArtifactPolicy{Bytes: 24})
	if diff := cmp.Diff([]int64{third.ID, old.ID}, left()); diff != "" {
		t.Errorf("the least used of %d should be gone: %s", second.ID, diff)
	}
	if got := u.totals().FileBytes; got != 24 {
		t.Errorf("%d bytes are left", got)
	}
	u.now = u.now.Add(91 * 24 * time.Hour)
	u.tidy(store.ArtifactPolicy{Bytes: 24, Unused: 90 * 24 * time.Hour})
	if ids := left(); len(ids) != 0 || u.totals() != (store.ArtifactTotals{}) {
		t.Errorf("unused for long: %v, %+v", ids, u.totals())
	}
}

// Who uploads much makes room by what is their own, though others' was used less.
func TestArtifactRoomIsShared(t *testing.T) {
	u := newUploads(t, store.Config{ArtifactBytes: 100})
	modest, greedy := u.project, storetest.MustCreateProject(t, u.db, "Big", "").ID
	kept := u.publish("1", "", u.file("~/a.js", artifact.TypeMinified, "", "", "content a"))
	u.project = greedy
	var newest store.Bundle
	for i := range 4 {
		u.now = u.now.Add(24 * time.Hour)
		newest = u.publish("1", "", u.file("~/b.js", artifact.TypeMinified, "", "", fmt.Sprint("content ", i)))
	}
	u.now = u.now.Add(2 * time.Hour)
	u.tidy(store.ArtifactPolicy{Bytes: 18})
	u.read(func(rx *store.Rx) error {
		if _, err := rx.Bundle(modest, kept.ID); err != nil {
			t.Errorf("what the smaller project has: %v", err)
		}
		all, _, err := rx.Bundles(greedy, false, 0, 10)
		if len(all) != 1 || all[0].ID != newest.ID {
			t.Errorf("the larger has %+v", all)
		}
		return err
	})
}

func TestArtifactRemoval(t *testing.T) {
	u := newUploads(t, store.Config{})
	var files []store.NewFile
	for i := range 1200 {
		files = append(files, u.file(fmt.Sprintf("~/%d.js", i), artifact.TypeMinified, "", "", fmt.Sprint("content ", i%7)))
	}
	b := u.publish("1", "", files...)
	u.write(func(tx *store.Tx) error {
		if err := tx.RemoveBundle(u.project+1, b.ID); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("of another project: %v", err)
		}
		return tx.RemoveBundle(u.project, b.ID)
	})
	u.read(func(rx *store.Rx) error {
		if _, err := rx.Bundle(u.project, b.ID); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("a bundle that was removed: %v", err)
		}
		s, err := rx.FindScript(u.project, "", "1", "", "https://example.com/1.js")
		if s.Trouble != store.ScriptNoBundles {
			t.Errorf("its script: %+v", s)
		}
		return err
	})
	again := u.publish("1", "", files[0]) // while it goes
	u.now = u.now.Add(2 * time.Hour)
	if steps := u.tidy(forever); steps < 6 {
		t.Errorf("all in %d steps", steps)
	}
	if got := u.totals().FileBytes; got != again.Bytes {
		t.Errorf("%d bytes are left, want %d", got, again.Bytes)
	}
}

func TestFindScript(t *testing.T) {
	u := newUploads(t, store.Config{})
	type asked struct{ debugID, release, dist, url string }
	type answer struct {
		Trouble       store.ScriptTrouble
		Bundle        int64
		Minified, Map string
		ByDebugID     bool
		DebugIDMissed bool
		MapURL        string
		Dists, Near   []string
		Elsewhere     store.Elsewhere
	}
	check := func(name string, a asked, want answer) {
		t.Helper()
		u.read(func(rx *store.Rx) error {
			s, err := rx.FindScript(u.project, a.debugID, a.release, a.dist, a.url)
			got := answer{Trouble: s.Trouble, Bundle: s.Bundle.ID, ByDebugID: s.ByDebugID, DebugIDMissed: s.DebugIDMissed, MapURL: s.MapURL, Dists: s.Dists, Near: s.Near, Elsewhere: s.Elsewhere}
			if s.Minified != nil {
				got.Minified = s.Minified.URL
			}
			if s.Map != nil {
				got.Map = s.Map.URL
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s: %s", name, diff)
			}
			return err
		})
	}
	check("nothing there", asked{debugID: debugA}, answer{Trouble: store.ScriptNoBundles, DebugIDMissed: true})
	coming := u.begin(u.asked("text", "1", ""), "text")
	check("still coming", asked{debugID: debugA}, answer{Trouble: store.ScriptStillComing, Bundle: coming.ID, DebugIDMissed: true})
	u.write(func(tx *store.Tx) error { return tx.FailBundle(coming.ID, "broken") })
	check("broken", asked{release: "1"}, answer{Trouble: store.ScriptUploadBroken, Bundle: coming.ID})

	minified, sourceMap := artifact.TypeMinified, artifact.TypeSourceMap
	first := u.publish("1", "", u.file("~/app.js", minified, debugA, "~/app.js.map", "1"), u.file("~/app.js.map", sourceMap, debugA, "", "2"))
	second := u.publish("1", "", u.file("~/app.js", minified, debugA, "~/app.js.map", "3"), u.file("~/app.js.map", sourceMap, debugA, "", "4"),
		u.file("~/old.js", minified, "", "~/maps/old.js.map", "5"), u.file("~/none.js", minified, "", "", "6"), u.file("~/lost.js", minified, debugB, "~/lost.js.map", "7"),
		u.file("https://cdn.example.com/x.js", minified, "", "~/app.js.map", "8"))
	third := u.publish("1", "", u.file("~/maps/old.js.map", sourceMap, "", "", "9"))
	distA := u.publish("2", "a", u.file("~/app.js", minified, "", "~/app.js.map", "10"), u.file("~/app.js.map", sourceMap, "", "", "11"))

	appMap := "~/app.js.map"
	check("debug id, the newest", asked{debugID: "A9AAC7B1-ba30-5e98-80c2-4bac1f9bc5ae"}, answer{Bundle: second.ID, Minified: "~/app.js", Map: appMap, ByDebugID: true, MapURL: appMap})
	check("URL on any host", asked{release: "1", url: "https://example.com/app.js?v=1#x"}, answer{Bundle: second.ID, Minified: "~/app.js", Map: appMap, MapURL: appMap})
	check("URL on one host", asked{release: "1", url: "https://cdn.example.com/x.js"}, answer{Bundle: second.ID, Minified: "https://cdn.example.com/x.js", Map: appMap, MapURL: appMap})
	check("URL on another host", asked{release: "1", url: "https://example.com/x.js"}, answer{Trouble: store.ScriptNoURL, Near: []string{"https://cdn.example.com/x.js"}})
	check("map in another bundle", asked{release: "1", url: "/old.js"}, answer{Bundle: third.ID, Minified: "~/old.js", Map: "~/maps/old.js.map", MapURL: "~/maps/old.js.map"})
	check("no map named", asked{release: "1", url: "app:///none.js"}, answer{Trouble: store.ScriptNoMapNamed, Bundle: second.ID, Minified: "~/none.js"})
	check("map not uploaded", asked{debugID: debugB}, answer{Trouble: store.ScriptNoMap, Bundle: second.ID, Minified: "~/lost.js", ByDebugID: true, MapURL: "~/lost.js.map"})
	check("debug id unknown, URL known", asked{debugID: strings.Repeat("c", 32), release: "1", url: "/app.js"},
		answer{Bundle: second.ID, Minified: "~/app.js", Map: appMap, MapURL: appMap, DebugIDMissed: true})
	check("the event's dist", asked{release: "2", dist: "a", url: "/app.js"}, answer{Bundle: distA.ID, Minified: "~/app.js", Map: appMap, MapURL: appMap})
	check("without dist", asked{release: "1", dist: "a", url: "/app.js"}, answer{Bundle: second.ID, Minified: "~/app.js", Map: appMap, MapURL: appMap})
	check("another dist", asked{release: "2", dist: "b", url: "/app.js"}, answer{Trouble: store.ScriptNoDist, Dists: []string{"a"}})
	check("another release", asked{release: "3", url: "https://example.com/app.js"}, answer{Trouble: store.ScriptNoRelease, Elsewhere: store.Elsewhere{Release: "2", URL: "~/app.js"}})
	check("another release, another debug id", asked{debugID: strings.Repeat("c", 32), release: "3", url: "/none.js"},
		answer{Trouble: store.ScriptNoRelease, DebugIDMissed: true, Elsewhere: store.Elsewhere{Release: "1", URL: "~/none.js"}})
	check("another release and URL", asked{release: "3", url: "/static/app.js"}, answer{Trouble: store.ScriptNoRelease})
	check("another URL", asked{release: "1", url: "/static/app.js"}, answer{Trouble: store.ScriptNoURL, Near: []string{"~/app.js"}})
	check("no release", asked{url: "/app.js"}, answer{Trouble: store.ScriptNoName})
	check("no release and another debug id", asked{debugID: strings.Repeat("c", 32)}, answer{Trouble: store.ScriptNoDebugID, DebugIDMissed: true})

	u.write(func(tx *store.Tx) error { return tx.RemoveBundle(u.project, second.ID) })
	check("the newest is gone", asked{debugID: debugA}, answer{Bundle: first.ID, Minified: "~/app.js", Map: appMap, ByDebugID: true, MapURL: appMap})
	u.read(func(rx *store.Rx) error {
		new, err := rx.NewBundles(1)
		if diff := cmp.Diff([]store.Bundle{third, distA}, new, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("new bundles: %s", diff)
		}
		return err
	})
}
