package dashboard

import (
	"net/http"
	"net/url"
)

// eventOptions is how a reader wants to see an event: the query of its page.
type eventOptions struct {
	Order  frameOrder
	Crumbs string // which breadcrumbs; empty: all

	AsSent    bool // frames as they were sent, not those of the source
	Explained bool // how source maps were looked for
}

// parseEventOptions reads the query of an event page.
func parseEventOptions(r *http.Request) eventOptions {
	query := r.URL.Query()
	options := eventOptions{Crumbs: query.Get("crumbs"), AsSent: query.Get("as") == "sent", Explained: query.Get("maps") == "explained"}
	if query.Get("frames") == "oldest" {
		options.Order = oldestFirst
	}
	return options
}

// query returns the address's query; what is the default is left out.
func (o eventOptions) query() string {
	values := url.Values{}
	if o.Order == oldestFirst {
		values.Set("frames", "oldest")
	}
	if o.Crumbs != "" {
		values.Set("crumbs", o.Crumbs)
	}
	if o.AsSent {
		values.Set("as", "sent")
	}
	if o.Explained {
		values.Set("maps", "explained")
	}
	if len(values) == 0 {
		return ""
	}
	return "?" + values.Encode()
}

// OldestFirst reports whether frames are in the order of the calls.
func (o eventOptions) OldestFirst() bool { return o.Order == oldestFirst }

// Turned is the same with frames in the other order.
func (o eventOptions) Turned() eventOptions {
	o.Order = oldestFirst - o.Order
	return o
}

// Only is the same with the breadcrumbs of a filter.
func (o eventOptions) Only(crumbs string) eventOptions {
	o.Crumbs = crumbs
	return o
}

// Otherwise is the same with frames as they were sent in place of those of the source,
// or the other way round.
func (o eventOptions) Otherwise() eventOptions {
	o.AsSent = !o.AsSent
	return o
}

// Explain is the same with how source maps were looked for, or without it.
func (o eventOptions) Explain() eventOptions {
	o.Explained = !o.Explained
	return o
}
