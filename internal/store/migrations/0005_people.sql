-- Whether an operator takes conversations, and how many he has: load counts
-- the open sessions that are his, and is kept in the transactions that change
-- them.
CREATE TABLE presence (
    operator_id BIGINT NOT NULL,
    tenant_id   BIGINT NOT NULL,
    status      TEXT NOT NULL,
    reason      TEXT NOT NULL,
    since       BIGINT NOT NULL,
    load        BIGINT NOT NULL,
    assigned_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, operator_id)
) {{clustered}};

-- Since when the owner has had the open session: the order of the queue.
ALTER TABLE conversations ADD COLUMN owner_since BIGINT NOT NULL DEFAULT 0;

CREATE INDEX conversations_queue ON conversations (tenant_id, owner_since) WHERE owner_kind = 'queue';
