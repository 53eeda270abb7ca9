package deed

import (
	"fmt"
	"slices"
	"strings"

	"sundew/digester/store"
	"sundew/schema/event"
)

// named is how many issues an entry of the audit log names.
const named = 10

// audit notes what was done to issues of a project, in one entry.
func (a Action) audit(tx *store.Tx, by By, project event.ProjectID, before []store.Issue, changed []int64) error {
	var names []string
	for _, issue := range before {
		if issue.ProjectID == project && slices.Contains(changed, issue.ID) {
			names = append(names, issue.ShortID())
		}
	}
	if len(names) == 0 {
		return nil
	}
	subject := strings.Join(names[:min(len(names), named)], ", ")
	if more := len(names) - named; more > 0 {
		subject += fmt.Sprintf(" and %d more", more)
	}
	detail, err := a.detail(&tx.Rx)
	if err != nil {
		return err
	}
	return by.audit(tx, store.AuditEntry{Action: "issue." + string(a.Verb), Project: project, Subject: subject, Detail: detail})
}

func (b By) audit(tx *store.Tx, e store.AuditEntry) error {
	e.Address = b.Address
	return tx.Audit(b.Person, e)
}

// detail is what the audit log says of an action beside its verb and the issues.
func (a Action) detail(rx *store.Rx) (string, error) {
	switch a.Verb {
	case Resolve:
		return ResolutionWords(a.Resolve), nil
	case Mute:
		return MuteWords(a.Mute, a.Mute.Events), nil
	case Assign:
		name, err := AssigneeName(rx, a.Assign)
		if name == "" {
			name = "nobody"
		}
		return "to " + name, err
	case Merge, Unmerge:
		head, err := rx.Issue(a.Head)
		if a.Verb == Unmerge {
			return "from " + head.ShortID(), err
		}
		return "into " + head.ShortID(), err
	}
	return "", nil
}
