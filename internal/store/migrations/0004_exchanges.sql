-- A client's question with its answer, or an answer that nobody asked for,
-- under the id that the caller knows it by.
CREATE TABLE exchanges (
    channel_id      BIGINT NOT NULL,
    client_id       BIGINT NOT NULL,
    question_id     TEXT NOT NULL,
    tenant_id       BIGINT NOT NULL,
    conversation_id BIGINT NOT NULL,
    question        BIGINT NOT NULL,
    fingerprint     TEXT NOT NULL,
    cid             TEXT NOT NULL,
    asked_at        BIGINT NOT NULL,
    sync_until      BIGINT NOT NULL,
    process         TEXT NOT NULL,
    answer          BIGINT NOT NULL,
    status          TEXT NOT NULL,
    PRIMARY KEY (channel_id, client_id, question_id)
) {{clustered}};

-- What the client has not read: what it has read is nearly all.
CREATE INDEX exchanges_unread ON exchanges (channel_id, client_id) WHERE status IN ('NOT_SENT', 'SENT', 'DELIVERED');

-- Up to where a connection of a client has read its events.
CREATE TABLE poll_cursors (
    channel_id BIGINT NOT NULL,
    client_id  BIGINT NOT NULL,
    cid        TEXT NOT NULL,
    tenant_id  BIGINT NOT NULL,
    since      BIGINT NOT NULL,
    at         BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (channel_id, client_id, cid)
) {{clustered}};

CREATE INDEX poll_cursors_recent ON poll_cursors (channel_id, client_id, updated_at DESC, cid);
CREATE INDEX poll_cursors_age ON poll_cursors (updated_at);

-- What a client's application keeps with us, as it sent it.
CREATE TABLE client_states (
    channel_id BIGINT NOT NULL,
    client_id  BIGINT NOT NULL,
    tenant_id  BIGINT NOT NULL,
    state      TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (channel_id, client_id)
) {{clustered}};
