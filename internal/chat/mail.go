package chat

import (
	"regexp"
	"strings"
)

var replyMark = regexp.MustCompile(`(?i)^\s*((re|fwd?|aw|отв|пер)(\[\d+\]|\(\d+\))?\s*:\s*)+`)

// MailKey is the key of the conversation that a letter belongs to: its subject
// without the marks of replies and forwards, case and spaces folded.
func MailKey(subject string) string {
	subject = replyMark.ReplaceAllString(subject, "")
	key := strings.ToLower(strings.Join(strings.Fields(subject), " "))
	const most = 500 // bytes: subjects of real letters are shorter
	if len(key) > most {
		key = strings.ToValidUTF8(key[:most], "")
	}
	return key
}
