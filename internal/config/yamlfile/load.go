package yamlfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	yaml "go.yaml.in/yaml/v4"
	"go.yaml.in/yaml/v4/plugin/loaderlimits"
)

// maxDepth bounds nesting, both as written and through aliases.
const maxDepth = 64

// Load splits a file into its documents, leaving out empty ones. Documents
// before a syntax error are returned beside the problem, so that their own
// mistakes are told in the same run. max is the largest size in bytes.
func Load(src []byte, max int) ([]*yaml.Node, *Problem) {
	if len(src) > max {
		return nil, &Problem{Position: Position{1, 1},
			Message: fmt.Sprintf("the file is larger than %d KiB; split it", max>>10)}
	}
	if p := checkText(src); p != nil {
		return nil, p
	}
	loader, err := yaml.NewLoader(bytes.NewReader(src), yaml.WithPlugin(loaderlimits.New(loaderlimits.DepthValue(maxDepth))))
	if err != nil {
		return nil, &Problem{Position: Position{1, 1}, Message: "the YAML reader does not start: " + err.Error()}
	}
	var docs []*yaml.Node
	for {
		var doc yaml.Node
		err := loader.Load(&doc)
		if errors.Is(err, io.EOF) {
			return docs, nil
		}
		if err != nil {
			return docs, syntaxProblem(src, err)
		}
		if root := rootOf(&doc); root != nil {
			docs = append(docs, root)
		}
	}
}

// rootOf is the value of a document, nil when nothing was written.
func rootOf(doc *yaml.Node) *yaml.Node {
	if len(doc.Content) == 0 {
		return nil
	}
	root := doc.Content[0]
	if root.Kind == yaml.ScalarNode && root.Tag == "!!null" && root.Value == "" {
		return nil
	}
	return root
}

// checkText refuses what is no text before the parser sees it, because the
// parser knows no position for it.
func checkText(src []byte) *Problem {
	line, column := 1, 1
	for i := 0; i < len(src); {
		r, size := utf8.DecodeRune(src[i:])
		at := Position{line, column}
		switch {
		case r == utf8.RuneError && size <= 1:
			return &Problem{Position: at, Message: "this is not UTF-8 text; save the file as UTF-8"}
		case r == '\n':
			line, column = line+1, 0
		case isControl(r):
			return &Problem{Position: at, Message: fmt.Sprintf("the control character U+%04X is not allowed; remove it", r)}
		}
		column++
		i += size
	}
	return nil
}

func isControl(r rune) bool {
	switch {
	case r == '\t' || r == '\r' || r == 0x85:
		return false
	case r < 0x20 || (r >= 0x7f && r < 0xa0):
		return true
	}
	return r == 0xfffe || r == 0xffff
}

// syntaxProblem tells a mistake of the YAML itself. Texts of the parser that
// quote the file are not repeated: a password that isn't quoted may look like
// an alias or a tag.
func syntaxProblem(src []byte, err error) *Problem {
	var le *yaml.LoadError
	if !errors.As(err, &le) {
		return &Problem{Position: Position{1, 1}, Message: "this is not YAML; check indentation and quotes"}
	}
	at := Position{max(le.Mark.Line, 1), max(le.Mark.Column, 1)}
	return &Problem{Position: at, Message: syntaxMessage(src, at, le)}
}

func syntaxMessage(src []byte, at Position, le *yaml.LoadError) string {
	switch {
	case strings.Contains(le.Message, "max depth"):
		return fmt.Sprintf("nested more than %d levels deep; make it flatter", maxDepth)
	case strings.Contains(le.Message, "unknown anchor"):
		return "an alias points to an anchor that does not exist; put the value in quotes if it just starts with *"
	case strings.Contains(le.Message, "tab character") || charAt(src, at) == '\t':
		return "a tab can't indent YAML; use spaces"
	case strings.Contains(le.Message, "cannot start any token"):
		return "a value can't start with this character; put the value in quotes"
	case strings.Contains(le.Message, "mapping values are not allowed"):
		return "a \": \" is not allowed here; check the indentation, or put the value in quotes"
	case strings.Contains(le.ContextMsg, "flow") && strings.Contains(lineAt(src, le.ContextMark.Line), "${"):
		return le.Message + context(le) + "; inside [ ] and { } put ${NAME} in quotes"
	case le.Stage == yaml.ScannerStage && !strings.ContainsAny(le.Message, "'`%") || le.Stage == yaml.ParserStage:
		return le.Message + context(le) + "; check indentation, quotes and brackets here"
	}
	return "this is not YAML; check indentation and quotes here"
}

func context(le *yaml.LoadError) string {
	if le.ContextMsg == "" {
		return ""
	}
	return fmt.Sprintf(" (%s that starts at %d:%d)", le.ContextMsg, le.ContextMark.Line, le.ContextMark.Column)
}

func charAt(src []byte, at Position) rune {
	line := []rune(lineAt(src, at.Line))
	if at.Column > len(line) {
		return 0
	}
	return line[at.Column-1]
}

// lineAt is the text of a line, "" beyond the end.
func lineAt(src []byte, line int) string {
	number := 1
	for text := range bytes.Lines(src) {
		if number == line {
			return string(text)
		}
		number++
	}
	return ""
}
