package sqlite_test

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tolmach/tolmach/internal/chat"
	"github.com/tolmach/tolmach/internal/store/sqlite"
)

// BenchmarkAccept is a full accept of a client's message, with a caller's key
// and one webhook: everything between the rules and the fsync.
func BenchmarkAccept(b *testing.B) {
	for _, callers := range []int{1, 64} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) { benchmarkAccept(b, callers) })
	}
}

func benchmarkAccept(b *testing.B, callers int) {
	const talks = 2000
	var batches atomic.Int64
	s, err := sqlite.Open(b.Context(), sqlite.Options{
		Path: filepath.Join(b.TempDir(), "bench.db"), Now: time.Now, Logger: slog.New(slog.DiscardHandler),
		Observe: func(sqlite.Batch) { batches.Add(1) },
	})
	if err != nil {
		b.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	<-s.Ready()
	b.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			b.Error(err)
		}
		if err := s.Close(); err != nil {
			b.Error(err)
		}
	})
	err = s.Update(ctx, chat.PriorityNormal, func(tx chat.Tx) error {
		for i := range talks {
			if err := startTalk(tx, i); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	batches.Store(0)
	var count atomic.Int64
	work := make(chan int)
	b.ResetTimer()
	for range callers {
		go func() {
			for i := range work {
				err := s.Update(ctx, chat.PriorityNormal, func(tx chat.Tx) error { return accept(tx, i%talks, i) })
				if err != nil {
					b.Error(err)
				}
				count.Add(1)
			}
			ended <- nil
		}()
	}
	for i := range b.N {
		work <- i
	}
	close(work)
	for range callers {
		<-ended
	}
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "accepts/s")
	b.ReportMetric(float64(b.N)/float64(batches.Load()), "accepts/commit")
}

const benchTenant = chat.ID(100)

// startTalk makes one client with one conversation and an open session.
func startTalk(tx chat.Tx, n int) error {
	var ids [3]chat.ID
	for i := range ids {
		id, err := tx.NextID()
		if err != nil {
			return err
		}
		ids[i] = id
	}
	external := "client-" + strconv.Itoa(n)
	err := tx.CreateClient(&chat.Client{
		ID: ids[0], TenantID: benchTenant, CreatedAt: tx.Now(),
		Profile: map[string]string{"name": "Anna", "phone": "+100000000"},
	})
	if err != nil {
		return err
	}
	if err := tx.LinkExternalID(benchTenant, 7, external, ids[0]); err != nil {
		return err
	}
	owner := chat.Owner{Kind: chat.OwnerBot, ID: 9}
	err = tx.CreateConversation(&chat.Conversation{
		ID: ids[1], TenantID: benchTenant, ClientID: ids[0], TaskID: 8, ChannelID: 7, ExternalID: external,
		ShareToken: external, CreatedAt: tx.Now(), SessionID: ids[2], Owner: owner,
	})
	if err != nil {
		return err
	}
	return tx.CreateSession(&chat.Session{ID: ids[2], TenantID: benchTenant, ConversationID: ids[1], OpenedAt: tx.Now(), Owner: owner})
}

// accept is what the use case of a client's message does to the store.
func accept(tx chat.Tx, talk, n int) error {
	key := "key-" + strconv.Itoa(n)
	if _, err := tx.Key(benchTenant, "api_key:1", key); chat.ErrorCode(err) != chat.CodeNotFound {
		return fmt.Errorf("key %s is known: %w", key, err)
	}
	client, err := tx.ClientByExternalID(benchTenant, 7, "client-"+strconv.Itoa(talk))
	if err != nil {
		return err
	}
	conv, err := tx.ConversationByKey(benchTenant, 8, client.ID, "")
	if err != nil {
		return err
	}
	session, err := tx.Session(benchTenant, conv.SessionID)
	if err != nil {
		return err
	}
	messageID, err := tx.NextID()
	if err != nil {
		return err
	}
	eventID, err := tx.NextID()
	if err != nil {
		return err
	}
	conv.Seq++
	client.LastAt = max(tx.Now(), client.LastAt+1)
	conv.LastAt, conv.LastMessageID, conv.Messages, conv.Unread = client.LastAt, messageID, conv.Messages+1, conv.Unread+1
	if err := tx.AddMessage(&chat.Message{
		ID: messageID, TenantID: benchTenant, ConversationID: conv.ID, SessionID: session.ID, Seq: conv.Seq, At: client.LastAt,
		Author: chat.AuthorClient, Status: chat.StatusSent,
		Content: chat.Content{Text: "Hello! I'd like to know when my order will arrive, please."},
	}); err != nil {
		return err
	}
	if err := tx.AppendEvent(&chat.Event{
		ID: eventID, TenantID: benchTenant, ConversationID: conv.ID, ClientID: client.ID, SessionID: session.ID,
		Seq: conv.Seq, At: client.LastAt, Kind: chat.EventMessageCreated, MessageID: messageID, Author: chat.AuthorClient,
		BotID: 9, Data: chat.EventData{Title: "Anna", Contacts: "+100000000"},
	}); err != nil {
		return err
	}
	if err := tx.SaveConversation(conv); err != nil {
		return err
	}
	if err := tx.SaveClient(client); err != nil {
		return err
	}
	if err := tx.WakeLane(benchTenant, 9, conv.ID, conv.Seq); err != nil {
		return err
	}
	return tx.PutKey(&chat.IdempotencyKey{
		TenantID: benchTenant, Scope: "api_key:1", Key: key, ConversationID: conv.ID, MessageID: messageID, CreatedAt: tx.Now(),
	})
}
