-- Answers that operators keep at hand.
CREATE TABLE canned_replies (
    id          {{id}} PRIMARY KEY,
    tenant_id   BIGINT NOT NULL,
    operator_id BIGINT NOT NULL, -- whose own it is; 0: everybody's
    shortcut    TEXT NOT NULL,
    text        TEXT NOT NULL,
    created_at  BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL
);

CREATE INDEX canned_replies_tenant ON canned_replies (tenant_id, id);
CREATE UNIQUE INDEX canned_replies_shortcut ON canned_replies (tenant_id, operator_id, shortcut);

-- What the client card is read by.
CREATE INDEX external_ids_client ON external_ids (tenant_id, client_id, scope, external_id);
