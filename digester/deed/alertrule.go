package deed

import (
	"errors"
	"fmt"
	"slices"

	"sundew/digester/alert"
	"sundew/digester/store"
	"sundew/digester/words"
)

// AddAlertRule makes a rule of a project, and notes it. Like those below it asks
// nothing about who may, and returns *Unfit where the rule will not do.
func AddAlertRule(tx *store.Tx, by By, p store.Project, rule alert.Rule) (store.AlertRule, error) {
	if err := checkRuleChannels(&tx.Rx, p, rule); err != nil {
		return store.AlertRule{}, err
	}
	made, err := tx.AddAlertRule(p.ID, rule)
	return made, noteRule(tx, by, p, rule, "add", err)
}

// ChangeAlertRule makes the rule that rule.ID names what rule says. Whether it is
// switched on is SwitchAlertRule's.
func ChangeAlertRule(tx *store.Tx, by By, p store.Project, rule alert.Rule) error {
	err := checkRuleChannels(&tx.Rx, p, rule)
	if err == nil {
		err = tx.ChangeAlertRule(p.ID, rule)
	}
	return noteRule(tx, by, p, rule, "change", err)
}

// SwitchAlertRule switches a rule on or off.
func SwitchAlertRule(tx *store.Tx, by By, p store.Project, rule alert.Rule, on bool) error {
	return noteRule(tx, by, p, rule, switched(on), tx.SetAlertRuleEnabled(p.ID, rule.ID, on))
}

// DeleteAlertRule deletes a rule; what it has led to stays in the log.
func DeleteAlertRule(tx *store.Tx, by By, p store.Project, rule alert.Rule) error {
	return noteRule(tx, by, p, rule, "delete", tx.DeleteAlertRule(p.ID, rule.ID))
}

// UnfitRule makes an *Unfit of what is wrong with a rule; other errors it returns as
// they are.
func UnfitRule(err error) error {
	if errors.Is(err, alert.ErrRule) || errors.Is(err, store.ErrInvalid) {
		return Cannot(words.Sentence(err.Error()))
	}
	return err
}

// checkRuleChannels returns *Unfit if a rule names a channel that the project does not
// have: the store would leave it out, and the rule would tell fewer than its author
// thinks.
func checkRuleChannels(rx *store.Rx, p store.Project, rule alert.Rule) error {
	if rule.AllChannels || len(rule.Channels) == 0 {
		return nil
	}
	channels, err := rx.Channels(p.ID)
	if err != nil {
		return err
	}
	for _, id := range rule.Channels {
		if !slices.ContainsFunc(channels, func(c store.Channel) bool { return c.ID == id }) {
			return Cannot(fmt.Sprintf("The project has no channel %d.", id))
		}
	}
	return nil
}

// noteRule notes what was done with a rule unless it failed.
func noteRule(tx *store.Tx, by By, p store.Project, rule alert.Rule, what string, err error) error {
	if err != nil {
		return UnfitRule(err)
	}
	return by.setting(tx, p, "alert-rule."+what, rule.Name)
}

// switched is what switching something on or off is called in the audit log.
func switched(on bool) string {
	if on {
		return "enable"
	}
	return "disable"
}
