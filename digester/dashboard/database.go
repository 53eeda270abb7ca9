package dashboard

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"strconv"
	"time"

	"sundew/digester/access"
	"sundew/digester/store"
)

// downloadPatience is how long a client may take nothing of a download.
const downloadPatience = time.Minute

// Errors of Config.Snapshot, which may be wrapped.
var (
	ErrSnapshotUnderWay = errors.New("the database is being downloaded already")
	ErrNoRoom           = errors.New("there is no room for a copy of the database")
)

// Snapshot is the whole database as one SQLite file, as it was at a moment. Close
// removes it.
type Snapshot struct {
	io.ReadCloser
	Name string // to save it under
	Size int64
}

// databasePage is where owners download all that there is.
type databasePage struct {
	shell
	Possible bool
	Error    string
}

// databaseRoutes are about the whole database. It has every secret of every user, so
// that owners get it, who have signed in lately; no token does.
func (d *Dashboard) databaseRoutes() {
	d.primary("/system/database", ofInstallation(access.Owner), d.showDatabase)
	d.form("/system/database", d.guarded(d.ownerRecently, d.downloadDatabase))
}

func (d *Dashboard) ownerRecently(rx *store.Rx, r *http.Request) error {
	if err := ofInstallation(access.Owner)(rx, r); err != nil {
		return err
	}
	return d.recently(rx, r)
}

func (d *Dashboard) databasePage() databasePage {
	return databasePage{shell: shell{Title: "Download the database", Trail: []crumb{{"System", d.links.system()}}}, Possible: d.cfg.Snapshot != nil}
}

// showDatabase is GET /system/database.
func (d *Dashboard) showDatabase(*store.Rx, *http.Request) (reply, error) {
	return show("database", d.databasePage()), nil
}

// downloadDatabase is POST /system/database. It is in the audit log before the first
// byte leaves.
func (d *Dashboard) downloadDatabase(w http.ResponseWriter, r *http.Request) {
	if d.cfg.Snapshot == nil {
		d.fail(w, r, store.ErrNotFound)
		return
	}
	file, err := d.cfg.Snapshot(r.Context())
	page := d.databasePage()
	switch {
	case errors.Is(err, ErrSnapshotUnderWay):
		page.Error = "Somebody downloads it at the moment. Try again when that is over."
	case errors.Is(err, ErrNoRoom):
		page.Error = "The copy does not fit on the server's disk, where it lies while it is downloaded."
	case err != nil:
		d.fail(w, r, err)
		return
	}
	if page.Error != "" {
		d.answer(w, r, returned("database", page), nil)
		return
	}
	defer file.Close() // it is a copy, and gone with that
	_, err = d.write(w, r, "download database", d.ownerRecently, func(tx *store.Tx, r *http.Request) error {
		return d.audit(tx, r, store.AuditEntry{Action: "database.download", Detail: formatSize(file.Size)})
	})
	if err != nil {
		d.fail(w, r, err)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/vnd.sqlite3")
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": file.Name}))
	h.Set("Content-Length", strconv.FormatInt(file.Size, 10))
	h.Set("Cache-Control", "no-store")
	d.stream(w, file)
}

// stream sends a file for as long as the client takes it, which may be longer than
// other answers may last.
func (d *Dashboard) stream(w http.ResponseWriter, file io.Reader) {
	control := http.NewResponseController(w)
	buf := make([]byte, 256<<10)
	for {
		n, err := file.Read(buf)
		// The clock of the operating system: the deadline is the connection's.
		_ = control.SetWriteDeadline(time.Now().Add(downloadPatience)) // without it the server's own holds
		if n > 0 {
			if _, err := w.Write(buf[:n]); err != nil {
				return // the client has gone
			}
		}
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			d.cfg.Log.Error().Err(err).Msg("a download of the database broke off")
			panic(http.ErrAbortHandler) // so that the client sees that it is not whole
		}
	}
}
