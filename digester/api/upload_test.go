package api

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sundew/digester/access"
	"sundew/digester/artifact"
	"sundew/digester/artifact/shelf"
	"sundew/digester/store"
	"sundew/digester/store/storetest"
	"sundew/schema/corpus"
	"sundew/schema/event/eventtest"
)

// assembler is a rig with what assembles uploads.
type assembler struct {
	*rig
	shelf *shelf.Shelf
}

func newAssembler(t *testing.T, edit func(*Config)) *assembler {
	t.Helper()
	a := &assembler{rig: newRig(t, edit)}
	a.shelf = shelf.New(shelf.Config{Replica: a.replica, DB: a.db, Dir: t.TempDir(), Policy: store.ArtifactPolicy{Bytes: 1 << 30},
		Limits: artifact.DefaultLimits(), Now: func() time.Time { return a.now }})
	a.mustWrite(func(tx *store.Tx) error {
		_, err := tx.ChangeProject(a.web.ID, store.ProjectChange{Name: "Web", Slug: "web"})
		return err
	})
	return a
}

// settle assembles what is to be assembled.
func (a *assembler) settle() {
	a.t.Helper()
	for worked := true; worked; {
		var err error
		if worked, err = a.shelf.Step(context.WithoutCancel(a.t.Context())); err != nil {
			a.t.Fatal(err)
		}
	}
}

// replay sends a recorded request with a token that works.
func (a *assembler) replay(c corpus.Request) *http.Response {
	req := httptest.NewRequest(c.Method, c.Path, bytes.NewReader(c.Body))
	req.Header, req.Host = c.Header.Clone(), c.Header.Get("Host")
	req.Header.Set("Authorization", "Bearer "+a.memberToken)
	w := httptest.NewRecorder()
	a.api.ServeHTTP(w, req)
	return w.Result()
}

func recorded(t *testing.T, name string) (all []corpus.Request) {
	t.Helper()
	uploads, err := corpus.Uploads()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range uploads {
		if strings.HasPrefix(c.Name, name+"--") {
			all = append(all, c)
		}
	}
	if len(all) == 0 {
		t.Fatalf("there is no recorded %s", name)
	}
	return all
}

// TestRecordedUploads sends what sentry-cli sent. In the end there is a bundle, or a
// debug file, that can be found.
func TestRecordedUploads(t *testing.T) {
	type want struct {
		states string // of the assemblies, in order
		files  int64
	}
	for name, want := range map[string]want{
		"cli-sourcemaps-nogzip":          {"not_found created", 4},
		"cli2-sourcemaps-upload":         {"not_found created", 4},
		"cli2-sourcemaps-legacy-release": {"created", 4},
		"cli-debug-files-upload":         {"not_found not_found created created ok ok", 2},
		"cli-proguard":                   {"not_found created", 1},
		"cli-org-auth-token":             {"not_found created ok", 4},
	} {
		t.Run(name, func(t *testing.T) {
			a := newAssembler(t, nil)
			a.digest(a.web.ID, eventtest.Payload{Name: "released", JSON: []byte(`{"platform":"javascript","message":"x","release":"web@3.2.0"}`)}, a.now)
			var states []string
			for _, c := range recorded(t, name) {
				if !strings.Contains(c.Path, "assemble/") && !strings.Contains(c.Path, "chunk-upload/") {
					continue
				}
				text := mustStatus(t, a.replay(c), http.StatusOK)
				switch {
				case strings.Contains(c.Path, "difs/assemble/"):
					for _, file := range mustRead[map[string]FileAssembly](t, text) {
						states = append(states, file.State)
						if file.State == stateOK && (file.File == nil || file.File.SymbolType+file.File.CPU != "elfx86_64" && file.File.SymbolType != "sourcebundle" || file.File.DebugID != "203195d9-c4b9-4f32-5f0e-fe2d4907cb99") {
							t.Errorf("debug file: %s", text)
						}
					}
				case strings.Contains(c.Path, "assemble/"):
					states = append(states, mustRead[Assembly](t, text).State)
				case c.Method == http.MethodGet:
					if got := mustRead[ChunkOptions](t, text); got.URL != "http://127.0.0.1:9100/api/0/organizations/acme/chunk-upload/" || got.HashAlgorithm != "sha1" || !slices.Contains(got.Accept, "artifact_bundles_v2") {
						t.Errorf("options: %s", text)
					}
				}
				a.settle()
			}
			if diff := cmp.Diff(want.states, strings.Join(states, " ")); diff != "" {
				t.Errorf("states: %s", diff)
			}
			storetest.MustRead(t, a.replica, func(rx *store.Rx) error {
				var files int64
				for _, kind := range []bool{false, true} {
					all, _, err := rx.Bundles(a.web.ID, kind, 0, 10)
					if err != nil {
						return err
					}
					for _, b := range all {
						files += b.Files
						if b.State != store.BundleReady || b.Detail != "" {
							t.Errorf("bundle: %+v", b)
						}
					}
				}
				if files != want.files {
					t.Errorf("%d files, want %d", files, want.files)
				}
				return nil
			})
		})
	}
}

// The bundle of a web application, in chunks of our size or of a tool's own, is found for
// the frames of its events, and is not asked for again.
func TestWebBundleIsFound(t *testing.T) {
	for _, size := range []int{store.ChunkSize, store.MaxChunk} {
		t.Run(fmt.Sprint(size), func(t *testing.T) { testWebBundle(t, size) })
	}
}

func testWebBundle(t *testing.T, size int) {
	a := newAssembler(t, nil)
	bundle, err := corpus.WebBundle()
	if err != nil {
		t.Fatal(err)
	}
	chunks, sums := make(map[string][]byte), []string(nil)
	for chunk := range slices.Chunk(bundle, size) {
		sums = append(sums, sha1Of(chunk))
		chunks[sha1Of(chunk)] = packed(t, chunk)
	}
	mustStatus(t, a.upload(form(t, "file_gzip", chunks)), http.StatusOK)
	a.must(http.StatusOK, http.MethodPost, "/organizations/acme/artifactbundle/assemble/",
		fmt.Sprintf(`{"checksum":%q,"chunks":["%s"],"projects":["web"],"version":"web@3.2.0"}`, sha1Of(bundle), strings.Join(sums, `","`)))
	a.settle()
	storetest.MustRead(t, a.replica, func(rx *store.Rx) error {
		for _, asked := range [][2]string{{"a9aac7b1-ba30-5e98-80c2-4bac1f9bc5ae", ""}, {"", "http://127.0.0.1:9200/assets/app-2Y6DPYNI.js?v=1"}} {
			s, err := rx.FindScript(a.web.ID, asked[0], "web@3.2.0", "", asked[1])
			if err != nil || s.Map == nil || s.Map.URL != "~/assets/app-2Y6DPYNI.js.map" || s.Map.Size != 5411258 {
				t.Errorf("%v: %+v, %v", asked, s, err)
			}
		}
		return nil
	})
	for _, c := range recorded(t, "cli-sourcemaps-again")[1:] {
		if got := mustRead[Assembly](t, mustStatus(t, a.replay(c), http.StatusOK)); got.State != stateOK || len(got.Missing) != 0 {
			t.Errorf("uploaded again: %+v", got)
		}
	}
}

// form is a multipart form of chunks; a name that begins with "gzip " is packed.
func form(t *testing.T, field string, chunks map[string][]byte) (contentType, body string) {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	names := make([]string, 0, len(chunks))
	for name := range chunks {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		h := textproto.MIMEHeader{"Content-Disposition": {fmt.Sprintf(`form-data; name=%q; filename=%q`, field, name)}}
		part, err := w.CreatePart(h)
		if err == nil {
			_, err = part.Write(chunks[name])
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return w.FormDataContentType(), b.String()
}

func (a *assembler) upload(contentType, body string) *http.Response {
	req := httptest.NewRequest(http.MethodPost, Root+"/organizations/acme/chunk-upload/", strings.NewReader(body))
	req.Header.Set("Authorization", "Bearer "+a.memberToken)
	req.Header.Set("Content-Type", contentType)
	w := httptest.NewRecorder()
	a.api.ServeHTTP(w, req)
	return w.Result()
}

func sha1Of(content []byte) string {
	sum := sha1.Sum(content)
	return hex.EncodeToString(sum[:])
}

func packed(t *testing.T, content []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// A chunk that is not what it says is refused by name, and the others are stored.
func TestUploadChunksRefuses(t *testing.T) {
	a := newAssembler(t, nil)
	good, wrong := []byte("a good chunk"), strings.Repeat("1", 40)
	large := make([]byte, store.MaxChunk+1)
	for _, test := range []struct {
		name, field string
		chunks      map[string][]byte
		want        string
	}{
		{"another sha1", "file", map[string][]byte{wrong: []byte("x"), sha1Of(good): good}, "The chunk " + wrong + " has another sha1"},
		{"no sha1", "file", map[string][]byte{"../../etc/passwd": []byte("x")}, `"passwd" is not the sha1 of a chunk`},
		{"not packed", "file_gzip", map[string][]byte{sha1Of(good): good}, "cannot be read"},
		{"too large", "file", map[string][]byte{sha1Of(large): large}, "has more than 2097152 bytes"},
		{"a bomb", "file_gzip", map[string][]byte{sha1Of(large): packed(t, make([]byte, 64<<20))}, "has more than 2097152 bytes"},
		{"cut off", "file_gzip", map[string][]byte{sha1Of(good): packed(t, good)[:20]}, "cannot be read"},
	} {
		got := mustRead[detail](t, mustStatus(t, a.upload(form(t, test.field, test.chunks)), http.StatusBadRequest))
		if !strings.Contains(got.Detail, test.want) {
			t.Errorf("%s: %q, want %q", test.name, got.Detail, test.want)
		}
	}
	storetest.MustRead(t, a.replica, func(rx *store.Rx) error {
		content, err := rx.Chunk(sha1Of(good))
		if string(content) != string(good) {
			t.Errorf("the good chunk beside a wrong one: %q", content)
		}
		return err
	})
	contentType, body := form(t, "file", map[string][]byte{sha1Of([]byte("x")): []byte("x")})
	mustStatus(t, a.upload(contentType, body[:len(body)/2]), http.StatusBadRequest)
	mustStatus(t, a.upload("application/json", "{}"), http.StatusBadRequest)
	many := make(map[string][]byte)
	for i := range 10 {
		chunk := bytes.Repeat([]byte{byte(i)}, store.ChunkSize)
		many[sha1Of(chunk)] = chunk
	}
	mustStatus(t, a.upload(form(t, "file", many)), http.StatusRequestEntityTooLarge)
}

// Requests at the same time, some with the same chunks, lose none.
func TestUploadChunksAtOnce(t *testing.T) {
	a := newAssembler(t, nil)
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			mine, shared := fmt.Appendf(nil, "chunk %d", i), []byte("shared")
			contentType, body := form(t, "file_gzip", map[string][]byte{sha1Of(mine): packed(t, mine), sha1Of(shared): packed(t, shared)})
			if answer := a.upload(contentType, body); answer.StatusCode != http.StatusOK {
				t.Errorf("status %d", answer.StatusCode)
			}
		})
	}
	all.Wait()
	storetest.MustRead(t, a.replica, func(rx *store.Rx) error {
		sums := []string{sha1Of([]byte("shared"))}
		for i := range 8 {
			sums = append(sums, sha1Of(fmt.Appendf(nil, "chunk %d", i)))
		}
		missing, err := rx.MissingChunks(sums)
		if len(missing) > 0 {
			t.Errorf("missing: %v", missing)
		}
		return err
	})
}

func TestAssembleRefuses(t *testing.T) {
	a := newAssembler(t, func(cfg *Config) { cfg.ArtifactBytes = 3 << 20 })
	sum := sha1Of([]byte("x"))
	const path = "/organizations/acme/artifactbundle/assemble/"
	for _, test := range []struct {
		body, want string
	}{
		{`{"checksum":"` + sum + `","chunks":["` + sum + `"]}`, "One project has to be named"},
		{`{"checksum":"` + sum + `","chunks":["` + sum + `"],"projects":["nowhere"]}`, `There is no project "nowhere"`},
		{`{"checksum":"x","chunks":["` + sum + `"],"projects":["web"]}`, "checksum has to be a sha1"},
		{`{"checksum":"` + sum + `","chunks":["..."],"projects":["web"]}`, `"..." is not the sha1 of a chunk`},
		{`{"checksum":"` + sum + `","chunks":[],"projects":["web"]}`, "at least one chunk"},
		{`{"checksum":"` + sum + `","chunks":[` + strings.Repeat(`"`+sum+`",`, 4) + `"` + sum + `"],"projects":["web"]}`, "at most 3145728 bytes"},
		{`{"checksum":"` + sum + `","chunks":["` + sum + `"],"projects":["web"],"version":"` + strings.Repeat("v", 300) + `"}`, "too long"},
	} {
		got := mustRead[detail](t, a.must(http.StatusBadRequest, http.MethodPost, path, test.body))
		if !strings.Contains(got.Detail, test.want) {
			t.Errorf("%.100s: %q, want %q", test.body, got.Detail, test.want)
		}
	}
	a.must(http.StatusNotFound, http.MethodPost, "/organizations/acme/releases/none/assemble/", `{"checksum":"`+sum+`","chunks":["`+sum+`"]}`)
	a.must(http.StatusOK, http.MethodPost, path, `{"checksum":"`+sum+`","chunks":["`+sum+`"],"projects":["web","other"]}`)
	if answer := a.do(http.MethodPost, Root+path, a.memberToken, `{"checksum":"`+sum+`","chunks":["`+sum+`"],"projects":["other"]}`); answer.StatusCode != http.StatusBadRequest {
		t.Errorf("somebody else's project: status %d", answer.StatusCode)
	}
	// What cannot be assembled says why.
	contentType, body := form(t, "file", map[string][]byte{sum: []byte("x")})
	mustStatus(t, a.upload(contentType, body), http.StatusOK)
	ask := func() Assembly {
		return mustRead[Assembly](t, a.must(http.StatusOK, http.MethodPost, path, `{"checksum":"`+sum+`","chunks":["`+sum+`"],"projects":["web"]}`))
	}
	if first := ask(); first.State != stateCreated {
		t.Errorf("asked: %+v", first)
	}
	if second := ask(); second.State != stateAssembling {
		t.Errorf("asked again: %+v", second)
	}
	a.settle()
	if last := ask(); last.State != stateError || !strings.Contains(last.Detail, "the bundle cannot be read") {
		t.Errorf("assembled: %+v", last)
	}
}

func TestReleaseFiles(t *testing.T) {
	a := newAssembler(t, nil)
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	file, err := w.CreateFormFile("file", "app.js")
	if err == nil {
		_, err = io.WriteString(file, "app()")
	}
	for _, field := range [][2]string{{"name", "~/static/app.js"}, {"dist", "d"}, {"header", "Sourcemap:app.js.map"}} {
		if err == nil {
			err = w.WriteField(field[0], field[1])
		}
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	send := func() *http.Response {
		req := httptest.NewRequest(http.MethodPost, Root+"/projects/acme/web/releases/web@1.0/files/", bytes.NewReader(b.Bytes()))
		req.Header.Set("Authorization", "Bearer "+a.memberToken)
		req.Header.Set("Content-Type", w.FormDataContentType())
		answer := httptest.NewRecorder()
		a.api.ServeHTTP(answer, req)
		return answer.Result()
	}
	stored := mustRead[ReleaseFile](t, mustStatus(t, send(), http.StatusCreated))
	if stored.Name != "~/static/app.js" || stored.Dist == nil || *stored.Dist != "d" || stored.Headers["Sourcemap"] != "app.js.map" || stored.Size != 5 || stored.SHA1 != sha1Of([]byte("app()")) {
		t.Errorf("stored: %+v", stored)
	}
	if again := mustRead[ReleaseFile](t, mustStatus(t, send(), http.StatusCreated)); again.ID != stored.ID {
		t.Errorf("sent twice: %+v", again)
	}
	a.settle()
	if list := mustRead[[]ReleaseFile](t, a.must(http.StatusOK, http.MethodGet, "/projects/acme/web/releases/web@1.0/files/", "")); len(list) != 1 || list[0].Size != 5 {
		t.Errorf("list: %+v", list)
	}
	storetest.MustRead(t, a.replica, func(rx *store.Rx) error {
		s, err := rx.FindScript(a.web.ID, "", "web@1.0", "d", "https://example.com/static/app.js")
		if s.Minified == nil || s.Trouble != store.ScriptNoMap || s.MapURL != "~/static/app.js.map" {
			t.Errorf("found: %+v", s)
		}
		return err
	})
}

func TestBundleList(t *testing.T) {
	a := newAssembler(t, nil)
	for _, name := range []string{"cli2-sourcemaps-upload", "cli-debug-files-upload"} {
		for _, c := range recorded(t, name) {
			mustStatus(t, a.replay(c), http.StatusOK)
			a.settle()
		}
	}
	bundles := mustRead[[]Bundle](t, a.must(http.StatusOK, http.MethodGet, "/projects/acme/web/files/artifact-bundles/", ""))
	if len(bundles) != 1 || *bundles[0].Associations[0].Release != "web@3.2.0" || bundles[0].FileCount != 4 || bundles[0].State != stateOK {
		t.Errorf("bundles: %+v", bundles)
	}
	page := a.do(http.MethodGet, Root+"/projects/acme/web/files/dsyms/?per_page=1", a.ownerToken, "")
	first := mustRead[[]DebugFile](t, mustStatus(t, page, http.StatusOK))
	if len(first) != 1 || !strings.Contains(page.Header.Get("Link"), `rel="next"; results="true"`) {
		t.Errorf("debug files: %+v, %s", first, page.Header.Get("Link"))
	}
	second := mustRead[[]DebugFile](t, a.must(http.StatusOK, http.MethodGet, "/projects/acme/web/files/dsyms/?per_page=1&cursor="+first[0].ID+":0:0", ""))
	if len(second) != 1 || second[0].ID == first[0].ID {
		t.Errorf("the next page: %+v", second)
	}
	a.must(http.StatusNotFound, http.MethodDelete, "/projects/acme/web/files/dsyms/?id="+bundles[0].ID, "")
	a.must(http.StatusNoContent, http.MethodDelete, "/projects/acme/web/files/artifact-bundles/?bundleId="+bundles[0].ID, "")
	a.must(http.StatusNoContent, http.MethodDelete, "/projects/acme/web/files/dsyms/?id="+first[0].ID, "")
	if left := a.must(http.StatusOK, http.MethodGet, "/projects/acme/web/files/artifact-bundles/", ""); strings.TrimSpace(left) != "[]" {
		t.Errorf("left: %s", left)
	}
}

func TestUploadOrigin(t *testing.T) {
	for _, test := range []struct {
		public, host, target string
		hops                 int
		headers              map[string]string
		want                 string
	}{
		{"https://errors.example.com", "errors.example.com", "", 0, nil, "https://errors.example.com"},
		{"https://errors.example.com", "10.0.0.7:8000", "", 0, nil, "http://10.0.0.7:8000"},
		{"https://errors.example.com", "10.0.0.7:8000", "", 0, map[string]string{"X-Forwarded-Host": "evil.example.com"}, "http://10.0.0.7:8000"},
		{"https://errors.example.com", "inner:8000", "", 1, map[string]string{"X-Forwarded-Host": "other.example.com", "X-Forwarded-Proto": "https"}, "https://other.example.com"},
		{"https://errors.example.com", "other.example.com", "", 1, nil, "https://other.example.com"},
		{"https://errors.example.com", "bad host/x", "", 0, nil, "https://errors.example.com"},
		{"https://errors.example.com/sundew", "10.0.0.7", "/sundew", 0, nil, "http://10.0.0.7/sundew"},
		{"https://errors.example.com/sundew", "10.0.0.7", "", 0, nil, "http://10.0.0.7"},
	} {
		r := newRig(t, func(cfg *Config) { cfg.PublicURL, cfg.ProxyHops = test.public, test.hops })
		req := httptest.NewRequest(http.MethodGet, test.target+Root+"/organizations/acme/chunk-upload/", nil)
		req.Host = test.host
		req.Header.Set("Authorization", "Bearer "+r.token(r.member.ID, access.Releases))
		for k, v := range test.headers {
			req.Header.Set(k, v)
		}
		w := httptest.NewRecorder()
		r.api.ServeHTTP(w, req)
		if got := mustRead[ChunkOptions](t, mustStatus(t, w.Result(), http.StatusOK)).URL; got != test.want+"/api/0/organizations/acme/chunk-upload/" {
			t.Errorf("%+v: %s", test, got)
		}
	}
}

// For Lambda a request has to be small.
func TestUploadRequestSize(t *testing.T) {
	r := newRig(t, func(cfg *Config) { cfg.UploadRequest = 4_000_000 })
	got := mustRead[ChunkOptions](t, r.must(http.StatusOK, http.MethodGet, "/organizations/acme/chunk-upload/", ""))
	if got.MaxRequestSize != 4_000_000 || got.ChunksPerRequest != 3 || got.ChunkSize != 1<<20 {
		t.Errorf("options: %+v", got)
	}
}
