package deed

import (
	"sundew/digester/store"
	"sundew/digester/words"
)

// NoteRetried notes that dead letters were put back into their queue, which no
// transaction is around.
func NoteRetried(tx *store.Tx, by By, letters int, queue string) error {
	return by.audit(tx, store.AuditEntry{Action: "dead-letter.retry", Subject: words.Counted(int64(letters), "message"), Detail: "queue " + queue})
}
