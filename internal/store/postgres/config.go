package postgres

import (
	"errors"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tolmach/tolmach/internal/store/migrations"
	"github.com/tolmach/tolmach/internal/store/sqldb"
)

// Connections beside those of the use cases.
const (
	bulkPlaces = 2
	minViews   = 4
)

// patience bounds how long one transaction may take and how long one may wait
// for an answer of the server.
const (
	connectPatience = 5 * time.Second
	workPatience    = 20 * time.Second
	commitPatience  = 10 * time.Second
)

// settings are what every connection asks of the server. They are stronger
// than what the URL, the database or the role have set.
var settings = map[string]string{
	"application_name": "tolmach",
	// Acknowledged means durable.
	"synchronous_commit": "on",
	// The order of locks is made for it.
	"default_transaction_isolation": "read committed",
	// A node that was stopped in the middle of a use case must not hold others
	// off for ever.
	"idle_in_transaction_session_timeout": "10s",
	"statement_timeout":                   "15s",
	"lock_timeout":                        "10s",
	// Statements are prepared while tables are small, where to walk or sort one
	// looks cheap, and are kept while they grow. Every one that matters has an
	// index that serves it, which a test sees to under these very settings.
	"plan_cache_mode":   "force_generic_plan",
	"enable_seqscan":    "off",
	"enable_bitmapscan": "off",
	"enable_sort":       "off",
	"jit":               "off",
}

// dialect: rows are locked by whoever reads them to change them.
func dialect() *sqldb.Dialect {
	return &sqldb.Dialect{
		Lock:      " FOR UPDATE",
		Skip:      " FOR UPDATE SKIP LOCKED",
		Wake:      "UPDATE SET next_seq = lanes.next_seq WHERE lanes.tenant_id = excluded.tenant_id",
		Lives:     lives,
		Duplicate: isDuplicate,
		Words:     migrations.Words{ID: "BIGINT", Bytes: "BYTEA"},
	}
}

// poolConfig reads the URL. Its errors do not repeat it, and neither does what
// the parser says of it.
func poolConfig(o Options) (*pgxpool.Config, error) {
	config, err := pgxpool.ParseConfig(o.URL)
	if err != nil {
		return nil, errors.New("the address of the database can't be read; write it as postgres://user:password@host/name")
	}
	for name, value := range settings {
		config.ConnConfig.RuntimeParams[name] = value
	}
	if config.ConnConfig.ConnectTimeout == 0 {
		config.ConnConfig.ConnectTimeout = connectPatience
	}
	config.MaxConns = int32(o.Writers + 1 + commitPlaces + viewPlaces + bulkPlaces + max(o.Writers/2, minViews))
	config.MaxConnIdleTime = 5 * time.Minute
	return config, nil
}
