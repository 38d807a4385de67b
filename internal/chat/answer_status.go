package chat

import "context"

// MaxReports is how many statuses one call may report.
const MaxReports = 1000

// AnswerStatus is a report of how far an answer came, by the id its caller knows.
type AnswerStatus struct {
	QuestionID string
	Status     Status
}

// AnswerStatus returns how far an answer came (specs/chatapi.md §9). Errors:
// CodeNotFound for an unknown client or id, and for a question that has no
// answer yet.
func (s *Service) AnswerStatus(ctx context.Context, actor Actor, externalID, questionID string) (Status, error) {
	channel, err := s.ownChannel(actor, externalID)
	if err != nil {
		return "", err
	}
	var status Status
	err = s.store.View(ctx, func(r Reader) error {
		client, err := r.ClientByExternalID(actor.TenantID, channel.ExternalScope(), externalID)
		if err != nil {
			return err
		}
		x, err := answerNamed(r, channel, client, questionID)
		if err == nil {
			status = x.Status
		}
		return err
	})
	return status, err
}

// SetAnswerStatuses reports how far answers came, each forward only, and returns
// those whose ids are known with the status that holds afterwards. Each report
// is a use case of its own: a failure leaves the ones before it done.
//
// Errors: CodeInvalid for an unknown status and CodeTooLarge for over MaxReports,
// before anything is changed.
func (s *Service) SetAnswerStatuses(ctx context.Context, actor Actor, externalID string, reports []AnswerStatus) ([]AnswerStatus, error) {
	channel, err := s.ownChannel(actor, externalID)
	if err != nil {
		return nil, err
	}
	if len(reports) > MaxReports {
		return nil, Errorf(CodeTooLarge, "there are %d statuses; send at most %d at once", len(reports), MaxReports)
	}
	for _, report := range reports {
		if report.Status.Rank() < 0 {
			return nil, Invalid("status", "is none of SENT, DELIVERED, READ and NOT_SENT")
		}
	}
	applied := []AnswerStatus{}
	for _, report := range reports {
		holds := report.Status
		err := s.update(ctx, actor, func(u *unit) error {
			client, err := u.ClientByExternalID(actor.TenantID, channel.ExternalScope(), externalID)
			if err != nil {
				return err
			}
			x, err := answerNamed(u.Tx, channel, client, report.QuestionID)
			if err != nil {
				return err
			}
			holds, err = u.reportAnswer(x, report.Status)
			return err
		})
		switch ErrorCode(err) {
		case "":
			applied = append(applied, AnswerStatus{report.QuestionID, holds})
		case CodeNotFound:
		default:
			return nil, err
		}
	}
	return applied, nil
}

// Unread counts the answers, of the bot and of people, that a client has not
// read. An unknown client has none.
func (s *Service) Unread(ctx context.Context, actor Actor, externalID string) (int, error) {
	channel, err := s.ownChannel(actor, externalID)
	if err != nil {
		return 0, err
	}
	unread := 0
	err = s.store.View(ctx, func(r Reader) error {
		client, err := r.ClientByExternalID(actor.TenantID, channel.ExternalScope(), externalID)
		if err != nil {
			unread = 0
			return ignoreGone(err)
		}
		unread, err = r.UnreadExchanges(actor.TenantID, channel.ID, client.ID)
		return err
	})
	return unread, err
}

// ownChannel returns the channel that acts, for one of its clients.
func (s *Service) ownChannel(actor Actor, externalID string) (*Channel, error) {
	channel := s.Catalog().Channel(actor.TenantID, actor.ID)
	if actor.Kind != ActorChannel || channel == nil {
		return nil, Errorf(CodeForbidden, "only the callers of a channel may do this")
	}
	return channel, checkCaller(externalID)
}

// answerNamed finds the exchange whose answer an id names. The id of a question
// whose answer was late leads to that answer; one that was answered by silence
// has none.
func answerNamed(r Reader, channel *Channel, client *Client, questionID string) (*Exchange, error) {
	x, err := r.Exchange(channel.TenantID, channel.ID, client.ID, questionID)
	if err != nil {
		return nil, err
	}
	if x.Status != "" {
		return x, nil
	}
	if x.Answer == 0 {
		return nil, Errorf(CodeNotFound, "the question has no answer yet")
	}
	head, err := r.Event(x.TenantID, x.ConversationID, x.Answer)
	if err != nil {
		return nil, err
	}
	if head.Data.QuestionID == x.QuestionID {
		return nil, Errorf(CodeNotFound, "the answer to the question was silence")
	}
	return r.Exchange(channel.TenantID, channel.ID, client.ID, head.Data.QuestionID)
}

// reportAnswer moves an answer's status forward, of all its messages, and
// returns the one that holds.
func (u *unit) reportAnswer(x *Exchange, status Status) (Status, error) {
	if status.Rank() <= x.Status.Rank() {
		return x.Status, nil
	}
	return status, u.setAnswerStatus(x, status)
}

// setAnswerStatus changes the status of an answer and of all its messages, with
// one event.
func (u *unit) setAnswerStatus(x *Exchange, status Status) error {
	if u.conv == nil {
		if err := u.load(x.TenantID, x.ConversationID); err != nil {
			return err
		}
	}
	entries, err := readAnswer(u.Tx, x)
	if err != nil {
		return err
	}
	x.Status = status
	if err := u.SaveExchange(x); err != nil {
		return err
	}
	changed := Event{
		Kind: EventMessageStatus, Author: u.author(), AuthorID: u.actor.ID,
		Data: EventData{Status: status, QuestionID: x.QuestionID, Question: x.Answer},
	}
	for i := range entries {
		m := entries[i].Message
		if m == nil {
			continue
		}
		if changed.MessageID == 0 {
			changed.MessageID, changed.Data.AnswerID = m.ID, m.AnswerID
		}
		if err := u.SetMessageStatus(x.TenantID, m.ID, status); err != nil {
			return err
		}
	}
	_, err = u.append(changed, nil)
	return err
}
