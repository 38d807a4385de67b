package storetest

import (
	"testing"

	"github.com/tolmach/tolmach/internal/chat"
)

func loginTests() map[string]func(*testing.T, *fixture) {
	return map[string]func(*testing.T, *fixture){
		"logins come and go": func(t *testing.T, f *fixture) {
			login := func(hash string, operator chat.ID, expires chat.Micros) *chat.Login {
				return &chat.Login{TokenHash: hash, TenantID: ours, OperatorID: operator, CreatedAt: 1, ExpiresAt: expires}
			}
			all := []*chat.Login{login("a", 1, 10), login("b", 1, 20), login("c", 2, 30), login("d", 3, 40)}
			f.update(func(tx chat.Tx) error {
				for _, l := range all {
					if err := tx.AddLogin(l); err != nil {
						return err
					}
				}
				return nil
			})
			left := func(want string) {
				t.Helper()
				got := ""
				for _, l := range all {
					err := f.try(func(tx chat.Tx) error {
						found, err := tx.Login(l.TokenHash)
						if err == nil && *found != *l {
							return chat.Errorf(chat.CodeInternal, "login is %+v, want %+v", *found, *l)
						}
						return err
					})
					switch chat.ErrorCode(err) {
					case "":
						got += l.TokenHash
					case chat.CodeNotFound:
					default:
						t.Fatal(err)
					}
				}
				equal(t, "logins left", got, want)
			}
			left("abcd")
			for operator, want := range map[chat.ID]int{1: 2, 2: 1, 4: 0} {
				equal(t, "of one operator", len(read(f, func(r chat.Reader) ([]chat.Login, error) { return r.LoginsOf(ours, operator) })), want)
			}
			f.update(func(tx chat.Tx) error { return tx.DeleteLogin("d") })
			f.update(func(tx chat.Tx) error { return tx.DeleteLogin("d") })
			left("abc")
			f.update(func(tx chat.Tx) error { return tx.PruneLogins(20) })
			left("bc")
			f.update(func(tx chat.Tx) error { return tx.DeleteLoginsOf(ours, 1) })
			left("c")
		},
	}
}
