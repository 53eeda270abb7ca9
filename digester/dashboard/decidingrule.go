package dashboard

import (
	"sundew/digester/grouping"
	"sundew/digester/store"
)

// decidingRule returns the fingerprint rule by which an event was grouped, as it was
// then, so that its page explains what happened and not what would happen today.
func decidingRule(meta store.EventMeta) grouping.Rules {
	rules, _ := grouping.ParseRules(meta.Rule) // it was parsed before it decided
	return rules
}
