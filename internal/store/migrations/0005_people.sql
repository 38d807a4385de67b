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

INSERT INTO presence (operator_id, tenant_id, status, reason, since, load, assigned_at)
    SELECT owner_id, tenant_id, 'OFFLINE', '', 0, COUNT(*), 0
    FROM conversations WHERE owner_kind = 'operator' GROUP BY owner_id, tenant_id;

-- Since when the owner has had the open session: the order of the queue.
ALTER TABLE conversations ADD COLUMN owner_since BIGINT NOT NULL DEFAULT 0;

UPDATE conversations SET owner_since = last_at WHERE owner_kind = 'queue';

CREATE INDEX conversations_queue ON conversations (tenant_id, owner_since, id) WHERE owner_kind = 'queue';

-- What a session keeps of its time with people: after which event their words
-- are new to the bot, and who gave it back to the queue.
ALTER TABLE sessions ADD COLUMN livechat BIGINT NOT NULL DEFAULT 0;

ALTER TABLE sessions ADD COLUMN passed_by BIGINT NOT NULL DEFAULT 0;
