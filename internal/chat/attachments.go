package chat

import (
	"net/url"
	"slices"
)

// Limits of what a message may carry.
const (
	MaxAttachments    = 10
	MaxAttachmentURL  = 2048 // bytes
	MaxAttachmentName = 255  // bytes; of the media type too
)

// checkAttachments refuses links that no client could open, naming the field.
func checkAttachments(list []Attachment) error {
	if len(list) > MaxAttachments {
		return &Error{Code: CodeTooLarge, Field: "attachments", Message: "there are over 10 attachments; send them in parts"}
	}
	for i := range list {
		if err := list[i].check(); err != nil {
			return err
		}
	}
	return nil
}

func (a *Attachment) check() error {
	u, err := url.Parse(a.URL)
	switch {
	case !slices.Contains([]string{"image", "audio", "video", "file"}, a.Kind):
		return Invalid("attachments", "the kind of an attachment is image, audio, video or file")
	case a.URL == "":
		return &Error{Code: CodeMissing, Field: "attachments", Message: "an attachment has no url"}
	case len(a.URL) > MaxAttachmentURL:
		return &Error{Code: CodeTooLarge, Field: "attachments", Message: "the url of an attachment is over 2048 bytes"}
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		return Invalid("attachments", "the url of an attachment must be a whole http or https address")
	case len(a.Name) > MaxAttachmentName || len(a.MimeType) > MaxAttachmentName:
		return &Error{Code: CodeTooLarge, Field: "attachments", Message: "the name or the type of an attachment is over 255 bytes"}
	case a.Size < 0:
		return Invalid("attachments", "the size of an attachment is below zero")
	}
	return nil
}
