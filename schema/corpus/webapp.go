package corpus

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// WebApp is the minified web application that the recorded cases "browser-…"
// were thrown in.
type WebApp struct {
	Bundle []byte            // as sentry-cli uploads it: an artifact bundle
	Files  map[string][]byte // the files in it, by their base name, e.g. "app-2Y6DPYNI.js.map"
	Cases  map[string]WebAppCase
}

// WebAppCase is what is expected of the event of one recorded case.
type WebAppCase struct {
	EventID string        `json:"event_id"`
	Frames  []WebAppFrame `json:"frames"` // of all its stacks, in the order sent
}

// WebAppFrame is a frame as it was sent, and where it comes from.
type WebAppFrame struct {
	Exception string        `json:"exception"` // type of the exception it belongs to
	Filename  string        `json:"filename"`
	Line      int           `json:"lineno"`
	Column    int           `json:"colno"`
	Function  string        `json:"function"`
	DebugID   string        `json:"debug_id"`
	Original  *WebAppOrigin `json:"original"` // nil: no map knows it
}

// WebAppOrigin is a place in a source, line and column counted from 1.
type WebAppOrigin struct {
	Source      string `json:"source"`
	Line        int    `json:"lineno"`
	Column      int    `json:"colno"`
	TokenName   string `json:"token_name"`
	ContextLine string `json:"context_line"` // its first 200 characters
}

// LoadWebApp returns the application's files and what is expected of its events.
func LoadWebApp() (WebApp, error) {
	var app WebApp
	var err error
	if app.Bundle, err = data.ReadFile("testdata/web-app/artifact-bundle.sysb.zip"); err != nil {
		return app, err
	}
	expected, err := data.ReadFile("testdata/web-app/expected-frames.json")
	if err != nil {
		return app, err
	}
	if err := json.Unmarshal(expected, &app.Cases); err != nil {
		return app, fmt.Errorf("expected frames: %w", err)
	}
	app.Files, err = unzip(app.Bundle)
	return app, err
}

// unzip returns the files of an archive by their base names.
func unzip(archive []byte) (map[string][]byte, error) {
	files := map[string][]byte{}
	z, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		return nil, err
	}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			return nil, err
		}
		content, err := io.ReadAll(r)
		if err != nil {
			return nil, err
		}
		files[f.Name[strings.LastIndexByte(f.Name, '/')+1:]] = content
	}
	return files, nil
}
