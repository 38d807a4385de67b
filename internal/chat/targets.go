package chat

import "context"

// MaxTarget is the longest name of a target, in bytes.
const MaxTarget = 256

// AddTarget adds somebody to a task's audience. Nothing is sent; a known
// target is left as it is (specs/selarti.md §3.3). Errors: CodeMissing,
// CodeTooLarge, CodeNotFound, CodeClosed.
func (s *Service) AddTarget(ctx context.Context, actor Actor, task ID, name string) error {
	if err := actor.Require(ScopeMessagesWrite); err != nil {
		return err
	}
	switch {
	case name == "":
		return &Error{Code: CodeMissing, Field: "target", Message: "the target is missing"}
	case len(name) > MaxTarget:
		return &Error{Code: CodeTooLarge, Field: "target", Message: "the target is over 256 bytes"}
	}
	t := s.Catalog().Task(actor.TenantID, task)
	if t == nil {
		return &Error{Code: CodeNotFound, Field: "task", Message: "there is no such task"}
	}
	if t.Status == TaskStopped || t.Status == TaskCompleted {
		return &Error{Code: CodeClosed, Field: "task", Message: "the task is " + string(t.Status)}
	}
	return s.store.Update(ctx, PriorityNormal, func(tx Tx) error {
		return tx.AddTarget(&Target{TenantID: actor.TenantID, TaskID: task, Name: name, CreatedAt: tx.Now()})
	})
}
