package digest

import (
	"sundew/digester/store"
	"sundew/schema/quota"
)

// admit marks what is over a quota to be dropped, in the order in which it came, and
// what is a spike's to be sampled.
func (d *Digester) admit(items []*item) {
	if d.cfg.Quotas == nil {
		return
	}
	for _, it := range items {
		in := &it.ready.in
		if !isLimited(in) {
			continue
		}
		in.SpikeAfter = d.cfg.Quotas.Spike(in.Project)
		if in.Key != "" && d.cfg.Active != nil && d.cfg.Active(in.Project, in.Key) {
			in.Key = "" // as if the edge had known it
		}
		if it.counts = in.Key == ""; !it.counts { // it may be nobody's
			continue
		}
		if reason, detail := d.cfg.Quotas.Admit(in); reason != "" {
			in.Drop, in.Detail = reason, detail
		}
	}
}

// isLimited reports whether a message is of a kind of which there may be too many.
func isLimited(in *store.Incoming) bool {
	_, is := quota.ClassOf(in.Category)
	return is && !in.IsCounts && in.Drop == ""
}

// forget takes back that a message was counted.
func (d *Digester) forget(it *item) {
	if it.counts {
		d.cfg.Quotas.Forget(&it.ready.in)
		it.counts = false
	}
}
