package dashboard

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httputil"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"sundew/digester/store"
)

// Copy makes a dashboard one of a copy of the database: it shows how old its
// pages are, and hands to the primary what a copy cannot do.
type Copy struct {
	Primary *url.URL // of the primary's dashboard; nil: it is not known

	// Wait returns whether the copy has reached a position of the primary, and if
	// not waits for it until ctx is done.
	Wait func(ctx context.Context, position int64) bool

	// Old is from which age on a page warns of it: the primary is down, or what
	// feeds the copy.
	Old time.Duration
}

const (
	// positionCookie holds the position after the last write of a browser, so that
	// the next page it gets shows that write wherever it is read.
	positionCookie = "sundew_position"

	// positionKept is for how long: no copy lags for longer without a warning.
	positionKept = 2 * time.Minute

	// positionWait is how long a page waits for the copy.
	positionWait = time.Second

	// primaryPatience bounds how long the primary may take to answer.
	primaryPatience = 20 * time.Second
)

// Errors of a dashboard of a copy.
var (
	errReadOnly    = errors.New("a copy cannot be written")
	errPrimaryDown = errors.New("the primary does not answer")
)

// freshness is what a page of a copy says about its age.
type freshness struct {
	At   time.Time
	Old  bool
	Lack bool // of what the reader has changed himself
}

// freshness reads how old a snapshot is, for a reader who has changed something at
// a position; nil: it is not one of a copy.
func (d *Dashboard) freshness(rx *store.Rx, changed int64) (*freshness, error) {
	if d.cfg.Copy == nil {
		return nil, nil
	}
	p, err := rx.Position()
	return &freshness{At: p.At, Old: d.cfg.Now().Sub(p.At) > d.cfg.Copy.Old, Lack: p.Number < changed}, err
}

// rememberPosition lets the browser's next page show the write at a position.
func (d *Dashboard) rememberPosition(w http.ResponseWriter, position int64) {
	http.SetCookie(w, &http.Cookie{
		Name: positionCookie, Value: strconv.FormatInt(position, 10), Path: d.links.base + "/",
		MaxAge: int(positionKept.Seconds()), HttpOnly: true, SameSite: http.SameSiteLaxMode,
		Secure: strings.HasPrefix(d.cfg.PublicURL, "https:"),
	})
}

// changedAt returns the position after a reader's last change; 0: it is not known.
func (d *Dashboard) changedAt(r *http.Request) int64 {
	cookie, err := r.Cookie(positionCookie)
	if d.cfg.Copy == nil || err != nil {
		return 0
	}
	position, err := strconv.ParseInt(cookie.Value, 10, 64)
	if err != nil {
		return 0
	}
	return position
}

// reaches returns whether the copy comes to a position while a page may wait.
func (d *Dashboard) reaches(ctx context.Context, position int64) bool {
	if position == 0 {
		return true
	}
	ctx, cancel := context.WithTimeout(ctx, positionWait)
	defer cancel()
	return d.cfg.Copy.Wait(ctx, position)
}

// newForward returns what hands requests to the primary; nil where it is not
// known.
func (d *Dashboard) newForward() http.Handler {
	if !d.cfg.hasPrimary() {
		return nil
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.ResponseHeaderTimeout = primaryPatience
	return &httputil.ReverseProxy{
		Rewrite: func(p *httputil.ProxyRequest) {
			p.SetURL(d.cfg.Copy.Primary)
			p.SetXForwarded()
			// That the form is ours was found out here. The primary has another name
			// and would take it for a foreign one.
			p.Out.Header.Del("Origin")
			p.Out.Header.Del("Sec-Fetch-Site")
		},
		Transport: transport,
		ErrorLog:  log.New(io.Discard, "", 0), // ErrorHandler has it
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			setSecurity(w.Header())
			r.Context().Value(otherwiseKey{}).(func(error))(errors.Join(errPrimaryDown, err))
		},
	}
}

type otherwiseKey struct{}

// handOn lets the primary answer a request, otherwise is called if it does not.
func (d *Dashboard) handOn(w http.ResponseWriter, r *http.Request, otherwise func(error)) {
	clear(w.Header()) // the primary sets the same
	d.forward.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), otherwiseKey{}, otherwise)))
}

// handOnPage hands a page to the primary.
func (d *Dashboard) handOnPage(w http.ResponseWriter, r *http.Request) {
	if d.forward == nil {
		d.fail(w, r, errReadOnly)
		return
	}
	d.handOn(w, r, func(err error) { d.fail(w, r, err) })
}

// handOnForm hands a form to the primary. Where that is not possible the answer
// has what was typed into it.
func (d *Dashboard) handOnForm(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxForm))
	if err != nil {
		d.fail(w, r, errors.Join(errForm, err))
		return
	}
	otherwise := func(err error) { d.failTyped(w, r, err, body) }
	if d.forward == nil {
		otherwise(errReadOnly)
		return
	}
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	d.handOn(w, r, otherwise)
}

// failTyped is fail for a form that was not handed on.
func (d *Dashboard) failTyped(w http.ResponseWriter, r *http.Request, err error, body []byte) {
	values, _ := url.ParseQuery(string(body)) // what can be read of it
	primary := ""
	if d.cfg.Copy.Primary != nil {
		primary = d.cfg.Copy.Primary.String()
	}
	d.failWith(w, r, err, typedIn(values), primary)
}

// typedIn returns what was typed into a form, but for what nobody may see.
func typedIn(form url.Values) (typed []string) {
	for name, texts := range form {
		if name != "password" {
			typed = append(typed, texts...)
		}
	}
	slices.Sort(typed)
	return typed
}
