package chat

import "context"

// requeueAbandoned puts the conversations of operators who may not work any more,
// barred or removed, back into the queue: their clients wait for somebody who
// can answer. It looks only when the settings have changed since it last did.
func (s *Service) requeueAbandoned(ctx context.Context) error {
	catalog := s.Catalog()
	if s.staffed == catalog.Version {
		return nil
	}
	for _, tenant := range catalog.tenants {
		gone, err := s.gone(ctx, catalog, tenant.ID)
		if err != nil {
			return err
		}
		for _, operator := range gone {
			if err := s.requeue(ctx, tenant.ID, operator); err != nil {
				return err
			}
		}
	}
	s.staffed = catalog.Version
	return nil
}

// gone lists the operators of a tenant who have conversations and may not work.
func (s *Service) gone(ctx context.Context, catalog *Catalog, tenant ID) (ids []ID, err error) {
	err = s.store.View(ctx, func(r Reader) error {
		ids = nil
		list, err := r.Presences(tenant)
		for _, p := range list {
			if o := catalog.Operator(tenant, p.OperatorID); p.Load > 0 && (o == nil || o.Disabled) {
				ids = append(ids, p.OperatorID)
			}
		}
		return err
	})
	return ids, err
}

// requeue moves all that an operator has, each in a use case of its own.
func (s *Service) requeue(ctx context.Context, tenant, operator ID) error {
	owner := Owner{Kind: OwnerOperator, ID: operator}
	for after := ID(0); ; {
		var page []Listed
		err := s.store.View(ctx, func(r Reader) (err error) {
			page, err = r.Conversations(tenant, ConversationFilter{Owner: owner, After: after, Limit: queuePage})
			return err
		})
		if err != nil || len(page) == 0 {
			return err
		}
		for i := range page {
			after = page[i].ID
			err := s.update(ctx, SystemActor(tenant), func(u *unit) error {
				if err := u.load(tenant, after); err != nil {
					return ignoreGone(err)
				}
				if u.session == nil || u.session.Owner != owner {
					return nil
				}
				return u.changeOwner(Owner{Kind: OwnerQueue}, ReasonOperatorGone, 0, 0)
			})
			if err != nil {
				return err
			}
		}
	}
}
