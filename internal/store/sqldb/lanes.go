package sqldb

import "github.com/tolmach/tolmach/internal/chat"

const laneColumns = `tenant_id, endpoint_id, conversation_id, next_seq, due_at, epoch, claimed, attempts, replays, blocked`

func scanLane(row scanner, l *chat.Lane) error {
	return row.Scan(&l.TenantID, &l.EndpointID, &l.ConversationID, &l.NextSeq, &l.DueAt, &l.Epoch, &l.Claimed,
		&l.Attempts, &l.Replays, &l.Blocked)
}

// WakeLane implements chat.LaneStore.
func (t *Tx) WakeLane(tenant, endpoint, conversation chat.ID, seq int64) error {
	return t.later("lane",
		`INSERT INTO lanes (`+laneColumns+`) VALUES ($1, $2, $3, $4, $5, 0, FALSE, 0, 0, FALSE)
		 ON CONFLICT (endpoint_id, conversation_id) DO `+t.dialect.Wake,
		tenant, endpoint, conversation, seq, t.now)
}

// ClaimLanes implements chat.LaneStore. The epoch of a claim is a new id: a
// lane that was dropped and woken again never repeats one, so a claimer that
// slept through both is still refused.
func (t *Tx) ClaimLanes(tenant, endpoint chat.ID, limit int, until chat.Micros) ([]chat.Lane, error) {
	due, err := many(t.conn, "due lanes", scanLane,
		`SELECT `+laneColumns+` FROM lanes
		 WHERE endpoint_id = $1 AND (blocked = FALSE OR replays > 0) AND due_at <= $2 AND tenant_id = CAST($3 AS BIGINT)
		 ORDER BY due_at LIMIT $4`+t.dialect.Skip, endpoint, t.now, tenant, max(limit, 0))
	if err != nil || len(due) == 0 {
		return nil, err
	}
	epoch, err := t.NextID()
	if err != nil {
		return nil, err
	}
	for i := range due {
		l := &due[i]
		l.DueAt, l.Epoch, l.Claimed = until, int64(epoch), true
		err := t.laterChange("lane",
			`UPDATE lanes SET due_at = $4, epoch = $5, claimed = TRUE
			 WHERE endpoint_id = $1 AND conversation_id = $2 AND tenant_id = $3`,
			endpoint, l.ConversationID, tenant, l.DueAt, l.Epoch)
		if err != nil {
			return nil, err
		}
	}
	return due, nil
}

// Lane implements chat.LaneStore.
func (t *Tx) Lane(tenant, endpoint, conversation chat.ID) (*chat.Lane, error) {
	return one(t.conn, "lane", scanLane,
		`SELECT `+laneColumns+` FROM lanes WHERE endpoint_id = $1 AND conversation_id = $2 AND tenant_id = $3`+t.lock,
		endpoint, conversation, tenant)
}

// SaveLane implements chat.LaneStore.
func (t *Tx) SaveLane(l *chat.Lane) error {
	return t.fenced(
		`UPDATE lanes SET next_seq = $5, due_at = $6, claimed = $7, attempts = $8, replays = $9, blocked = $10
		 WHERE endpoint_id = $1 AND conversation_id = $2 AND tenant_id = $3 AND epoch = $4`,
		l.EndpointID, l.ConversationID, l.TenantID, l.Epoch, l.NextSeq, l.DueAt, l.Claimed, l.Attempts, l.Replays, l.Blocked)
}

// DropLane implements chat.LaneStore.
func (t *Tx) DropLane(l *chat.Lane) error {
	return t.fenced(
		`DELETE FROM lanes WHERE endpoint_id = $1 AND conversation_id = $2 AND tenant_id = $3 AND epoch = $4`,
		l.EndpointID, l.ConversationID, l.TenantID, l.Epoch)
}

// fenced runs a statement that finds the lane only under the caller's epoch.
func (t *Tx) fenced(query string, args ...any) error {
	n, err := t.exec("lane", query, args...)
	if err == nil && n == 0 {
		return chat.Errorf(chat.CodeConflict, "the lane is somebody else's by now; claim it again")
	}
	return err
}

// ReleaseLanes implements chat.LaneStore. Lanes that wait for a later try keep
// waiting; only claims end, and with them the claimers' epochs.
func (t *Tx) ReleaseLanes() error {
	epoch, err := t.NextID()
	if err != nil {
		return err
	}
	_, err = t.exec("lanes",
		`UPDATE lanes SET claimed = FALSE, due_at = $1, epoch = $2 WHERE claimed = TRUE`, t.now, epoch)
	return err
}

// AddReplays implements chat.LaneStore.
func (t *Tx) AddReplays(tenant, endpoint, conversation chat.ID, seq int64, n int) error {
	return t.change("lane",
		`INSERT INTO lanes (`+laneColumns+`) VALUES ($1, $2, $3, $4, $5, 0, FALSE, 0, $6, FALSE)
		 ON CONFLICT (endpoint_id, conversation_id) DO UPDATE SET replays = lanes.replays + excluded.replays,
			due_at = CASE WHEN lanes.claimed THEN lanes.due_at ELSE excluded.due_at END
		 WHERE lanes.tenant_id = excluded.tenant_id`,
		tenant, endpoint, conversation, seq, t.now, n)
}

// OldestDue implements chat.DeliveryReader.
func (r *Reader) OldestDue(tenant, endpoint chat.ID) (chat.Micros, int, error) {
	type backlog struct {
		due   chat.Micros
		lanes int
	}
	b, err := one(r.conn, "lanes", func(row scanner, b *backlog) error { return row.Scan(&b.due, &b.lanes) },
		`SELECT
			COALESCE((SELECT due_at FROM lanes WHERE endpoint_id = $1 AND (blocked = FALSE OR replays > 0)
				AND tenant_id = CAST($2 AS BIGINT)
				ORDER BY due_at LIMIT 1), 0),
			COALESCE((SELECT CAST($3 AS BIGINT) FROM lanes WHERE endpoint_id = $1 AND tenant_id = $2 LIMIT 1 OFFSET $4),
				(SELECT COUNT(*) FROM lanes WHERE endpoint_id = $1 AND tenant_id = $2))`,
		endpoint, tenant, chat.MaxBacklog, chat.MaxBacklog-1)
	if err != nil {
		return 0, 0, err
	}
	return b.due, b.lanes, nil
}
