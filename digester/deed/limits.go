package deed

import (
	"strings"
	"time"

	"sundew/digester/store"
	"sundew/digester/words"
	"sundew/schema/event"
	"sundew/schema/quota"
)

// SetLimits says how much a project may report, and what is sampled.
func SetLimits(tx *store.Tx, by By, p store.Project, q store.Quotas) error {
	if err := tx.SetQuotas(p.ID, q); err != nil {
		return refusal(err)
	}
	return by.setting(tx, p, "project.limits", limitsWords(q.Limits)+"; "+spikeWords(q.Spike))
}

// SetAllLimits says how much all projects together may report.
func SetAllLimits(tx *store.Tx, by By, limits quota.Limits) error {
	if err := tx.SetQuotas(quota.Installation, store.Quotas{Limits: limits, Spike: store.UsualSpike}); err != nil {
		return refusal(err)
	}
	return by.audit(tx, store.AuditEntry{Action: "installation.limits", Subject: "all projects together", Detail: limitsWords(limits)})
}

// LimitUses returns how far what is set for a project, or the installation, is used up.
func LimitUses(rx *store.Rx, project event.ProjectID, now time.Time) ([]quota.Use, error) {
	set, err := rx.Quotas(project)
	if err != nil || set.Limits == (quota.Limits{}) {
		return nil, err
	}
	record, err := rx.QuotaRecord(project)
	return quota.Read(project, set.Limits, record.Counted, now), err
}

// limitsWords says for the audit log what is limited.
func limitsWords(limits quota.Limits) string {
	var all []string
	for _, q := range limits.Quotas(quota.Installation) {
		all = append(all, words.Count(q.Limit)+" "+q.Class.String()+" in "+q.Window.Span())
	}
	if len(all) == 0 {
		return "no limits"
	}
	return strings.Join(all, ", ")
}

// spikeWords says for the audit log what is sampled.
func spikeWords(spike int64) string {
	switch spike {
	case store.UsualSpike:
		return "spikes as usual"
	case 0:
		return "every event is stored"
	}
	return "of an issue " + words.Counted(spike, "event") + " a minute are all stored"
}
