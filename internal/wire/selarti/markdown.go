package selarti

import (
	"regexp"
	"strings"
)

// The marks of Markdown. Each needs its closing mark, so that 2*3*4,
// snake_case and paths stay as they are.
var (
	mdHeading  = regexp.MustCompile(`(?m)^ {0,3}#{1,6}[ \t]+(.*?)[ \t]*#*$`)
	mdQuote    = regexp.MustCompile(`(?m)^ {0,3}>[ \t]?`)
	mdRule     = regexp.MustCompile(`(?m)^ {0,3}(?:(?:-[ \t]*){3,}|(?:\*[ \t]*){3,}|(?:_[ \t]*){3,})$`)
	mdBullet   = regexp.MustCompile(`(?m)^([ \t]*)[-*+][ \t]+`)
	mdStrong   = regexp.MustCompile(`(\*\*|__|~~)([^\s*_~](?:[^\n]*?[^\s*_~])??)(\*\*|__|~~)`)
	mdEmphasis = regexp.MustCompile(`(^|[^\pL\pN*_/])[*_]([^\s*_](?:[^*_\n]*[^\s*_])?)[*_]($|[^\pL\pN*_])`)
	mdCode     = regexp.MustCompile("`([^`\n]+)`")
	mdLink     = regexp.MustCompile(`!?\[([^\[\]\n]*)\]\(([^()\s]+)(?:\s+"[^"\n]*")?\)`)
)

// stripMarkdown turns Markdown into the text a person would read aloud: marks
// go, links become `label: address`, list items get a bullet, fenced code is
// taken as it is.
func stripMarkdown(source string) string {
	var out strings.Builder
	for i, part := range strings.Split(strings.ReplaceAll(source, "\r\n", "\n"), "```") {
		if i%2 == 0 {
			out.WriteString(stripMarks(part))
			continue
		}
		// The word after the fence names the language.
		if word, rest, more := strings.Cut(part, "\n"); more && !strings.ContainsAny(word, " \t") {
			part = rest
		}
		out.WriteString(strings.TrimSuffix(part, "\n"))
	}
	return strings.TrimSpace(out.String())
}

func stripMarks(text string) string {
	text = mdRule.ReplaceAllString(text, "")
	text = mdHeading.ReplaceAllString(text, "$1")
	text = mdQuote.ReplaceAllString(text, "")
	text = mdBullet.ReplaceAllString(text, "$1• ")
	text = mdStrong.ReplaceAllStringFunc(text, func(strong string) string {
		parts := mdStrong.FindStringSubmatch(strong)
		if parts[1] != parts[3] {
			return strong
		}
		return parts[2]
	})
	for range 2 { // neighbours share the character between them
		text = mdEmphasis.ReplaceAllString(text, "$1$2$3")
	}
	text = mdCode.ReplaceAllString(text, "$1")
	return mdLink.ReplaceAllStringFunc(text, func(link string) string {
		parts := mdLink.FindStringSubmatch(link)
		if parts[1] == "" || parts[1] == parts[2] {
			return parts[2]
		}
		return parts[1] + ": " + parts[2]
	})
}
