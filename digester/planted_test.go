package main

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"sundew/digester/password"
	"sundew/infra/visitor"
	"sundew/schema/corpus"
	"sundew/schema/wire"
)

// What is looked for. Everything planted has a mark in it, but for what has to have a
// form of its own.
const (
	plantedMark = "pl4nted"
	plantedCard = "4000056655665556"
	plantedAWS  = "AKIAPL4NTEDQ7ABCDEFG"
)

// planter writes secrets into every text of what clients send.
type planter struct{ n int }

// planted returns another secret, without what a form would be ended by.
func (p *planter) planted() string {
	p.n++
	return fmt.Sprintf("%sQ7x%dYz", plantedMark, p.n)
}

// form returns a text that has a secret of a known form, which is found anywhere.
func (p *planter) form() string {
	secret := p.planted()
	forms := []string{
		"eyJhbGciOiJIUzI1NiJ9.eyJ" + secret + "iIxIn0." + secret,
		"ghp_" + secret + "0123456789abcdefghij",
		"sk_live_" + secret + "0123456789",
		"https://user:" + secret + "@example.com/",
		"-----BEGIN RSA PRIVATE KEY-----\n" + secret + "\n-----END RSA PRIVATE KEY-----",
		"4000 0566 5566 5556", plantedCard, plantedAWS,
		"Bearer " + secret,
		"Basic " + base64.StdEncoding.EncodeToString([]byte("user:"+secret)),
	}
	return forms[p.n%len(forms)]
}

// text returns a text that has a secret which its name tells.
func (p *planter) text() string {
	secret := p.planted()
	forms := []string{
		"password=" + secret, "{\"a\":[{\"apiKey\":\"" + secret + "\"}]}", "a=1&client_secret=" + secret + "&b=2",
		"https://example.com/cb?token=" + secret + "&x=1", "Authorization: Digest " + secret, "{'db_password': '" + secret + "', 'x': 1}",
		"{\"body\":\"{\\\"auth\\\":{\\\"x\\\":\\\"" + secret + "\\\"}}\"}", "\"secret\": \"" + secret, "Cookie: a=" + secret + "; b=" + secret,
		"mysql --password " + secret + " -u x", "payload=%7B%22password%22%3A%22" + secret + "%22%7D", "[[\"Set-Cookie\",\"a=" + secret + "; Path=/\"]]",
		"password => \"" + secret + "\"", p.form(),
	}
	return forms[p.n%len(forms)]
}

// Members whose texts the protocol fixes: an event with others would not be one. What is
// a message's template and its parameters is not filled in if it is anything else.
var fixed = []string{"event_id", "timestamp", "level", "platform", "type", "trace_id", "span_id", "start_timestamp", "category", "associated_event_id"}

// plant returns a JSON value with a secret in every text. name is that of the member it
// is in; inCode says that it is a name of the program, which is searched for forms only.
func (p *planter) plant(v any, name string, inCode bool) any {
	switch v := v.(type) {
	case string:
		switch {
		case slices.Contains(fixed, name):
			return v
		case name == "context_line" || name == "pre_context" || name == "post_context":
			return v + " password = \"" + p.planted() + "\""
		case inCode:
			return v + " " + p.form()
		}
		text := p.text()
		if text[0] == '[' || p.n%5 == 0 {
			return text // the whole of it, as a list in JSON has to be
		}
		return v + " " + text
	case []any:
		for i := range v {
			v[i] = p.plant(v[i], name, inCode)
		}
	case map[string]any:
		for key := range v {
			code := inCode
			switch key {
			case "modules", "sdk", "debug_meta", "fingerprint", "filename", "function", "module", "package", "abs_path", "raw_function", "instruction_addr", "symbol_addr", "image_addr":
				code = true
			case "vars", "data", "extra":
				code = false
			}
			v[key] = p.plant(v[key], key, code)
		}
		if name == "request" || name == "vars" || name == "extra" {
			v["x_api_key"], v["cookies"] = p.planted(), map[string]any{"sid": p.planted() + "=="}
			v["headers"] = []any{[]any{"Cookie", "a=" + p.planted()}, []any{"Authorization", p.planted()}, map[string]any{"value": p.planted(), "name": "X-Auth-Token"}}
		}
	}
	return v
}

// json returns a payload with secrets, false if it is no JSON object.
func (p *planter) json(payload []byte) ([]byte, bool) {
	dec := json.NewDecoder(bytes.NewReader(payload))
	dec.UseNumber()
	var v map[string]any
	if dec.Decode(&v) != nil {
		return payload, false
	}
	out, err := json.Marshal(p.plant(v, "", false))
	return out, err == nil
}

// request returns a recorded request with secrets in all that it carries.
func (p *planter) request(t *testing.T, req corpus.Request) *http.Request {
	t.Helper()
	var body []byte
	switch {
	case strings.HasSuffix(req.Path, "/envelope/"):
		plain := decodeBody(t, req)
		header, _, _ := bytes.Cut(plain, []byte("\n"))
		body = append(bytes.Clone(header), '\n')
		for _, i := range items(t, req.Name, plain) {
			payload, isObject := p.json(i.payload)
			if i.Type == "attachment" && !isObject && bytes.IndexByte(payload, 0) < 0 {
				payload = append(payload[:len(payload):len(payload)], "\ntoken="+p.planted()...)
			}
			name, _ := json.Marshal("password=" + p.planted() + ".txt")
			body = fmt.Appendf(body, "{\"type\":%q,\"filename\":%s,\"length\":%d}\n%s\n", i.Type, name, len(payload), payload)
		}
	case strings.HasSuffix(req.Path, "/store/"):
		body, _ = p.json(storeBody(t, req))
	default:
		body, _ = p.json(req.Body)
	}
	r := httptest.NewRequest(http.MethodPost, req.Path+"?"+req.Query, bytes.NewReader(body))
	for _, name := range []string{"X-Sentry-Auth", "User-Agent", "Content-Type"} {
		if value := req.Header.Get(name); value != "" {
			r.Header.Set(name, value)
		}
	}
	r.Header.Set("X-Forwarded-For", "token="+p.planted())
	return r
}

// TestPlanted: of secrets in every text of every recorded request nothing is found in
// the queue, in the database, in their WALs or in the logs, neither in the files'
// bytes nor in what is compressed in them.
func TestPlanted(t *testing.T) {
	t.Parallel()
	requests, err := corpus.Captured()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	createProjects(t, envOf(dir), 42, corpus.Key)
	cfg, err := configFromEnv(envOf(dir))
	if err != nil {
		t.Fatal(err)
	}
	cfg.Listen = "127.0.0.1:0"
	cfg.OwnerEmail, cfg.OwnerPassword = visitor.Email, visitor.Password
	var log bytes.Buffer
	s := &service{cfg: cfg, log: zerolog.New(zerolog.SyncWriter(&log)).Level(zerolog.TraceLevel),
		passwords: password.NewHasher(1, password.Cost{KiB: 64, Passes: 1})}
	if err := s.openIntake(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer s.close(context.WithoutCancel(t.Context()))
	p := &planter{}
	accepted := 0
	for _, req := range requests {
		if req.Method != http.MethodPost || wantStatus(req) == http.StatusNotFound {
			continue
		}
		answer := httptest.NewRecorder()
		s.edge.ServeHTTP(answer, p.request(t, req))
		if answer.Code == http.StatusOK {
			accepted++
		}
		wantUnplanted(t, "the answer to "+req.Name, answer.Body.Bytes())
	}
	if accepted < 400 || p.n < 50_000 {
		t.Errorf("%d requests were accepted, with %d secrets", accepted, p.n)
	}
	if err := s.edge.FlushCounts(t.Context()); err != nil {
		t.Fatal(err)
	}
	searchFiles(t, dir)

	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	said, stdout := io.Pipe()
	go func() { ended <- s.run(ctx, stdout) }()
	if _, err := bufio.NewReader(said).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the queue is empty", func() bool {
		b, err := readBooks(t.Context(), s.replica, s.queue, time.Now())
		return err == nil && b.InFlight == 0 && b.Digested > 0
	})
	searchFiles(t, dir)
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	wantUnplanted(t, "the log", log.Bytes())
}

// searchFiles looks at every file of a directory, and at every row of those that are
// databases.
func searchFiles(t *testing.T, dir string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	rows := 0
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		wantUnplanted(t, filepath.Base(file), content)
		if strings.HasSuffix(file, ".db") {
			rows += searchRows(t, file)
		}
	}
	if rows < 300 {
		t.Errorf("only %d rows in %v", rows, files)
	}
}

// searchRows looks at all values of a database, decompressed, and returns how many
// compressed ones there are.
func searchRows(t *testing.T, file string) (compressed int) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+file+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	codec := wire.NewCodec()
	for _, table := range query(t, db, `SELECT name FROM sqlite_schema WHERE type = 'table'`) {
		columns := query(t, db, `SELECT name FROM pragma_table_xinfo('`+string(table)+`')`)
		for _, column := range columns {
			where := filepath.Base(file) + ", " + string(table) + "." + string(column)
			for _, value := range query(t, db, `SELECT "`+string(column)+`" FROM "`+string(table)+`"`) {
				wantUnplanted(t, where, value)
				for rest := value; ; {
					i := bytes.Index(rest, []byte{0x28, 0xb5, 0x2f, 0xfd}) // zstd's magic number
					if i < 0 {
						break
					}
					if plain, err := codec.Decompress(rest[i:], wire.EncodingZstdDict1); err == nil {
						compressed++
						wantUnplanted(t, where+", decompressed", plain)
					}
					rest = rest[i+4:]
				}
			}
		}
	}
	return compressed
}

func query(t *testing.T, db *sql.DB, text string) (values [][]byte) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	defer rows.Close()
	for rows.Next() {
		var v []byte
		if err := rows.Scan(&v); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		values = append(values, v)
	}
	if err := rows.Err(); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return values
}

// wantUnplanted fails if something that was planted is in content.
func wantUnplanted(t *testing.T, where string, content []byte) {
	t.Helper()
	lower := bytes.ToLower(content)
	for _, mark := range []string{plantedMark, plantedCard, "4000 0566 5566 5556"} {
		if i := bytes.Index(lower, []byte(mark)); i >= 0 {
			t.Errorf("in %s: %q", where, lower[max(0, i-80):min(len(lower), i+60)])
		}
	}
}
