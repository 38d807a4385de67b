package sqldb

import "github.com/tolmach/tolmach/internal/chat"

const loginColumns = `token_hash, tenant_id, operator_id, created_at, expires_at`

func scanLogin(row scanner, l *chat.Login) error {
	return row.Scan(&l.TokenHash, &l.TenantID, &l.OperatorID, &l.CreatedAt, &l.ExpiresAt)
}

// Login implements chat.LoginReader. It returns expired logins too: whether
// one still counts is the caller's rule.
func (r *Reader) Login(tokenHash string) (*chat.Login, error) {
	return one(r.conn, "login", scanLogin, `SELECT `+loginColumns+` FROM logins WHERE token_hash = $1`, tokenHash)
}

// LoginsOf implements chat.LoginReader.
func (r *Reader) LoginsOf(tenant, operator chat.ID) ([]chat.Login, error) {
	return many(r.conn, "logins", scanLogin,
		`SELECT `+loginColumns+` FROM logins WHERE operator_id = $1 AND tenant_id = $2`, operator, tenant)
}

// AddLogin implements chat.LoginWriter.
func (t *Tx) AddLogin(l *chat.Login) error {
	return t.claim("login",
		`INSERT INTO logins (`+loginColumns+`) VALUES ($1, $2, $3, $4, $5)
		 ON CONFLICT DO NOTHING`,
		l.TokenHash, l.TenantID, l.OperatorID, l.CreatedAt, l.ExpiresAt)
}

// DeleteLogin implements chat.LoginWriter. It is no error when it is gone
// already.
func (t *Tx) DeleteLogin(tokenHash string) error {
	_, err := t.exec("login", `DELETE FROM logins WHERE token_hash = $1`, tokenHash)
	return err
}

// DeleteLoginsOf implements chat.LoginWriter.
func (t *Tx) DeleteLoginsOf(tenant, operator chat.ID) error {
	_, err := t.exec("logins", `DELETE FROM logins WHERE operator_id = $1 AND tenant_id = $2`, operator, tenant)
	return err
}

// PruneLogins implements chat.LoginWriter: those that expired before the
// moment.
func (t *Tx) PruneLogins(before chat.Micros) error {
	_, err := t.exec("logins", `DELETE FROM logins WHERE expires_at < $1`, before)
	return err
}
