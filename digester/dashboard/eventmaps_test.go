package dashboard

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"sundew/digester/store"
	"sundew/digester/store/storetest"
	"sundew/digester/symbolicate"
	"sundew/digester/symbolicate/scripts"
	"sundew/schema/corpus"
	"sundew/schema/event/eventtest"
	"sundew/schema/wire"
)

// symbolicate stores what the maps that are there say of an event.
func (s *site) symbolicate(cache *scripts.Cache, ev stored, p eventtest.Payload) {
	s.t.Helper()
	parsed, err := p.Skim()
	if err != nil {
		s.t.Fatal(err)
	}
	found, err := cache.Find(s.t.Context(), s.project.ID, symbolicate.Refs(parsed))
	if err != nil {
		s.t.Fatal(err)
	}
	s.overlay(ev, symbolicate.Symbolicate(parsed, found))
}

// overlay stores what maps say of an event.
func (s *site) overlay(ev stored, o symbolicate.Overlay) {
	s.t.Helper()
	symbols := store.EventSymbols{Event: ev.Event.ID, Title: ev.Event.Title}
	symbols.Body, symbols.Encoding = wire.NewCodec().Compress(o.Encode())
	if err := s.db.Write(s.t.Context(), "test", func(tx *store.Tx) error { return tx.StoreSymbols([]store.EventSymbols{symbols}) }); err != nil {
		s.t.Fatal(err)
	}
}

// An event with source maps shows the source, or what was sent, and its JSON stays what
// was sent; one without says what is missing, and why if it is asked.
func TestEventMaps(t *testing.T) {
	var cache *scripts.Cache // shared, so that the page need not wait for it
	s := newSite(t, func(cfg *Config) {
		cache = scripts.New(scripts.Config{From: cfg.Replica, Within: time.Minute})
		cfg.Scripts = cache
	})
	app, err := corpus.LoadWebApp()
	if err != nil {
		t.Fatal(err)
	}
	var thrown eventtest.Payload
	for _, p := range eventtest.Captured(t) {
		if strings.HasPrefix(p.Name, "browser-onerror") && len(app.Cases[p.Name].Frames) > 0 {
			thrown = p
		}
	}
	ev := s.digest(thrown, testNow)
	page := fmt.Sprintf("/issues/%d/events/%d", ev.Issue, ev.Event.Number)
	without := s.mustGet(page)
	mustContain(t, without, "no source map</span>", "look minified", "Explain each script", "Why no source?", "chunk-GYCTDB27.js:3:940")
	mustLack(t, without, "Show as sent", "src/cart.ts")
	mustContain(t, s.mustGet(page+"?maps=explained"), "Nothing was uploaded to this project yet", "What to do:", "link-broken", "Hide the steps")

	storetest.MustPublish(t, s.db, s.project.ID, "", app.Bundle)
	cache.Forget(s.project.ID)
	s.symbolicate(cache, ev, thrown)
	with := s.mustGet(page)
	mustContain(t, with, "src/cart.ts:9:40", "applyCoupon", "Show as sent", "read from the source")
	mustLack(t, with, "no source map</span>", "Why no source?", "cannot be shown", "chunk-GYCTDB27.js:3:940", "Found by release and address")
	explained := s.mustGet(page + "?maps=explained")
	mustContain(t, explained, "link-held")
	mustLack(t, explained, "link-broken", "What to do:")
	sent := s.mustGet(page + "?as=sent")
	mustContain(t, sent, "chunk-GYCTDB27.js:3:940", "Show the source")
	mustLack(t, sent, "src/cart.ts:9:40")
	mustContain(t, s.mustGet(page+"/markdown"), "applyCoupon", "src/cart.ts:9:40")
	raw := s.mustGet(page + "/json")
	mustLack(t, raw, "src/cart.ts")
	if !json.Valid([]byte(raw)) {
		t.Error("the JSON is none")
	}
}

// Where only a release and an address led to a map, it may be of another build.
func TestMapsByAddress(t *testing.T) {
	s := newSite(t, nil)
	ev := s.digest(eventtest.Payload{Name: "by address", JSON: []byte(`{"event_id":"0123456789abcdef0123456789abcdef","platform":"javascript","release":"shop@1","exception":{"values":[
		{"type":"Error","stacktrace":{"frames":[{"filename":"https://example.com/a.js","lineno":1,"colno":900}]}}]}}`)}, testNow)
	frame := symbolicate.Frame{Filename: "src/a.ts", Function: "load", Line: 3, Column: 1}
	s.overlay(ev, symbolicate.Overlay{Stacks: []symbolicate.Stack{{Place: symbolicate.Place{Kind: symbolicate.OfException}, Frames: []symbolicate.Frame{frame}}}})
	mustContain(t, s.mustGet(fmt.Sprintf("/issues/%d/events/1", ev.Issue)), "src/a.ts:3:1", "Found by release and address", "<code>sentry-cli sourcemaps inject</code>")
}

// An event that moved to another issue is found where it was.
func TestMovedEvent(t *testing.T) {
	s := newSite(t, nil)
	ev, other := s.message("one message", testNow), s.message("one message", testNow)
	if ev.Issue != other.Issue {
		t.Fatalf("issues %d and %d", ev.Issue, other.Issue)
	}
	keys := []store.Regrouped{
		{Event: ev.Event.ID, Mapped: true, Key: [16]byte{1}, Rules: 1, Title: "first"},
		{Event: other.Event.ID, Mapped: true, Key: [16]byte{2}, Rules: 1, Title: "second"},
	}
	if err := s.db.Write(t.Context(), "test", func(tx *store.Tx) error {
		_, err := tx.Regroup(ev.Issue, keys)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	resp := s.get(fmt.Sprintf("/issues/%d/events/1", ev.Issue))
	if want := fmt.Sprintf("/issues/%d/events/1", ev.Issue+1); resp.StatusCode != 303 || resp.Header.Get("Location") != want {
		t.Errorf("status %d, to %q, want %q", resp.StatusCode, resp.Header.Get("Location"), want)
	}
	mustContain(t, s.mustGet(fmt.Sprintf("/issues/%d", ev.Issue)), "Source maps arrived: 1 event moved to WEB-SHOP-2", "second")
	mustContain(t, s.mustGet(fmt.Sprintf("/issues/%d", ev.Issue+1)), "Source maps arrived: 1 event moved here from WEB-SHOP-1", "first")
	s.mustGet(fmt.Sprintf("/issues/%d/events/1/json", ev.Issue))
}

func TestMapsSummary(t *testing.T) {
	for want, v := range map[string]mapsView{
		"1 call read from the source.":                               {Mapped: 1},
		"2 calls read from the source, 1 call without a source map.": {Mapped: 2, Unmapped: 1, Bare: 1},
		"2 calls read from the source. No lines can be shown: the source map does not bring the text of the source.": {Mapped: 2, Bare: 2},
		"2 calls read from the source. Lines of 1 cannot be shown: the source map does not bring their text.":        {Mapped: 2, Bare: 1},
		"No source map was used: the scripts look as they were written.":                                             {},
	} {
		if got := v.Summary(); got != want {
			t.Errorf("%+v is %q, want %q", v, got, want)
		}
	}
}
