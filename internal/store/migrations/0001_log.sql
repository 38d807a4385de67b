-- Counters that only rise: the ids of every row, the version of the settings.
CREATE TABLE sequences (
    name  TEXT PRIMARY KEY,
    value BIGINT NOT NULL
) {{clustered}};

INSERT INTO sequences (name, value) VALUES ('id', 0), ('settings', 0);

-- Facts about this database as a whole, such as its epoch.
CREATE TABLE installation (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) {{clustered}};

CREATE TABLE clients (
    id           {{id}} PRIMARY KEY,
    tenant_id    BIGINT NOT NULL,
    created_at   BIGINT NOT NULL,
    last_at      BIGINT NOT NULL,
    profile      TEXT NOT NULL,
    metadata     TEXT NOT NULL,
    segmentation TEXT NOT NULL
);

CREATE TABLE external_ids (
    tenant_id   BIGINT NOT NULL,
    scope       BIGINT NOT NULL,
    external_id TEXT NOT NULL,
    client_id   BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, scope, external_id)
) {{clustered}};

CREATE TABLE conversations (
    id              {{id}} PRIMARY KEY,
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

CREATE UNIQUE INDEX conversations_key ON conversations (client_id, task_id, key);
CREATE UNIQUE INDEX conversations_share_token ON conversations (share_token) WHERE share_token <> '';
CREATE INDEX conversations_tenant ON conversations (tenant_id, id);
CREATE INDEX conversations_task ON conversations (task_id, id);
CREATE INDEX conversations_channel ON conversations (channel_id, id);
CREATE INDEX conversations_external_id ON conversations (tenant_id, external_id, id);
-- Only conversations with an open session have an owner, so this one stays small.
CREATE INDEX conversations_owner ON conversations (tenant_id, owner_kind, id) WHERE owner_kind <> '';

CREATE TABLE sessions (
    id              {{id}} PRIMARY KEY,
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

-- Messages are reached by id, from their events: no index but the key.
CREATE TABLE messages (
    id              {{id}} PRIMARY KEY,
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

-- The log. Rows lie in the order of their ids, which is the order of time, so
-- that an append touches the end of the table and of events_tenant, and one
-- leaf of each of the other two.
CREATE TABLE events (
    id              {{id}} PRIMARY KEY,
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

CREATE UNIQUE INDEX events_seq ON events (conversation_id, seq);
CREATE INDEX events_client ON events (client_id, at);
CREATE INDEX events_tenant ON events (tenant_id, id);
