package setupfile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"unicode/utf8"

	"github.com/tolmach/tolmach/internal/chat"
	"github.com/tolmach/tolmach/internal/config/yamlfile"
)

// maxScenario is the largest scenario file in bytes.
const maxScenario = 1 << 20

// readScenarios puts the text of every bot's file into the bot.
func readScenarios(setup *chat.Setup, files fs.FS, positions map[string]yamlfile.Position) []yamlfile.Problem {
	var problems []yamlfile.Problem
	for i := range setup.Bots {
		bot := &setup.Bots[i]
		if bot.File == "" {
			continue
		}
		text, err := readScenario(files, bot.File)
		if err != nil {
			at := fmt.Sprintf("bots[%d].file", i)
			problems = append(problems, yamlfile.Problem{Position: positions[at], Path: at, Message: err.Error()})
			continue
		}
		bot.Scenario = text
	}
	return problems
}

// readScenario reads one file. Names lead nowhere but below the directory of
// the setup file: its settings are shown in the console, and a setup that came
// from somebody else must not show what the server's user can read.
func readScenario(files fs.FS, name string) (string, error) {
	clean := path.Clean(name)
	if path.IsAbs(name) || !fs.ValidPath(clean) || clean == "." {
		return "", errors.New("must name a file in the directory of the setup file or below it; move the scenario there")
	}
	if files == nil {
		return "", errors.New("scenario files can't be read here; apply the setup where its files are")
	}
	f, err := files.Open(clean)
	if errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("there is no file %q beside the setup file; check the name", clean)
	}
	if err != nil {
		return "", fmt.Errorf("the file can't be opened: %w; it must be a readable file below the directory of the setup file", err)
	}
	text, err := io.ReadAll(io.LimitReader(f, maxScenario+1))
	if err := errors.Join(err, f.Close()); err != nil {
		return "", fmt.Errorf("the file can't be read: %w", err)
	}
	if len(text) > maxScenario {
		return "", fmt.Errorf("the file %q is larger than %d KiB; split the scenario into several bots", clean, maxScenario>>10)
	}
	if !utf8.Valid(text) {
		return "", fmt.Errorf("the file %q is not UTF-8 text; save it as UTF-8", clean)
	}
	return string(text), nil
}
