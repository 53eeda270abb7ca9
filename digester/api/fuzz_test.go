package api

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
)

// FuzzAddress asks for whatever address. Every answer is JSON, and none is our fault.
func FuzzAddress(f *testing.F) {
	for _, seed := range [][2]string{
		{"/organizations/x/issues/", "query=is:unresolved&statsPeriod=14d&cursor=0:1:0&limit=2"}, {"/issues/WEB-SHOP-1/events/latest", "full=true"},
		{"//projects/%2e%2e/web%2Fshop/issues/", "id=1&id=x"}, {"/organizations/x/tags/", "project=-1&project=%00"}, {"/issues/1/tags/level/values/", "cursor=9:9:1"},
		{"/projects/x/1/user-feedback/", "cursor=1:0:1&per_page=0"}, {"/organizations/x/eventids/" + "zz/", "environment=&start=2026-01-01&end=x"}, {"/openapi.json", ""},
	} {
		f.Add(seed[0], seed[1])
	}
	r := newRig(f, func(c *Config) { c.PerMin = 1 << 40 })
	r.furnish()
	f.Fuzz(func(t *testing.T, path, query string) {
		plain, err := url.PathUnescape(path)
		if err != nil {
			t.Skip()
		}
		req := httptest.NewRequest(http.MethodGet, "/", nil)
		req.URL = &url.URL{Path: Root + plain, RawPath: Root + path, RawQuery: query}
		req.Header.Set("Authorization", "Bearer "+r.ownerToken)
		w := httptest.NewRecorder()
		r.api.ServeHTTP(w, req)
		text, err := io.ReadAll(w.Result().Body)
		if err != nil {
			t.Fatal(err)
		}
		if w.Code >= http.StatusInternalServerError && w.Code != http.StatusNotImplemented || w.Code != http.StatusNoContent && !json.Valid(text) {
			t.Errorf("%s?%s answered %d: %.300s", path, query, w.Code, text)
		}
	})
}
