package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/tolmach/tolmach/internal/bot/scenario"
	"github.com/tolmach/tolmach/internal/chat"
	"github.com/tolmach/tolmach/internal/config/setupfile"
	"github.com/tolmach/tolmach/internal/webhook"
)

// LoadSetup reads a setup file with the scenarios it names and checks all that
// can be checked without the database. Errors name file:line:column.
func LoadSetup(file string) ([]chat.Setup, setupfile.Positions, error) {
	setups, positions, err := setupfile.Load(file, os.LookupEnv)
	if err != nil {
		return nil, positions, err
	}
	var problems []error
	for doc := range setups {
		if found := append(setups[doc].Validate(), checkCalls(&setups[doc])...); len(found) > 0 {
			problems = append(problems, positions.Explain(doc, found))
		}
		for _, bot := range setups[doc].Bots {
			if bot.Kind != chat.BotScenario || bot.Scenario == "" {
				continue
			}
			if _, err := scenario.Parse(filepath.Join(filepath.Dir(file), bot.File), []byte(bot.Scenario)); err != nil {
				problems = append(problems, err)
			}
		}
	}
	return setups, positions, errors.Join(problems...)
}

// checkCalls finds headers and secrets that no outgoing call could carry.
func checkCalls(s *chat.Setup) []chat.Problem {
	var found []chat.Problem
	headers := func(path string, list map[string]string) {
		for _, name := range slices.Sorted(maps.Keys(list)) {
			if err := webhook.CheckHeader(name, list[name]); err != nil {
				found = append(found, chat.Problem{Path: path + ".headers", Message: err.Error()})
			}
		}
	}
	for i, integration := range s.Integrations {
		path := fmt.Sprintf("integrations[%d]", i)
		headers(path, integration.Headers)
		if integration.Secret != "" {
			if err := webhook.CheckSecret(integration.Secret); err != nil {
				found = append(found, chat.Problem{Path: path + ".secret", Message: err.Error()})
			}
		}
	}
	for i, bot := range s.Bots {
		headers(fmt.Sprintf("bots[%d]", i), bot.Headers)
	}
	return found
}

// explain gives the problems that only the database knew their positions.
func explain(err error, positions setupfile.Positions) error {
	var invalid *chat.InvalidSetup
	if !errors.As(err, &invalid) {
		return err
	}
	var explained []error
	for doc := 0; len(explained) < len(invalid.Problems); doc++ {
		if problems, wrong := invalid.Problems[doc]; wrong {
			explained = append(explained, positions.Explain(doc, problems))
		}
	}
	return errors.Join(explained...)
}

// setupFiles applies files at start and again when they change.
type setupFiles struct {
	files []string
	apply func(ctx context.Context, setups []chat.Setup) error
	log   *slog.Logger
}

// all applies every file; used at start, where a mistake stops the server.
func (s *setupFiles) all(ctx context.Context) error {
	for _, file := range s.files {
		if err := s.one(ctx, file); err != nil {
			return err
		}
	}
	return nil
}

func (s *setupFiles) one(ctx context.Context, file string) error {
	setups, positions, err := LoadSetup(file)
	if err != nil {
		return err
	}
	return explain(s.apply(ctx, setups), positions)
}

// watch applies again whenever a file or a scenario of it changes. A mistake
// is logged, and what ran before runs on.
func (s *setupFiles) watch(ctx context.Context) error {
	for ctx.Err() == nil {
		files := s.watched()
		round, again := context.WithCancel(ctx)
		err := scenario.Watch(round, files, func(changed string) {
			if err := s.all(ctx); err != nil {
				s.log.Error("setup.refused", "changed", changed, "error", err)
				return
			}
			s.log.Info("setup.applied", "changed", changed)
			again() // the files may name other scenarios now
		})
		again()
		if err != nil {
			return err
		}
	}
	return nil
}

// watched lists the setup files and the scenarios they name now.
func (s *setupFiles) watched() []string {
	files := append([]string(nil), s.files...)
	for _, file := range s.files {
		setups, _, err := setupfile.Load(file, os.LookupEnv)
		if err != nil {
			continue // the watcher tells when it is mended
		}
		for _, setup := range setups {
			for _, bot := range setup.Bots {
				if bot.File != "" {
					files = append(files, filepath.Join(filepath.Dir(file), bot.File))
				}
			}
		}
	}
	return files
}
