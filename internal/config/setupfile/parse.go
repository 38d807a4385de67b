// Package setupfile reads setup files (specs/setup.md): an installation's
// channels, bots, tasks and people as code.
package setupfile

import (
	"io/fs"
	"strconv"

	"github.com/tolmach/tolmach/internal/chat"
	"github.com/tolmach/tolmach/internal/config/yamlfile"
)

// maxFile is the largest setup file in bytes.
const maxFile = 4 << 20

// Options are what a setup file may reach outside itself.
type Options struct {
	// Lookup finds the variables that ${NAME} means, as os.LookupEnv does.
	// Nil: none is set.
	Lookup func(name string) (string, bool)
	// Files holds the scenario files and is rooted at the directory of the
	// setup file; a file outside that tree can't be named. Nil: there are none.
	Files fs.FS
}

// Parse reads a setup file, one Setup for each `---` document (documents
// without content are skipped). file is its name in messages. All that is wrong
// with the form of the file is in the error, a *yamlfile.Error with one
// file:line:column for each problem; the setups are then not to be used. What
// the settings mean is not judged here: pass the problems that
// chat.Setup.Validate finds to Positions.Explain.
//
// ${NAME} in any scalar value stands for a variable and is refused when it is
// unset; ${NAME:-default} has a default for unset and empty ones; $$ is a
// dollar. References are replaced after the YAML was parsed, so that a value
// can't add keys. The text of a scenario bot's file is put into Bot.Scenario.
func Parse(file string, src []byte, opts Options) ([]chat.Setup, Positions, error) {
	roots, syntax := yamlfile.Load(src, maxFile)
	decoder := yamlfile.NewDecoder(schema(opts.Lookup))
	setups := make([]chat.Setup, len(roots))
	positions := Positions{file: file, docs: make([]map[string]yamlfile.Position, len(roots))}
	for i, root := range roots {
		positions.docs[i] = decoder.Document(root, &setups[i])
	}
	problems := decoder.Problems()
	if syntax != nil {
		problems = append(problems, *syntax)
	} else if len(roots) == 0 {
		problems = append(problems, yamlfile.Problem{Position: yamlfile.Position{Line: 1, Column: 1},
			Message: "the file holds no setup; start with \"tenant: name\""})
	}
	problems = append(problems, sameTenant(setups, positions)...)
	for i := range setups {
		problems = append(problems, readScenarios(&setups[i], opts.Files, positions.docs[i])...)
	}
	return setups, positions, yamlfile.NewError(file, problems)
}

// sameTenant refuses a second document of one tenant: each is the whole of the
// tenant's settings, so with --prune one would remove the other's.
func sameTenant(setups []chat.Setup, positions Positions) []yamlfile.Problem {
	var problems []yamlfile.Problem
	first := map[string]int{}
	for i := range setups {
		name := setups[i].Tenant
		if name == "" {
			continue
		}
		if j, taken := first[name]; taken {
			line := strconv.Itoa(positions.docs[j][""].Line)
			problems = append(problems, yamlfile.Problem{Position: positions.docs[i]["tenant"], Path: "tenant",
				Message: "the document on line " + line + " is about the same tenant; join the two"})
			continue
		}
		first[name] = i
	}
	return problems
}
