package sqldb

import (
	"encoding/json"

	"github.com/tolmach/tolmach/internal/chat"
)

// Tenants implements chat.SettingReader, by rising id.
func (r *Reader) Tenants() ([]chat.Tenant, error) {
	scan := func(row scanner, t *chat.Tenant) error { return row.Scan(&t.ID, &t.Name, &t.CreatedAt) }
	return many(r.conn, "tenants", scan, `SELECT id, name, created_at FROM tenants ORDER BY id`)
}

// Settings implements chat.SettingReader.
func (r *Reader) Settings() ([]chat.Setting, error) {
	scan := func(row scanner, s *chat.Setting) error {
		var body string
		err := row.Scan(&s.ID, &s.TenantID, &s.Kind, &s.Name, &body, &s.CreatedAt)
		s.Body = json.RawMessage(body)
		return err
	}
	return many(r.conn, "settings", scan, `SELECT id, tenant_id, kind, name, body, created_at FROM settings ORDER BY id, tenant_id, kind`)
}

// SettingsVersion implements chat.SettingReader.
func (r *Reader) SettingsVersion() (int64, error) {
	version, err := one(r.conn, "version of the settings", scalar[int64],
		`SELECT value FROM sequences WHERE name = 'settings'`)
	if err != nil {
		return 0, err
	}
	return *version, nil
}

// Targets implements chat.SettingReader, by name.
func (r *Reader) Targets(tenant, task chat.ID) ([]chat.Target, error) {
	scan := func(row scanner, t *chat.Target) error {
		return row.Scan(&t.TenantID, &t.TaskID, &t.Name, &t.CreatedAt)
	}
	return many(r.conn, "targets", scan,
		`SELECT tenant_id, task_id, name, created_at FROM targets WHERE task_id = $1 AND tenant_id = CAST($2 AS BIGINT) ORDER BY name`,
		task, tenant)
}

// Secret implements chat.SettingReader.
func (r *Reader) Secret(name string) ([]byte, error) {
	value, err := one(r.conn, "secret", scalar[[]byte], `SELECT value FROM secrets WHERE name = $1`, name)
	if err != nil {
		return nil, err
	}
	return *value, nil
}

// CreateTenant implements chat.SettingWriter. CodeConflict when the name is
// taken.
func (t *Tx) CreateTenant(tenant *chat.Tenant) error {
	return t.claim("tenant",
		`INSERT INTO tenants (id, name, created_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`,
		tenant.ID, tenant.Name, tenant.CreatedAt)
}

// SaveSetting implements chat.SettingWriter. CodeConflict when another setting
// of the kind has the name.
func (t *Tx) SaveSetting(s *chat.Setting) error {
	_, err := t.exec("setting",
		`INSERT INTO settings (tenant_id, kind, id, name, body, created_at) VALUES ($1, $2, $3, $4, $5, $6)
		 ON CONFLICT (tenant_id, kind, id) DO UPDATE SET name = excluded.name, body = excluded.body`,
		s.TenantID, s.Kind, s.ID, s.Name, string(s.Body), s.CreatedAt)
	return err
}

// DeleteSetting implements chat.SettingWriter. CodeNotFound when there is none.
func (t *Tx) DeleteSetting(tenant chat.ID, kind chat.Kind, id chat.ID) error {
	return t.change("setting", `DELETE FROM settings WHERE tenant_id = $1 AND kind = $2 AND id = $3`, tenant, kind, id)
}

// BumpSettings implements chat.SettingWriter.
func (t *Tx) BumpSettings() error {
	return t.change("version of the settings", `UPDATE sequences SET value = value + 1 WHERE name = 'settings'`)
}

// AddTarget implements chat.SettingWriter.
func (t *Tx) AddTarget(target *chat.Target) error {
	_, err := t.exec("target",
		`INSERT INTO targets (task_id, name, tenant_id, created_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`,
		target.TaskID, target.Name, target.TenantID, target.CreatedAt)
	return err
}

// SaveSecret implements chat.SettingWriter.
func (t *Tx) SaveSecret(name string, value []byte) error {
	if value == nil {
		value = []byte{}
	}
	_, err := t.exec("secret",
		`INSERT INTO secrets (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
		name, value)
	return err
}
