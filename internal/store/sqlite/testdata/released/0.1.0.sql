CREATE TABLE attempts (
    delivery_id BIGINT NOT NULL,
    number      BIGINT NOT NULL,
    tenant_id   BIGINT NOT NULL,
    at          BIGINT NOT NULL,
    status      BIGINT NOT NULL,
    error       TEXT NOT NULL,
    took_micros BIGINT NOT NULL,
    PRIMARY KEY (delivery_id, number)
) WITHOUT ROWID;
CREATE TABLE clients (
    id           INTEGER PRIMARY KEY,
    tenant_id    BIGINT NOT NULL,
    created_at   BIGINT NOT NULL,
    last_at      BIGINT NOT NULL,
    profile      TEXT NOT NULL,
    metadata     TEXT NOT NULL,
    segmentation TEXT NOT NULL
);
CREATE TABLE conversations (
    id              INTEGER PRIMARY KEY,
    tenant_id       BIGINT NOT NULL,
    client_id       BIGINT NOT NULL,
    task_id         BIGINT NOT NULL,
    channel_id      BIGINT NOT NULL,
    key             TEXT NOT NULL,
    external_id     TEXT NOT NULL,
    share_token     TEXT NOT NULL,
    created_at      BIGINT NOT NULL,
    seq             BIGINT NOT NULL,
    flags           BIGINT NOT NULL,
    vars            TEXT NOT NULL,
    session_id      BIGINT NOT NULL,
    messages        BIGINT NOT NULL,
    last_at         BIGINT NOT NULL,
    owner_kind      TEXT NOT NULL,
    owner_id        BIGINT NOT NULL,
    last_message_id BIGINT NOT NULL,
    buttons_id      BIGINT NOT NULL,
    unread          BIGINT NOT NULL
);
CREATE TABLE deliveries (
    id              INTEGER PRIMARY KEY,
    tenant_id       BIGINT NOT NULL,
    endpoint_id     BIGINT NOT NULL,
    conversation_id BIGINT NOT NULL,
    seq             BIGINT NOT NULL,
    event_at        BIGINT NOT NULL,
    webhook_id      TEXT NOT NULL,
    state           TEXT NOT NULL,
    attempts        BIGINT NOT NULL,
    last_status     BIGINT NOT NULL,
    last_error      TEXT NOT NULL,
    created_at      BIGINT NOT NULL,
    updated_at      BIGINT NOT NULL,
    body            BLOB
);
CREATE TABLE endpoint_health (
    endpoint_id   INTEGER PRIMARY KEY,
    tenant_id     BIGINT NOT NULL,
    paused        BOOLEAN NOT NULL,
    reason        TEXT NOT NULL,
    failing_since BIGINT NOT NULL,
    last_ok       BIGINT NOT NULL
);
CREATE TABLE events (
    id              INTEGER PRIMARY KEY,
    tenant_id       BIGINT NOT NULL,
    conversation_id BIGINT NOT NULL,
    client_id       BIGINT NOT NULL,
    session_id      BIGINT NOT NULL,
    seq             BIGINT NOT NULL,
    at              BIGINT NOT NULL,
    kind            TEXT NOT NULL,
    message_id      BIGINT NOT NULL,
    author          TEXT NOT NULL,
    author_id       BIGINT NOT NULL,
    flags           BIGINT NOT NULL,
    bot_id          BIGINT NOT NULL,
    version         BIGINT NOT NULL,
    data            TEXT NOT NULL
);
CREATE TABLE external_ids (
    tenant_id   BIGINT NOT NULL,
    scope       BIGINT NOT NULL,
    external_id TEXT NOT NULL,
    client_id   BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, scope, external_id)
) WITHOUT ROWID;
CREATE TABLE idempotency_keys (
    tenant_id       BIGINT NOT NULL,
    scope           TEXT NOT NULL,
    key             TEXT NOT NULL,
    fingerprint     TEXT NOT NULL,
    conversation_id BIGINT NOT NULL,
    message_id      BIGINT NOT NULL,
    created_at      BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, scope, key)
) WITHOUT ROWID;
CREATE TABLE installation (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE lanes (
    tenant_id       BIGINT NOT NULL,
    endpoint_id     BIGINT NOT NULL,
    conversation_id BIGINT NOT NULL,
    next_seq        BIGINT NOT NULL,
    due_at          BIGINT NOT NULL,
    epoch           BIGINT NOT NULL,
    attempts        BIGINT NOT NULL,
    replays         BIGINT NOT NULL,
    blocked         BOOLEAN NOT NULL,
    claimed         BOOLEAN NOT NULL,
    PRIMARY KEY (endpoint_id, conversation_id)
) WITHOUT ROWID;
CREATE TABLE logins (
    token_hash  TEXT PRIMARY KEY,
    tenant_id   BIGINT NOT NULL,
    operator_id BIGINT NOT NULL,
    created_at  BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL
) WITHOUT ROWID;
CREATE TABLE messages (
    id              INTEGER PRIMARY KEY,
    tenant_id       BIGINT NOT NULL,
    conversation_id BIGINT NOT NULL,
    session_id      BIGINT NOT NULL,
    seq             BIGINT NOT NULL,
    at              BIGINT NOT NULL,
    author          TEXT NOT NULL,
    author_id       BIGINT NOT NULL,
    answer_id       BIGINT NOT NULL,
    reply_to        BIGINT NOT NULL,
    status          TEXT NOT NULL,
    content         TEXT NOT NULL
);
CREATE TABLE schema_migrations (
		version BIGINT PRIMARY KEY, name TEXT NOT NULL, applied_at BIGINT NOT NULL);
CREATE TABLE secrets (
    name  TEXT PRIMARY KEY,
    value BLOB NOT NULL
) WITHOUT ROWID;
CREATE TABLE sequences (
    name  TEXT PRIMARY KEY,
    value BIGINT NOT NULL
) WITHOUT ROWID;
CREATE TABLE sessions (
    id              INTEGER PRIMARY KEY,
    tenant_id       BIGINT NOT NULL,
    conversation_id BIGINT NOT NULL,
    uuid            TEXT NOT NULL,
    opened_at       BIGINT NOT NULL,
    closed_at       BIGINT NOT NULL,
    owner_kind      TEXT NOT NULL,
    owner_id        BIGINT NOT NULL,
    version         BIGINT NOT NULL,
    state           TEXT NOT NULL,
    ttl             BIGINT NOT NULL,
    tried           TEXT NOT NULL,
    wish            TEXT NOT NULL,
    result          TEXT NOT NULL,
    rating          BIGINT NOT NULL,
    comment         TEXT NOT NULL
);
CREATE TABLE settings (
    tenant_id  BIGINT NOT NULL,
    kind       TEXT NOT NULL,
    id         BIGINT NOT NULL,
    name       TEXT NOT NULL,
    body       TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, kind, id)
) WITHOUT ROWID;
CREATE TABLE targets (
    task_id    BIGINT NOT NULL,
    name       TEXT NOT NULL,
    tenant_id  BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (task_id, name)
) WITHOUT ROWID;
CREATE TABLE tenants (
    id         INTEGER PRIMARY KEY,
    name       TEXT NOT NULL UNIQUE,
    created_at BIGINT NOT NULL
);
CREATE TABLE timers (
    conversation_id BIGINT NOT NULL,
    kind            TEXT NOT NULL,
    key             TEXT NOT NULL,
    tenant_id       BIGINT NOT NULL,
    due_at          BIGINT NOT NULL,
    session_id      BIGINT NOT NULL,
    version         BIGINT NOT NULL,
    data            BLOB,
    PRIMARY KEY (conversation_id, kind, key)
) WITHOUT ROWID;
CREATE INDEX conversations_channel ON conversations (channel_id, id);
CREATE INDEX conversations_external_id ON conversations (tenant_id, external_id, id);
CREATE UNIQUE INDEX conversations_key ON conversations (client_id, task_id, key);
CREATE INDEX conversations_owner ON conversations (tenant_id, owner_kind, id) WHERE owner_kind <> '';
CREATE UNIQUE INDEX conversations_share_token ON conversations (share_token) WHERE share_token <> '';
CREATE INDEX conversations_task ON conversations (task_id, id);
CREATE INDEX conversations_tenant ON conversations (tenant_id, id);
CREATE INDEX deliveries_endpoint ON deliveries (endpoint_id, id);
CREATE UNIQUE INDEX deliveries_event ON deliveries (conversation_id, endpoint_id, seq);
CREATE INDEX deliveries_queued ON deliveries (conversation_id, endpoint_id, seq) WHERE state = 'queued';
CREATE INDEX deliveries_settled ON deliveries (updated_at) WHERE state IN ('delivered', 'parked', 'void');
CREATE INDEX deliveries_state ON deliveries (tenant_id, state, id) WHERE state <> 'delivered';
CREATE INDEX deliveries_tenant ON deliveries (tenant_id, id);
CREATE INDEX events_client ON events (client_id, at);
CREATE UNIQUE INDEX events_seq ON events (conversation_id, seq);
CREATE INDEX events_tenant ON events (tenant_id, id);
CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at);
CREATE INDEX lanes_due ON lanes (endpoint_id, due_at) WHERE (blocked = FALSE OR replays > 0);
CREATE INDEX logins_expiry ON logins (expires_at);
CREATE INDEX logins_operator ON logins (operator_id);
CREATE UNIQUE INDEX settings_name ON settings (tenant_id, kind, name);
CREATE INDEX timers_due ON timers (due_at);
INSERT INTO attempts VALUES (15, 1, 1, 1767268800000000, 200, '', 5);
INSERT INTO attempts VALUES (16, 1, 1, 1767268800000000, 200, '', 5);
INSERT INTO attempts VALUES (18, 1, 1, 1767268800000000, 200, '', 5);
INSERT INTO attempts VALUES (19, 1, 1, 1767268800000000, 200, '', 5);
INSERT INTO attempts VALUES (29, 1, 1, 1767268800000000, 200, '', 5);
INSERT INTO attempts VALUES (30, 1, 1, 1767268800000000, 200, '', 5);
INSERT INTO attempts VALUES (32, 1, 1, 1767268800000000, 200, '', 5);
INSERT INTO attempts VALUES (33, 1, 1, 1767268800000000, 200, '', 5);
INSERT INTO attempts VALUES (43, 1, 1, 1767268800000000, 200, '', 5);
INSERT INTO attempts VALUES (45, 1, 1, 1767268800000000, 200, '', 5);
INSERT INTO clients VALUES (20, 1, 1767268800000000, 1767268800000003, '', '', '');
INSERT INTO clients VALUES (34, 1, 1767268800000000, 1767268800000003, '', '', '');
INSERT INTO clients VALUES (6, 1, 1767268800000000, 1767268800000003, '', '', '');
INSERT INTO conversations VALUES (21, 1, 20, 5, 2, '', 'caller 1', '0cc2f3f3fd0cbe850b8bd98aa45d8604', 1767268800000000, 3, 0, '', 22, 2, 1767268800000003, 'bot', 3, 26, 0, 2);
INSERT INTO conversations VALUES (35, 1, 34, 5, 2, '', 'caller 2', 'bb90c4ff39f0e8d9b1897ff8031f4dba', 1767268800000000, 3, 0, '', 36, 2, 1767268800000003, 'bot', 3, 40, 0, 2);
INSERT INTO conversations VALUES (7, 1, 6, 5, 2, '', 'caller 0', '5063d0292040938955b37f5acaabb496', 1767268800000000, 3, 0, '', 8, 2, 1767268800000003, 'bot', 3, 12, 0, 2);
INSERT INTO deliveries VALUES (15, 1, 3, 7, 2, 1767268800000002, 'msg_3_11', 'delivered', 1, 200, '', 1767268800000000, 1767268800000000, NULL);
INSERT INTO deliveries VALUES (16, 1, 3, 7, 3, 1767268800000003, 'msg_3_13', 'delivered', 1, 200, '', 1767268800000000, 1767268800000000, NULL);
INSERT INTO deliveries VALUES (18, 1, 4, 7, 2, 1767268800000002, 'msg_4_11', 'delivered', 1, 200, '', 1767268800000000, 1767268800000000, NULL);
INSERT INTO deliveries VALUES (19, 1, 4, 7, 3, 1767268800000003, 'msg_4_13', 'delivered', 1, 200, '', 1767268800000000, 1767268800000000, NULL);
INSERT INTO deliveries VALUES (29, 1, 3, 21, 2, 1767268800000002, 'msg_3_25', 'parked', 1, 200, '', 1767268800000000, 1767268800000000, X'7B2274657874223A22E280A6227D');
INSERT INTO deliveries VALUES (30, 1, 3, 21, 3, 1767268800000003, 'msg_3_27', 'parked', 1, 200, '', 1767268800000000, 1767268800000000, X'7B2274657874223A22E280A6227D');
INSERT INTO deliveries VALUES (32, 1, 4, 21, 2, 1767268800000002, 'msg_4_25', 'parked', 1, 200, '', 1767268800000000, 1767268800000000, X'7B2274657874223A22E280A6227D');
INSERT INTO deliveries VALUES (33, 1, 4, 21, 3, 1767268800000003, 'msg_4_27', 'parked', 1, 200, '', 1767268800000000, 1767268800000000, X'7B2274657874223A22E280A6227D');
INSERT INTO deliveries VALUES (43, 1, 3, 35, 2, 1767268800000002, 'msg_3_39', 'retrying', 1, 200, '', 1767268800000000, 1767268800000000, X'7B2274657874223A22E280A6227D');
INSERT INTO deliveries VALUES (45, 1, 4, 35, 2, 1767268800000002, 'msg_4_39', 'retrying', 1, 200, '', 1767268800000000, 1767268800000000, X'7B2274657874223A22E280A6227D');
INSERT INTO events VALUES (11, 1, 7, 6, 8, 2, 1767268800000002, 'message.created', 10, 'CLIENT', 0, 0, 3, 1, '{"new_session":true}');
INSERT INTO events VALUES (13, 1, 7, 6, 8, 3, 1767268800000003, 'message.created', 12, 'CLIENT', 0, 0, 3, 1, '');
INSERT INTO events VALUES (23, 1, 21, 20, 22, 1, 1767268800000001, 'session.opened', 0, '', 0, 0, 0, 1, '{"to":{"kind":"bot","id":3}}');
INSERT INTO events VALUES (25, 1, 21, 20, 22, 2, 1767268800000002, 'message.created', 24, 'CLIENT', 0, 0, 3, 1, '{"new_session":true}');
INSERT INTO events VALUES (27, 1, 21, 20, 22, 3, 1767268800000003, 'message.created', 26, 'CLIENT', 0, 0, 3, 1, '');
INSERT INTO events VALUES (37, 1, 35, 34, 36, 1, 1767268800000001, 'session.opened', 0, '', 0, 0, 0, 1, '{"to":{"kind":"bot","id":3}}');
INSERT INTO events VALUES (39, 1, 35, 34, 36, 2, 1767268800000002, 'message.created', 38, 'CLIENT', 0, 0, 3, 1, '{"new_session":true}');
INSERT INTO events VALUES (41, 1, 35, 34, 36, 3, 1767268800000003, 'message.created', 40, 'CLIENT', 0, 0, 3, 1, '');
INSERT INTO events VALUES (9, 1, 7, 6, 8, 1, 1767268800000001, 'session.opened', 0, '', 0, 0, 0, 1, '{"to":{"kind":"bot","id":3}}');
INSERT INTO external_ids VALUES (1, 2, 'caller 0', 6);
INSERT INTO external_ids VALUES (1, 2, 'caller 1', 20);
INSERT INTO external_ids VALUES (1, 2, 'caller 2', 34);
INSERT INTO idempotency_keys VALUES (1, 'api_key:1', '0/0', '92d3b0c81af77f2d1b5cc4dbbdf40a9f', 7, 10, 1767268800000000);
INSERT INTO idempotency_keys VALUES (1, 'api_key:1', '0/1', '9daf2c5241d5376406aab47c87d70af6', 7, 12, 1767268800000000);
INSERT INTO idempotency_keys VALUES (1, 'api_key:1', '1/0', '11ba287aedba77cc7d983fc3fde6cc7e', 21, 24, 1767268800000000);
INSERT INTO idempotency_keys VALUES (1, 'api_key:1', '1/1', 'a6941faa2515ef36278a8f94b5b9eedb', 21, 26, 1767268800000000);
INSERT INTO idempotency_keys VALUES (1, 'api_key:1', '2/0', '251ab917c70db5e9edeec9b60bfcdab6', 35, 38, 1767268800000000);
INSERT INTO idempotency_keys VALUES (1, 'api_key:1', '2/1', '31b0a37a7c6c4df1be3d52aa0712f014', 35, 40, 1767268800000000);
INSERT INTO installation VALUES ('epoch', 'FQPSHG445UGP4JGNI422FINOHH');
INSERT INTO lanes VALUES (1, 3, 35, 2, 1767272400000000, 42, 1, 0, 0, 0);
INSERT INTO lanes VALUES (1, 4, 35, 2, 1767272400000000, 44, 1, 0, 0, 0);
INSERT INTO messages VALUES (10, 1, 7, 8, 2, 1767268800000002, 'CLIENT', 0, 0, 0, 'SENT', '{"text":"message 0"}');
INSERT INTO messages VALUES (12, 1, 7, 8, 3, 1767268800000003, 'CLIENT', 0, 0, 0, 'SENT', '{"text":"message 1"}');
INSERT INTO messages VALUES (24, 1, 21, 22, 2, 1767268800000002, 'CLIENT', 0, 0, 0, 'SENT', '{"text":"message 0"}');
INSERT INTO messages VALUES (26, 1, 21, 22, 3, 1767268800000003, 'CLIENT', 0, 0, 0, 'SENT', '{"text":"message 1"}');
INSERT INTO messages VALUES (38, 1, 35, 36, 2, 1767268800000002, 'CLIENT', 0, 0, 0, 'SENT', '{"text":"message 0"}');
INSERT INTO messages VALUES (40, 1, 35, 36, 3, 1767268800000003, 'CLIENT', 0, 0, 0, 'SENT', '{"text":"message 1"}');
INSERT INTO schema_migrations VALUES (1, 'log', 1767268800000000);
INSERT INTO schema_migrations VALUES (2, 'delivery', 1767268800000000);
INSERT INTO schema_migrations VALUES (3, 'settings', 1767268800000000);
INSERT INTO sequences VALUES ('id', 1000);
INSERT INTO sequences VALUES ('settings', 1);
INSERT INTO sessions VALUES (22, 1, 21, '230d6737-44af-45b5-92e3-e1e1b24c4ae6', 1767268800000001, 0, 'bot', 3, 1, '', 0, '', '', '', 0, '');
INSERT INTO sessions VALUES (36, 1, 35, 'c093338f-567b-490d-8d1a-6ffe927f43c4', 1767268800000001, 0, 'bot', 3, 1, '', 0, '', '', '', 0, '');
INSERT INTO sessions VALUES (8, 1, 7, 'c29b8672-0db0-4698-9374-bea99cb00454', 1767268800000001, 0, 'bot', 3, 1, '', 0, '', '', '', 0, '');
INSERT INTO settings VALUES (1, 'bot', 3, 'demo', '{"uuid":"e1887348-3283-4b1a-ab89-af752b5d8ae9","name":"demo","kind":"scenario","scenario":"states: []"}', 1767268800000000);
INSERT INTO settings VALUES (1, 'channel', 2, 'messenger', '{"name":"messenger","kind":"page_messenger","token":"m"}', 1767268800000000);
INSERT INTO settings VALUES (1, 'integration', 4, 'all', '{"name":"all","format":"native","url":"http://a","events":["all_messages"]}', 1767268800000000);
INSERT INTO settings VALUES (1, 'task', 5, 'shop', '{"uuid":"74a5c7bd-6eba-481d-93af-df80443c7c6d","name":"shop","channel":"messenger","bot":"demo","integrations":["all"]}', 1767268800000000);
INSERT INTO targets VALUES (5, '@anna', 1, 1767268800000000);
INSERT INTO tenants VALUES (1, 'local', 1767268800000000);
