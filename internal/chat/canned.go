package chat

import (
	"context"
	"slices"
	"strings"
)

// Limits of canned replies.
const (
	MaxCanned   = 1000 // of one tenant
	MaxShortcut = 64   // bytes
)

// CannedReply is an answer that operators keep at hand. OperatorID is whose own
// it is, 0 for everybody's. The shortcuts of one owner differ.
type CannedReply struct {
	ID         ID
	TenantID   ID
	OperatorID ID
	Shortcut   string
	Text       string
	CreatedAt  Micros
	UpdatedAt  Micros
}

// CannedEdit is what a canned reply says. Shared makes it everybody's.
type CannedEdit struct {
	Shortcut string
	Text     string
	Shared   bool
}

func (e *CannedEdit) check() error {
	e.Shortcut = strings.TrimSpace(e.Shortcut)
	switch {
	case e.Shortcut == "":
		return &Error{Code: CodeMissing, Field: "shortcut", Message: "the shortcut is missing"}
	case len(e.Shortcut) > MaxShortcut:
		return &Error{Code: CodeTooLarge, Field: "shortcut", Message: "the shortcut is over 64 bytes"}
	case strings.TrimSpace(e.Text) == "":
		return &Error{Code: CodeMissing, Field: "text", Message: "the text is missing"}
	case len(e.Text) > MaxText:
		return &Error{Code: CodeTooLarge, Field: "text", Message: "the text is over 64 KiB"}
	}
	return nil
}

// CannedReplies lists the actor's own canned replies and everybody's, by rising
// id. An API key sees everybody's.
func (s *Service) CannedReplies(ctx context.Context, actor Actor) ([]CannedReply, error) {
	if err := actor.Require(ScopeConversationsRead); err != nil {
		return nil, err
	}
	var list []CannedReply
	err := s.store.View(ctx, func(r Reader) (err error) {
		list, err = r.CannedReplies(actor.TenantID)
		return err
	})
	return slices.DeleteFunc(list, func(c CannedReply) bool { return !c.visible(actor) }), err
}

// AddCannedReply keeps a new one: the operator's own, or everybody's, which
// takes a supervisor or an admin. Errors: CodeForbidden, CodeMissing,
// CodeTooLarge (also when the tenant has MaxCanned), CodeConflict for a shortcut
// that its owner has.
func (s *Service) AddCannedReply(ctx context.Context, actor Actor, in CannedEdit) (*CannedReply, error) {
	var added *CannedReply
	err := s.editCanned(ctx, actor, &in, func(tx Tx) error {
		all, err := tx.CannedReplies(actor.TenantID)
		if err != nil {
			return err
		}
		if len(all) >= MaxCanned {
			return Errorf(CodeTooLarge, "there are %d canned replies, which is the limit; delete some first", len(all))
		}
		c := &CannedReply{TenantID: actor.TenantID, CreatedAt: tx.Now()}
		if c.ID, err = tx.NextID(); err != nil {
			return err
		}
		c.set(actor, &in, tx.Now())
		added = c
		if taken(all, c) {
			return errShortcut(c)
		}
		return tx.AddCannedReply(c)
	})
	return added, err
}

// ChangeCannedReply replaces what one says. Making it everybody's, or its
// changer's own, is allowed to who may change both. Errors as for
// AddCannedReply; CodeNotFound for another operator's own.
func (s *Service) ChangeCannedReply(ctx context.Context, actor Actor, id ID, in CannedEdit) (*CannedReply, error) {
	var changed *CannedReply
	err := s.editCanned(ctx, actor, &in, func(tx Tx) error {
		c, err := changeable(tx, actor, id)
		if err != nil {
			return err
		}
		all, err := tx.CannedReplies(actor.TenantID)
		if err != nil {
			return err
		}
		c.set(actor, &in, tx.Now())
		changed = c
		if taken(all, c) {
			return errShortcut(c)
		}
		return tx.SaveCannedReply(c)
	})
	return changed, err
}

// DeleteCannedReply forgets one. Errors: CodeForbidden for everybody's,
// CodeNotFound for another operator's own.
func (s *Service) DeleteCannedReply(ctx context.Context, actor Actor, id ID) error {
	return s.editCanned(ctx, actor, nil, func(tx Tx) error {
		if _, err := changeable(tx, actor, id); err != nil {
			return err
		}
		return tx.DeleteCannedReply(actor.TenantID, id)
	})
}

// editCanned runs a change by an operator; in is what it writes, if it does.
func (s *Service) editCanned(ctx context.Context, actor Actor, in *CannedEdit, change func(tx Tx) error) error {
	if actor.Kind != ActorOperator {
		return Errorf(CodeForbidden, "only an operator may change canned replies")
	}
	if in != nil {
		if err := in.check(); err != nil {
			return err
		}
		if in.Shared && !actor.leads() {
			return errShared
		}
	}
	return s.store.Update(ctx, PriorityNormal, change)
}

var errShared = Errorf(CodeForbidden, "only a supervisor or an admin may change what everybody uses; keep one of your own")

func errShortcut(c *CannedReply) error {
	return &Error{Code: CodeConflict, Field: "shortcut", Message: "the shortcut " + c.Shortcut + " is taken; choose another one"}
}

// changeable finds one that the actor may change.
func changeable(tx Tx, actor Actor, id ID) (*CannedReply, error) {
	c, err := tx.CannedReply(actor.TenantID, id)
	switch {
	case err != nil:
		return nil, err
	case !c.visible(actor):
		return nil, Errorf(CodeNotFound, "there is no such canned reply; check its id")
	case c.OperatorID == 0 && !actor.leads():
		return nil, errShared
	}
	return c, nil
}

func (c *CannedReply) visible(actor Actor) bool {
	return c.OperatorID == 0 || actor.Kind == ActorOperator && c.OperatorID == actor.ID
}

func (c *CannedReply) set(actor Actor, in *CannedEdit, now Micros) {
	c.Shortcut, c.Text, c.UpdatedAt, c.OperatorID = in.Shortcut, in.Text, now, actor.ID
	if in.Shared {
		c.OperatorID = 0
	}
}

// taken says whether another reply of the same owner has the shortcut.
func taken(all []CannedReply, c *CannedReply) bool {
	return slices.ContainsFunc(all, func(other CannedReply) bool {
		return other.ID != c.ID && other.OperatorID == c.OperatorID && other.Shortcut == c.Shortcut
	})
}
