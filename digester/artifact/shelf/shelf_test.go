package shelf_test

import (
	"context"
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"

	"sundew/digester/artifact"
	"sundew/digester/artifact/artifacttest"
	"sundew/digester/artifact/shelf"
	"sundew/digester/store"
	"sundew/digester/store/storetest"
	"sundew/schema/event"
)

// rig is a shelf and who uploads to it.
type rig struct {
	t       *testing.T
	db      *store.DB
	replica *store.Replica
	shelf   *shelf.Shelf
	project event.ProjectID
	now     time.Time
	dir     string
	settled chan store.Bundle
}

func newRig(t *testing.T, cfg store.Config) *rig {
	t.Helper()
	r := &rig{t: t, now: time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC), dir: t.TempDir(), settled: make(chan store.Bundle, 10)}
	cfg.Now = func() time.Time { return r.now }
	r.db, r.replica = storetest.OpenWith(t, cfg)
	r.project = storetest.MustCreateProject(t, r.db, "Web", "").ID
	r.shelf = shelf.New(shelf.Config{
		Replica: r.replica, DB: r.db, Dir: r.dir, Now: cfg.Now, Log: zerolog.New(zerolog.NewTestWriter(t)),
		Policy: store.ArtifactPolicy{Bytes: max(cfg.ArtifactBytes, 1<<20), Unused: 90 * 24 * time.Hour}, Limits: artifact.DefaultLimits(),
		Settled: func(b store.Bundle) { r.settled <- b },
	})
	return r
}

func sumOf(content string) string {
	sum := sha1.Sum([]byte(content))
	return hex.EncodeToString(sum[:])
}

// send stores an upload's chunks and returns what to ask for.
func (r *rig) send(kind store.BundleKind, name, content string) store.Upload {
	r.t.Helper()
	up := store.Upload{Project: r.project, Kind: kind, Name: name, Checksum: sumOf(content), Release: "1.0"}
	for chunk := range slices.Chunk([]byte(content), store.ChunkSize) {
		sum := sumOf(string(chunk))
		up.Chunks = append(up.Chunks, sum)
		if err := r.db.StoreChunk(r.t.Context(), sum, chunk); err != nil {
			r.t.Fatal(err)
		}
	}
	return up
}

func (r *rig) begin(up store.Upload) (b store.Bundle) {
	r.t.Helper()
	if err := r.db.Write(r.t.Context(), "test", func(tx *store.Tx) (err error) {
		b, _, err = tx.BeginUpload(up)
		return err
	}); err != nil {
		r.t.Fatal(err)
	}
	return b
}

// step assembles one upload and returns what became of it.
func (r *rig) step() store.Bundle {
	r.t.Helper()
	if worked, err := r.shelf.Step(r.t.Context()); !worked || err != nil {
		r.t.Fatalf("worked: %v, %v", worked, err)
	}
	r.wantTidyDisk()
	return <-r.settled
}

func (r *rig) wantTidyDisk() {
	r.t.Helper()
	if left, err := os.ReadDir(r.dir); len(left) > 0 || err != nil {
		r.t.Errorf("temporary files are left: %v, %v", left, err)
	}
}

func (r *rig) files(b store.Bundle) (all []store.ArtifactFile, contents []string) {
	r.t.Helper()
	storetest.MustRead(r.t, r.replica, func(rx *store.Rx) (err error) {
		if all, _, err = rx.BundleFiles(b.ID, 0, 200); err != nil {
			return err
		}
		contents = nil
		for i, f := range all {
			content, err := rx.ArtifactFile(f.ID)
			if err != nil {
				return err
			}
			contents = append(contents, string(content))
			all[i].ID, all[i].Bundle = 0, 0
		}
		return nil
	})
	return all, contents
}

const (
	idA = "a9aac7b1ba305e9880c24bac1f9bc5ae"
	idB = "b9aac7b1ba305e9880c24bac1f9bc5ae"
	idC = "c9aac7b1ba305e9880c24bac1f9bc5ae"
)

// bundle is one with every way to name a map, and a file of several parts.
func bundle(t *testing.T) string {
	var mappings strings.Builder
	for i := range 200_000 {
		fmt.Fprint(&mappings, i, ";")
	}
	large := `{"version":3,"debug_id":"` + idA + `","mappings":"` + mappings.String() + `"}`
	return "SYSB\x02\x00\x00\x00" + artifacttest.Packed(t, "manifest.json", `{"files":{
		"1.js":{"type":"minified_source","url":"~/1.js","headers":{"debug-id":"`+idA+`","Sourcemap":"1.js.map"}},
		"1.js.map":{"type":"source_map","url":"~/1.js.map"},
		"2.js":{"type":"minified_source","url":"~/x/2.js"},
		"3.js":{"type":"minified_source","url":"~/3.js","headers":{"debug-id":"`+idC+`"}},
		"up/../../4.js":{"type":"source","url":"~/4.js"}},"dist":"d"}`,
		"1.js", "one()", "1.js.map", large,
		"2.js", "two()\n//# debugId="+idB+"\n//# sourceMappingURL=../maps/2.js.map",
		"3.js", "three()\n//# sourceMappingURL=data:application/json;base64,e30=", "up/../../4.js", "four()")
}

func TestAssembleBundle(t *testing.T) {
	r := newRig(t, store.Config{ArtifactBytes: 100 << 20})
	content := bundle(t)
	asked := r.begin(r.send(store.BundleArtifacts, "", content))
	b := r.step()
	if b.ID != asked.ID || b.State != store.BundleReady || b.Dist != "d" || b.Files != 5 ||
		b.Detail != "Left out 1 of its files: up/../../4.js (its name is no plain path)." {
		t.Errorf("assembled: %+v", b)
	}
	files, contents := r.files(b)
	large := contents[1]
	want := []store.ArtifactFile{
		{Path: "1.js", URL: "~/1.js", Type: "minified_source", DebugID: idA, SourceMap: "~/1.js.map", Size: 5},
		{Path: "1.js.map", URL: "~/1.js.map", Type: "source_map", DebugID: idA, Size: int64(len(large))},
		{Path: "2.js", URL: "~/x/2.js", Type: "minified_source", DebugID: idB, SourceMap: "~/maps/2.js.map", Size: int64(len(contents[2]))},
		{Path: "3.js", URL: "~/3.js", Type: "minified_source", DebugID: idC, SourceMap: "~/3.js.inline.map", Size: int64(len(contents[3]))},
		{Path: "3.js.inline.map", URL: "~/3.js.inline.map", Type: "source_map", DebugID: idC, Size: 2},
	}
	if diff := cmp.Diff(want, files); diff != "" {
		t.Error(diff)
	}
	if contents[0] != "one()" || len(large) < 1<<20 || contents[4] != "{}" {
		t.Errorf("contents: %q, %d bytes, %q", contents[0], len(large), contents[4])
	}
	if worked, err := r.shelf.Step(t.Context()); worked || err != nil {
		t.Errorf("there is more to do: %v, %v", worked, err)
	}
}

func TestAssembleBroken(t *testing.T) {
	r := newRig(t, store.Config{ArtifactBytes: 2 << 20})
	for _, test := range []struct{ name, content, want string }{
		{"no archive", "hello, this is none", "no zip archive"},
		{"no manifest", "SYSB\x02\x00\x00\x00" + artifacttest.Packed(t, "a.js", "x"), "has no manifest.json"},
		{"nothing to use", "SYSB\x02\x00\x00\x00" + artifacttest.Packed(t, "manifest.json", `{"files":{"a.js":{"type":"source"}}}`), "none of its files can be used. Left out 1 of its files: a.js"},
	} {
		r.begin(r.send(store.BundleArtifacts, "", test.content))
		if b := r.step(); b.State != store.BundleFailed || !strings.Contains(b.Detail, test.want) {
			t.Errorf("%s: %+v", test.name, b)
		}
	}
	up := r.send(store.BundleArtifacts, "", "some text")
	up.Checksum = sumOf("another text")
	r.begin(up)
	if b := r.step(); b.State != store.BundleFailed || !strings.Contains(b.Detail, "its checksum is") {
		t.Errorf("another checksum: %+v", b)
	}
}

// An upload that makes its reader panic fails, and nobody tries it again.
func TestAssemblePanics(t *testing.T) {
	r := newRig(t, store.Config{})
	limits := artifact.DefaultLimits()
	limits.Ratio = 0 // somebody divides by it
	r.shelf = shelf.New(shelf.Config{
		Replica: r.replica, DB: r.db, Dir: r.dir, Policy: store.ArtifactPolicy{Bytes: 1 << 30}, Limits: limits,
		Settled: func(b store.Bundle) { r.settled <- b },
	})
	r.begin(r.send(store.BundleArtifacts, "", "SYSB\x02\x00\x00\x00"+artifacttest.Packed(t, "a.js", strings.Repeat("x", 2<<20), "manifest.json", `{"files":{"a.js":{"type":"minified_source"}}}`)))
	if b := r.step(); b.State != store.BundleFailed || b.Detail != "it cannot be read" {
		t.Errorf("%+v", b)
	}
	if worked, err := r.shelf.Step(t.Context()); worked || err != nil {
		t.Errorf("it is tried again: %v, %v", worked, err)
	}
}

// Nobody waits for ever behind an upload that there is no disk for.
func TestAssembleWithoutDisk(t *testing.T) {
	r := newRig(t, store.Config{})
	nowhere := shelf.New(shelf.Config{
		Replica: r.replica, DB: r.db, Dir: r.dir + "/nowhere", Policy: store.ArtifactPolicy{Bytes: 1 << 30}, Limits: artifact.DefaultLimits(),
		Settled: func(b store.Bundle) { r.settled <- b },
	})
	r.begin(r.send(store.BundleArtifacts, "", bundle(t)))
	for range 4 {
		if worked, err := nowhere.Step(t.Context()); !worked || err == nil {
			t.Fatalf("worked: %v, %v", worked, err)
		}
	}
	r.shelf = nowhere
	if b := r.step(); b.State != store.BundleFailed || !strings.Contains(b.Detail, "log") {
		t.Errorf("%+v", b)
	}
}

func TestAssembleDebugFileAndReleaseFile(t *testing.T) {
	r := newRig(t, store.Config{})
	elf := "\x7fELF\x02\x01\x01" + strings.Repeat("\x00", 11) + "\x3e\x00" + strings.Repeat("symbols ", 200_000)
	up := r.send(store.BundleDebugFile, "lib/crash", elf)
	up.Release, up.DebugID = "", idA
	r.begin(up)
	b := r.step()
	if b.State != store.BundleReady || b.Symbols != "elf" || b.CPU != "x86_64" || b.DebugID != idA || b.Size != int64(len(elf)) {
		t.Errorf("debug file: %+v", b)
	}
	if _, contents := r.files(b); contents[0] != elf {
		t.Error("it is not what was sent")
	}
	up = r.send(store.BundleReleaseFile, "~/old.js", "old()")
	up.MapReference = "maps/old.js.map"
	r.begin(up)
	files, _ := r.files(r.step())
	want := []store.ArtifactFile{{Path: "old.js", URL: "~/old.js", Type: "minified_source", SourceMap: "~/maps/old.js.map", Size: 5}}
	if diff := cmp.Diff(want, files); diff != "" {
		t.Errorf("release file: %s", diff)
	}
}

// Wherever an assembly breaks off, and whether what it did last is there or not, there is
// one bundle in the end, and nothing else.
func TestAssemblyBreaksOff(t *testing.T) {
	content := bundle(t)
	for _, applied := range []bool{false, true} {
		for at, more := int32(0), true; more; at++ {
			t.Run(fmt.Sprintf("at commit %d, applied %v", at, applied), func(t *testing.T) {
				faults := &commits{applied: applied}
				faults.until.Store(-1)
				r := newRig(t, store.Config{Wrap: faults.wrap, ArtifactBytes: 100 << 20})
				asked := r.begin(r.send(store.BundleArtifacts, "", content))
				faults.until.Store(at)
				_, err := r.shelf.Step(t.Context())
				if faults.until.Load() >= 0 {
					more = false // there are no more commits
					return
				}
				if !errors.Is(err, errTorn) {
					t.Fatalf("the first attempt: %v", err)
				}
				storetest.MustCheck(t, r.replica)
				if _, err := r.shelf.Step(t.Context()); err != nil {
					t.Fatal(err)
				}
				storetest.MustRead(t, r.replica, func(rx *store.Rx) error {
					all, _, err := rx.Bundles(r.project, false, 0, 10)
					if len(all) != 1 || all[0].ID != asked.ID || all[0].State != store.BundleReady || all[0].Files != 5 {
						t.Errorf("there are: %+v", all)
					}
					return err
				})
				r.wantTidyDisk()
				r.now = r.now.Add(25 * time.Hour)
				if err := r.shelf.Tidy(t.Context()); err != nil {
					t.Fatal(err)
				}
				storetest.MustRead(t, r.replica, func(rx *store.Rx) error {
					totals, err := rx.ArtifactTotals()
					b, err2 := rx.Bundle(r.project, asked.ID)
					if totals.ChunkBytes != 0 || totals.FileBytes != b.Bytes {
						t.Errorf("left: %+v, the bundle has %d", totals, b.Bytes)
					}
					return errors.Join(err, err2)
				})
			})
		}
	}
}

// Where there is no room the least used upload makes some; what was stored just now does
// not go at once, so that an upload may fail, and says why.
func TestAssembleWithoutRoom(t *testing.T) {
	r := newRig(t, store.Config{ArtifactBytes: 1 << 20})
	noise := func(seed uint32) string {
		b := make([]byte, 900_000)
		for i := range b {
			seed = seed*1664525 + 1013904223
			b[i] = byte(seed >> 24)
		}
		return string(b)
	}
	upload := func(seed uint32) store.Bundle {
		r.begin(r.send(store.BundleDebugFile, "lib", noise(seed)))
		b := r.step()
		r.now = r.now.Add(11 * time.Minute) // its chunk goes
		if err := r.shelf.Tidy(t.Context()); err != nil {
			t.Fatal(err)
		}
		return b
	}
	if first := upload(1); first.State != store.BundleReady {
		t.Fatalf("the first: %+v", first)
	}
	if second := upload(2); second.State != store.BundleFailed || !strings.Contains(second.Detail, "there is no room for it") {
		t.Errorf("the second: %+v", second)
	}
	r.now = r.now.Add(2 * time.Hour)
	if third := upload(3); third.State != store.BundleReady {
		t.Errorf("the third: %+v", third)
	}
}

// Many who upload the same at the same time get one bundle.
func TestUploadRace(t *testing.T) {
	r := newRig(t, store.Config{ArtifactBytes: 100 << 20})
	up := r.send(store.BundleArtifacts, "", bundle(t))
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { r.shelf.Run(ctx) })
	ids := make([]int64, 8)
	var asking sync.WaitGroup
	for i := range ids {
		asking.Go(func() {
			ids[i] = r.begin(up).ID
			r.shelf.Wake()
		})
	}
	asking.Wait()
	b := <-r.settled
	cancel()
	running.Wait()
	if b.State != store.BundleReady {
		t.Errorf("it is %+v", b)
	}
	for _, id := range ids {
		if id != b.ID {
			t.Errorf("there are two: %v", ids)
		}
	}
}

// An upload that is removed while it is assembled stays away.
func TestRemovedWhileAssembled(t *testing.T) {
	r := newRig(t, store.Config{})
	b := r.begin(r.send(store.BundleArtifacts, "", bundle(t)))
	if err := r.db.Write(t.Context(), "test", func(tx *store.Tx) error { return tx.RemoveBundle(r.project, b.ID) }); err != nil {
		t.Fatal(err)
	}
	if worked, err := r.shelf.Step(t.Context()); worked || err != nil {
		t.Errorf("worked: %v, %v", worked, err)
	}
	if err := r.shelf.Tidy(t.Context()); err != nil {
		t.Fatal(err)
	}
}
