CREATE TABLE tenants (
    id         {{id}} PRIMARY KEY,
    name       TEXT NOT NULL UNIQUE,
    created_at BIGINT NOT NULL
);

CREATE TABLE settings (
    tenant_id  BIGINT NOT NULL,
    kind       TEXT NOT NULL,
    id         BIGINT NOT NULL,
    name       TEXT NOT NULL,
    body       TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, kind, id)
) {{clustered}};

CREATE UNIQUE INDEX settings_name ON settings (tenant_id, kind, name);

CREATE TABLE targets (
    task_id    BIGINT NOT NULL,
    name       TEXT NOT NULL,
    tenant_id  BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (task_id, name)
) {{clustered}};

CREATE TABLE secrets (
    name  TEXT PRIMARY KEY,
    value {{bytes}} NOT NULL
) {{clustered}};

CREATE TABLE logins (
    token_hash  TEXT PRIMARY KEY,
    tenant_id   BIGINT NOT NULL,
    operator_id BIGINT NOT NULL,
    created_at  BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL
) {{clustered}};

CREATE INDEX logins_operator ON logins (operator_id);
CREATE INDEX logins_expiry ON logins (expires_at);
