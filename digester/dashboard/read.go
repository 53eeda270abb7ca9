package dashboard

import (
	"net/http"

	"sundew/digester/store"
)

// reader is the handler of a page. It has nothing to write with.
type reader func(rx *store.Rx, r *http.Request) (reply, error)

// get adds a page; HEAD is included.
func (d *Dashboard) get(path string, may guard, handle reader) {
	d.handle("GET "+path, func(w http.ResponseWriter, r *http.Request) { d.read(w, r, may, handle) })
}

// read answers with what a handler makes of one read transaction; of a copy that
// lacks what the reader has changed, with what the primary makes of it.
func (d *Dashboard) read(w http.ResponseWriter, r *http.Request, may guard, handle reader) {
	changed := d.changedAt(r)
	here := func(error) { d.readHere(w, r, may, handle, changed) }
	if d.forward == nil {
		here(nil)
		return
	}
	if !d.reaches(r.Context(), changed) {
		d.handOn(w, r, here)
		return
	}
	rep, seen, err := d.look(r, may, handle, changed)
	// A libSQL replica that has just started may answer with its primary's position
	// first and out of its own file after that.
	if rep.fresh != nil && rep.fresh.Lack {
		d.handOn(w, r, here)
		return
	}
	d.answer(w, seen, rep, err)
}

// readHere is read without a look at the primary.
func (d *Dashboard) readHere(w http.ResponseWriter, r *http.Request, may guard, handle reader, changed int64) {
	rep, seen, err := d.look(r, may, handle, changed)
	d.answer(w, seen, rep, err)
}

// look makes the reply of one read transaction, for who is found there to ask.
func (d *Dashboard) look(r *http.Request, may guard, handle reader, changed int64) (rep reply, seen *http.Request, err error) {
	var v visitor
	err = d.cfg.Replica.Read(r.Context(), func(rx *store.Rx) error {
		fresh, err := d.freshness(rx, changed)
		if err != nil {
			return err
		}
		entered, err := d.enter(rx, r, may)
		if err == nil {
			rep, err = handle(rx, entered)
		}
		rep.fresh, v = fresh, visitorOf(entered)
		return err
	})
	return rep, as(r, v), err
}
