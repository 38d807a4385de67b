package storetest

import (
	"fmt"
	"testing"

	"github.com/tolmach/tolmach/internal/chat"
)

func keyTests() map[string]func(*testing.T, *fixture) {
	return map[string]func(*testing.T, *fixture){
		"a key is kept whole, per scope, and taken once": func(t *testing.T, f *fixture) {
			k := &chat.IdempotencyKey{
				TenantID: ours, Scope: "operator:9", Key: "ключ", Fingerprint: "f", ConversationID: 1, MessageID: 2, CreatedAt: 3,
			}
			get := func(scope, key string) func(tx chat.Tx) (*chat.IdempotencyKey, error) {
				return func(tx chat.Tx) (*chat.IdempotencyKey, error) { return tx.Key(ours, scope, key) }
			}
			missing := func(scope, key string) {
				t.Helper()
				f.refused(chat.CodeNotFound, func(tx chat.Tx) error { _, err := get(scope, key)(tx); return err })
			}
			missing("operator:9", "ключ")
			f.update(func(tx chat.Tx) error { return tx.PutKey(k) })
			equal(t, "kept", write(f, get("operator:9", "ключ")), k)
			missing("operator:8", "ключ")
			missing("operator:9", "КЛЮЧ")
			f.refused(chat.CodeConflict, func(tx chat.Tx) error { return tx.PutKey(k) })
		},
		"pruning forgets the oldest": func(t *testing.T, f *fixture) {
			f.update(func(tx chat.Tx) error {
				for i := range 10 {
					err := tx.PutKey(&chat.IdempotencyKey{TenantID: ours, Scope: "s", Key: fmt.Sprint(i), CreatedAt: chat.Micros(i)})
					if err != nil {
						return err
					}
				}
				return nil
			})
			prune := func(limit int) int {
				return write(f, func(tx chat.Tx) (int, error) { return tx.PruneKeys(7, limit) })
			}
			equal(t, "chunks", []int{prune(5), prune(5), prune(5)}, []int{5, 2, 0})
			for i := range 10 {
				err := f.try(func(tx chat.Tx) error { _, err := tx.Key(ours, "s", fmt.Sprint(i)); return err })
				if gone := chat.ErrorCode(err) == chat.CodeNotFound; gone != (i < 7) {
					t.Fatalf("key of %d when keys before 7 are pruned: %v", i, err)
				}
			}
		},
	}
}
