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
) {{clustered}};

-- What ClaimLanes walks: the longest due lanes of one endpoint, however many
-- wait. A blocked lane is due for its replays only.
CREATE INDEX lanes_due ON lanes (endpoint_id, due_at) WHERE (blocked = FALSE OR replays > 0);

CREATE TABLE deliveries (
    id              {{id}} PRIMARY KEY,
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
    body            {{bytes}}
);

CREATE UNIQUE INDEX deliveries_event ON deliveries (conversation_id, endpoint_id, seq);
CREATE INDEX deliveries_tenant ON deliveries (tenant_id, id);
CREATE INDEX deliveries_endpoint ON deliveries (endpoint_id, id);
-- Delivered is the fate of nearly all; lists of the others must not wade through them.
CREATE INDEX deliveries_state ON deliveries (tenant_id, state, id) WHERE state <> 'delivered';
CREATE INDEX deliveries_queued ON deliveries (conversation_id, endpoint_id, seq) WHERE state = 'queued';
CREATE INDEX deliveries_settled ON deliveries (updated_at) WHERE state IN ('delivered', 'parked', 'void');

CREATE TABLE attempts (
    delivery_id BIGINT NOT NULL,
    number      BIGINT NOT NULL,
    tenant_id   BIGINT NOT NULL,
    at          BIGINT NOT NULL,
    status      BIGINT NOT NULL,
    error       TEXT NOT NULL,
    took_micros BIGINT NOT NULL,
    PRIMARY KEY (delivery_id, number)
) {{clustered}};

CREATE TABLE endpoint_health (
    endpoint_id   {{id}} PRIMARY KEY,
    tenant_id     BIGINT NOT NULL,
    paused        BOOLEAN NOT NULL,
    reason        TEXT NOT NULL,
    failing_since BIGINT NOT NULL,
    last_ok       BIGINT NOT NULL
);

CREATE TABLE timers (
    conversation_id BIGINT NOT NULL,
    kind            TEXT NOT NULL,
    key             TEXT NOT NULL,
    tenant_id       BIGINT NOT NULL,
    due_at          BIGINT NOT NULL,
    session_id      BIGINT NOT NULL,
    version         BIGINT NOT NULL,
    data            {{bytes}},
    PRIMARY KEY (conversation_id, kind, key)
) {{clustered}};

CREATE INDEX timers_due ON timers (due_at);

CREATE TABLE idempotency_keys (
    tenant_id       BIGINT NOT NULL,
    scope           TEXT NOT NULL,
    key             TEXT NOT NULL,
    fingerprint     TEXT NOT NULL,
    conversation_id BIGINT NOT NULL,
    message_id      BIGINT NOT NULL,
    created_at      BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, scope, key)
) {{clustered}};

CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at);
