package dashboard

import (
	"net/http"
	"strconv"

	"sundew/digester/store"
	"sundew/schema/event"
)

// pathNumber reads a positive number from the path. Anything else names nothing:
// store.ErrNotFound.
func pathNumber(r *http.Request, name string) (int64, error) {
	n, err := strconv.ParseInt(r.PathValue(name), 10, 64)
	if err != nil || n < 1 {
		return 0, store.ErrNotFound
	}
	return n, nil
}

// pathProjectID reads the project that the path's {id} names.
func pathProjectID(r *http.Request) (event.ProjectID, error) {
	id, err := pathNumber(r, "id")
	return event.ProjectID(id), err
}

// pathProject loads the project that the path's {id} names.
func pathProject(rx *store.Rx, r *http.Request) (store.Project, error) {
	id, err := pathProjectID(r)
	if err != nil {
		return store.Project{}, err
	}
	return rx.Project(id)
}

// queryNumber reads a number between 1 and highest from the query; anything else
// is the fallback.
func queryNumber(r *http.Request, name string, highest, fallback int64) int64 {
	n, err := strconv.ParseInt(r.URL.Query().Get(name), 10, 64)
	if err != nil || n < 1 || n > highest {
		return fallback
	}
	return n
}
