package digest

import "sundew/schema/quota"

// admit marks what is over a quota to be dropped, in the order in which it came, and
// what is a spike's to be sampled.
func (d *Digester) admit(items []*item) {
	if d.cfg.Quotas == nil {
		return
	}
	for _, it := range items {
		in := &it.ready.in
		if it.counts = limited(it); !it.counts {
			continue
		}
		in.SpikeAfter = d.cfg.Quotas.Spike(in.Project)
		if reason, detail := d.cfg.Quotas.Admit(in); reason != "" {
			in.Drop, in.Detail = reason, detail
		}
	}
}

// limited reports whether a message counts towards quotas: if the key is not judged
// yet, it may be nobody's.
func limited(it *item) bool {
	in := &it.ready.in
	_, is := quota.ClassOf(in.Category)
	return is && !in.IsCounts && in.Drop == "" && in.Key == ""
}

// forget takes back that a message was counted.
func (d *Digester) forget(it *item) {
	if it.counts {
		d.cfg.Quotas.Forget(&it.ready.in)
		it.counts = false
	}
}
