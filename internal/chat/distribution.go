package chat

import (
	"context"
	"time"
)

// distributionSweep is how long RunDistribution trusts what it was told where
// other processes write to the same database, and how soon it tries again what
// failed.
const distributionSweep = 500 * time.Millisecond

// queuePage is how much of a queue is looked at together.
const queuePage = 100

// RunDistribution gives waiting conversations, the longest waiting first, to
// whoever becomes free, until ctx ends. Each is a use case of its own.
func (s *Service) RunDistribution(ctx context.Context) error {
	alarm := time.NewTimer(0) // it begins with everybody
	defer alarm.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-s.freed.rung:
		case <-alarm.C:
			s.freed.ring(everyTenant)
			continue
		}
		err := s.distribute(ctx, s.freed.heard())
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			s.log.Error("distribution.failed", "error", err)
		}
		if err != nil || s.shared {
			alarm.Reset(distributionSweep)
		}
	}
}

// distribute looks after the tenants that somebody rang for.
func (s *Service) distribute(ctx context.Context, tenants map[ID]struct{}) error {
	if err := s.requeueAbandoned(ctx); err != nil {
		return err
	}
	if _, every := tenants[everyTenant]; every {
		return s.Distribute(ctx)
	}
	for tenant := range tenants {
		if err := s.distributeIn(ctx, tenant); err != nil {
			return err
		}
	}
	return nil
}

// Distribute does once, for every tenant, what RunDistribution does all the
// time.
func (s *Service) Distribute(ctx context.Context) error {
	if err := s.requeueAbandoned(ctx); err != nil {
		return err
	}
	var waiting []ID
	err := s.store.View(ctx, func(r Reader) (err error) {
		waiting, err = r.WaitingTenants()
		return err
	})
	if err != nil {
		return err
	}
	for _, tenant := range waiting {
		if err := s.distributeIn(ctx, tenant); err != nil {
			return err
		}
	}
	return nil
}

// distributeIn walks a tenant's queue once, for as long as anybody has room.
func (s *Service) distributeIn(ctx context.Context, tenant ID) error {
	for place, more := (QueuePlace{}), true; more; {
		var next []ID
		after := place
		err := s.store.View(ctx, func(r Reader) (err error) {
			next, place, more, err = s.placeable(r, tenant, after)
			return err
		})
		if err != nil {
			return err
		}
		for _, id := range next {
			if err := s.assign(ctx, tenant, id); err != nil {
				return err
			}
		}
	}
	return nil
}

// placeable lists those of the next page of a queue that somebody free may have,
// no more than there is room for, and says where it stopped and whether there
// is more to look at.
func (s *Service) placeable(r Reader, tenant ID, after QueuePlace) (next []ID, last QueuePlace, more bool, err error) {
	list, err := r.Presences(tenant)
	if err != nil {
		return nil, after, false, err
	}
	free := s.Catalog().free(tenant, list)
	room := 0
	for _, c := range free {
		room = min(room+c.room, queuePage)
	}
	if room == 0 {
		return nil, after, false, nil
	}
	page, err := r.Queue(tenant, after, queuePage)
	if err != nil {
		return nil, after, false, err
	}
	last = after
	for i := range page {
		if len(next) == room {
			break
		}
		last = QueuePlace{page[i].OwnerSince, page[i].ID}
		session, err := r.Session(tenant, page[i].SessionID)
		if err != nil {
			return nil, after, false, err
		}
		if s.Catalog().choose(free, session) != nil {
			next = append(next, page[i].ID)
		}
	}
	return next, last, last != after, nil
}

// assign gives one conversation of the queue away, unless it has left it, or
// everybody who may have it is busy again. What the settings lost stays.
func (s *Service) assign(ctx context.Context, tenant, conversation ID) error {
	return ignoreGone(s.update(ctx, SystemActor(tenant), func(u *unit) error {
		if err := u.load(tenant, conversation); err != nil {
			return err
		}
		return u.distribute()
	}))
}
