package scenario

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// subject is a client's text as patterns see it.
type subject struct {
	raw   string // trimmed, as typed
	words []word
}

// word is one folded word and the bytes of the raw text that it came from.
type word struct {
	folded     string
	start, end int
}

// fold cuts a text into words: case and ё/е are folded, punctuation is dropped, any run of spaces parts two words.
func fold(text string) subject {
	s := subject{raw: strings.TrimSpace(strings.ToValidUTF8(text, "\uFFFD"))}
	for i := 0; i < len(s.raw); {
		r, size := utf8.DecodeRuneInString(s.raw[i:])
		if unicode.IsSpace(r) {
			i += size
			continue
		}
		end := i + len(firstField(s.raw[i:]))
		if folded := foldWord(s.raw[i:end]); folded != "" {
			s.words = append(s.words, word{folded, i, end})
		}
		i = end
	}
	return s
}

// firstField is the text up to the first space.
func firstField(text string) string {
	if i := strings.IndexFunc(text, unicode.IsSpace); i >= 0 {
		return text[:i]
	}
	return text
}

func foldWord(word string) string { return strings.Map(foldRune, word) }

// foldRune is the folded rune, or -1 when the rune is punctuation.
func foldRune(r rune) rune {
	if unicode.IsPunct(r) || r < unicode.MaxASCII && unicode.IsSymbol(r) {
		return -1
	}
	if r = unicode.ToLower(r); r == 'ё' {
		return 'е'
	}
	return r
}

// typed is what the client typed for the bytes from start to end of the folded word.
func (s subject) typed(w word, start, end int) string {
	if start == end {
		return ""
	}
	from, to, at := -1, w.end, 0
	for i, r := range s.raw[w.start:w.end] {
		folded := foldRune(r)
		if folded < 0 {
			continue
		}
		if at == start {
			from = w.start + i
		}
		at += utf8.RuneLen(folded)
		if at == end {
			to = w.start + i + utf8.RuneLen(r)
			break
		}
	}
	return s.raw[from:to]
}

// span is what the client typed for the words from the first to before the last, as one piece.
func (s subject) span(first, last int) string {
	if first == last {
		return ""
	}
	return s.raw[s.words[first].start:s.words[last-1].end]
}
