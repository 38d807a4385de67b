package chat

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"
)

// Limits of how a caller may name its questions.
const (
	MaxQuestionID = 128 // characters of a question's id
	MaxCID        = 256 // bytes of a connection's id
)

// questionLife is how long a repeated question is the same one
// (specs/chatapi.md §2.4).
const questionLife = 24 * time.Hour

// Question is how the caller knows what a client sends: channels whose answers
// are collected by the caller name each question (specs/chatapi.md §2.1).
type Question struct {
	ID      string          // the caller's own id, "" to be given one
	CID     string          // the connection that asks, "" for none
	Headers json.RawMessage // of the call, as a JSON object, for the bot; nil for none
	Wait    time.Duration   // how long the caller waits for the answer; 0: it does not
}

// Exchange is one question and its answer, or an answer that nobody asked for,
// under the id that the caller knows it by: the row behind statuses, unread
// counts, repeated questions and the choice between a synchronous answer and a
// late one (specs/chatapi.md §2.4, §9).
type Exchange struct {
	TenantID       ID
	ChannelID      ID
	ClientID       ID
	QuestionID     string
	ConversationID ID
	Question       int64 // seq of the client's event; 0 when nothing was asked
	Fingerprint    string
	CID            string
	AskedAt        Micros
	SyncUntil      Micros // the caller waits until then; 0 when it does not, or no more
	Process        string // the process it waits in; kept when it waits no more
	Answer         int64  // seq of the head of the answer; 0 while there is none
	Status         Status // of the answer; "" while there is none under this id
}

func (q *Question) check() error {
	switch {
	case q == nil:
		return nil
	case len([]rune(q.ID)) > MaxQuestionID:
		return &Error{Code: CodeInvalid, Field: "questionId", Message: "is over 128 characters"}
	case len(q.CID) > MaxCID:
		return &Error{Code: CodeInvalid, Field: "cid", Message: "is over 256 bytes"}
	}
	return nil
}

// fingerprint is the same for the same words or event, whatever else came with
// them; "" where nothing was asked as a question.
func (q *Question) fingerprint(kind, said string) string {
	if q == nil {
		return ""
	}
	sum := sha256.Sum256([]byte(kind + "\x00" + said))
	return hex.EncodeToString(sum[:16])
}

// recallQuestion answers a repeated question by what it made at first; a caller
// that waits again is waited for. Nil: the question is new, under the id that q
// then holds.
func (u *unit) recallQuestion(in *Incoming, fingerprint string) (*Accepted, error) {
	q := in.Question
	if q == nil || q.ID == "" {
		return nil, nil
	}
	task := u.cat.Task(u.actor.TenantID, in.TaskID)
	if task == nil {
		return nil, nil // receive says so
	}
	client, err := u.ClientByExternalID(u.actor.TenantID, task.Channel.ExternalScope(), in.ExternalID)
	if ErrorCode(err) == CodeNotFound {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	x, err := u.Exchange(u.actor.TenantID, task.Channel.ID, client.ID, q.ID)
	if ErrorCode(err) == CodeNotFound {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if x.Fingerprint != fingerprint || u.now.Sub(x.AskedAt) >= questionLife {
		return nil, nil
	}
	return u.askAgain(x, q)
}

func (u *unit) askAgain(x *Exchange, q *Question) (*Accepted, error) {
	asked, err := u.Event(x.TenantID, x.ConversationID, x.Question)
	if err != nil {
		return nil, err
	}
	conv, err := u.Conversation(x.TenantID, x.ConversationID)
	if err != nil {
		return nil, err
	}
	if q.Wait > 0 && x.Answer == 0 {
		x.SyncUntil, x.Process = max(x.SyncUntil, u.now.Add(q.Wait)), u.s.process
		if err := u.SaveExchange(x); err != nil {
			return nil, err
		}
	}
	return &Accepted{
		ConversationID: conv.ID, CreatedAt: conv.CreatedAt, MessageID: asked.MessageID, Seq: asked.Seq, At: asked.At,
		QuestionID: x.QuestionID, NewSession: asked.Data.NewSession, Duplicate: true,
	}, nil
}

// nameQuestion gives the question its id: the caller's, unless another question
// has it.
func (u *unit) nameQuestion(q *Question) (string, error) {
	if q.ID != "" {
		_, err := u.Exchange(u.conv.TenantID, u.conv.ChannelID, u.client.ID, q.ID)
		if ErrorCode(err) == CodeNotFound {
			return q.ID, nil
		}
		if err != nil {
			return "", err
		}
	}
	return u.s.randomUUID()
}

// openExchange notes the question of an event that was just appended.
func (u *unit) openExchange(q *Question, id, fingerprint string, asked *Event) error {
	x := &Exchange{
		TenantID: u.conv.TenantID, ChannelID: u.conv.ChannelID, ClientID: u.client.ID, QuestionID: id, ConversationID: u.conv.ID,
		Question: asked.Seq, Fingerprint: fingerprint, CID: q.CID, AskedAt: u.now,
	}
	if q.Wait > 0 {
		x.SyncUntil, x.Process = u.now.Add(q.Wait), u.s.process
	}
	if err := u.AddExchange(x); err != nil {
		return err
	}
	return u.noteContact(q.CID, asked.At)
}

// answering is under which id the next event of the log is the head of an
// answer, and whether it goes back in the call that asked.
type answering struct {
	questionID string
	cid        string
	synced     bool
}

// answers notes that the next event is the head of an answer to the question,
// or of one that nobody asked for when question is nil. An answer to a question
// that was answered before, or whose caller has given up waiting, is late and
// has an id of its own (specs/chatapi.md §2.4). Channels that don't collect
// their answers keep no exchanges.
func (u *unit) answers(question *Entry) (answering, error) {
	if u.task.Channel.Kind != ChannelChatAPI {
		return answering{}, nil
	}
	head := u.conv.Seq + 1
	if question != nil && question.Data.QuestionID != "" {
		x, err := u.Exchange(u.conv.TenantID, u.conv.ChannelID, u.client.ID, question.Data.QuestionID)
		if err != nil {
			return answering{}, err
		}
		if x.Answer == 0 {
			x.Answer = head
			waits, err := u.waits(x)
			if err != nil {
				return answering{}, err
			}
			if waits || x.Process == "" {
				x.Status = StatusSent
				return answering{x.QuestionID, x.CID, waits}, u.SaveExchange(x)
			}
			if err := u.SaveExchange(x); err != nil {
				return answering{}, err
			}
		}
	}
	id, err := u.s.randomUUID()
	if err != nil {
		return answering{}, err
	}
	return answering{questionID: id}, u.AddExchange(&Exchange{
		TenantID: u.conv.TenantID, ChannelID: u.conv.ChannelID, ClientID: u.client.ID, QuestionID: id, ConversationID: u.conv.ID,
		AskedAt: u.now, Answer: head, Status: StatusSent,
	})
}

// answersNothing notes that the next event is all the answer there is to the
// question, and shows nothing: it has no status, and is no answer to count.
func (u *unit) answersNothing(question *Entry) (answering, error) {
	x, err := u.Exchange(u.conv.TenantID, u.conv.ChannelID, u.client.ID, question.Data.QuestionID)
	if err != nil || x.Answer != 0 {
		return answering{}, err
	}
	waits, err := u.waits(x)
	if err != nil {
		return answering{}, err
	}
	x.Answer = u.conv.Seq + 1
	return answering{x.QuestionID, x.CID, waits}, u.SaveExchange(x)
}

// waits says whether the caller still waits for the answer, in a process that
// lives.
func (u *unit) waits(x *Exchange) (bool, error) {
	if x.SyncUntil <= u.now {
		return false, nil
	}
	if x.Process == u.s.process {
		return true, nil
	}
	return u.ProcessLives(x.Process)
}
