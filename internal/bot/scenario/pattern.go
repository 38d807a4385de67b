package scenario

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// pattern is one line of `patterns`.
type pattern interface {
	// match gives match[0], match[1]… of expressions, or nil when the text doesn't match.
	match(s subject) []string
}

func (p *parser) patterns(n *yaml.Node) []pattern {
	items := p.list(n, "`patterns`", 1, maxNodes)
	patterns := make([]pattern, 0, len(items))
	for _, item := range items {
		text, ok := p.scalar(item, "a pattern")
		if !ok {
			continue
		}
		one, what, fix := p.pattern(text)
		if what != "" {
			p.refuse(place(item), what, fix)
			continue
		}
		patterns = append(patterns, one)
	}
	return patterns
}

// pattern makes one pattern, or says what is wrong with it and what to do.
func (p *parser) pattern(text string) (one pattern, what, fix string) {
	if len(text) > maxPattern {
		return nil, "the pattern is longer than 1,000 bytes", "write several shorter patterns"
	}
	if source, ok := strings.CutPrefix(text, "~"); ok {
		re, what := p.regexp(source)
		return expressionPattern{re}, what, "correct the RE2 expression after ~"
	}
	return newWordPattern(text)
}

// token is one word of a pattern, cut at its stars: "доставк*" is "доставк" and "".
type token []string

// wordPattern is a word pattern cut at its lone stars: "* доставк* *" is nothing, one token, nothing.
// One segment means that there is no lone star.
type wordPattern struct {
	segments [][]token
}

func newWordPattern(text string) (pattern, string, string) {
	segments := [][]token{nil}
	for _, piece := range strings.Fields(text) {
		if piece == "*" {
			segments = append(segments, nil)
			continue
		}
		parts := strings.Split(piece, "*")
		for i := range parts {
			parts[i] = foldWord(parts[i])
		}
		if len(parts) == 1 && parts[0] == "" {
			continue // punctuation alone, as in the text
		}
		if len(parts) > 1 && strings.Join(parts, "") == "" {
			return nil, "a star in " + quote(piece) + " is attached to no letter", "put spaces around a star that means whole words"
		}
		if len(parts) > 2 && slices.Contains(parts[1:len(parts)-1], "") {
			return nil, "two stars follow each other in " + quote(piece), "write one star"
		}
		last := len(segments) - 1
		segments[last] = append(segments[last], parts)
	}
	if len(segments) == 1 && segments[0] == nil {
		return nil, "the pattern has no words: " + quote(text), "write words, a star or ~ and an RE2 expression"
	}
	return wordPattern{segments}, "", ""
}

// match finds every segment at its first possible place, so each star takes as little as it can, the leftmost
// first; that needs no backtracking, whatever the number of stars.
func (p wordPattern) match(s subject) []string {
	last := len(p.segments) - 1
	if !p.at(s, 0, 0) {
		return nil
	}
	starts := make([]int, 1, last+1)
	at := len(p.segments[0])
	for i := 1; i < last; i++ {
		for !p.at(s, i, at) {
			if at++; at+len(p.segments[i]) > len(s.words) {
				return nil
			}
		}
		starts = append(starts, at)
		at += len(p.segments[i])
	}
	end := len(s.words) - len(p.segments[last])
	if end < at && last > 0 || last == 0 && end != 0 || last > 0 && !p.at(s, last, end) {
		return nil
	}
	if last > 0 {
		starts = append(starts, end)
	}
	return p.captures(s, starts)
}

// at tells whether a segment matches the words from the given one on.
func (p wordPattern) at(s subject, segment, start int) bool {
	tokens := p.segments[segment]
	if start+len(tokens) > len(s.words) {
		return false
	}
	for i, t := range tokens {
		if !t.match(s.words[start+i].folded, nil) {
			return false
		}
	}
	return true
}

// captures are match[0] and what each star took, with the segments beginning at the given words.
func (p wordPattern) captures(s subject, starts []int) []string {
	found := []string{s.raw}
	end := 0
	for i, start := range starts {
		if i > 0 {
			found = append(found, s.span(end, start))
		}
		for j, t := range p.segments[i] {
			w := s.words[start+j]
			t.match(w.folded, func(from, to int) { found = append(found, s.typed(w, from, to)) })
		}
		end = start + len(p.segments[i])
	}
	return found
}

// match tells whether the token matches a folded word, and tells took the bytes of each star from left to right.
func (t token) match(folded string, took func(from, to int)) bool {
	if len(t) == 1 {
		return t[0] == folded
	}
	last := len(t) - 1
	if !strings.HasPrefix(folded, t[0]) || !strings.HasSuffix(folded, t[last]) {
		return false
	}
	at, end := len(t[0]), len(folded)-len(t[last])
	for _, part := range t[1:last] {
		if at > end {
			return false
		}
		i := strings.Index(folded[at:end], part)
		if i < 0 {
			return false
		}
		if took != nil {
			took(at, at+i)
		}
		at += i + len(part)
	}
	if at > end {
		return false
	}
	if took != nil {
		took(at, end)
	}
	return true
}
