package chat

// Reasons why a bot that owns the session is not asked; a message.created
// event of the client carries one in Data.Silence.
const (
	SilencePaused  = "task_paused" // the task is paused or awaits its start
	SilenceFlag    = "flag"        // close, operator or is_bot is set
	SilenceList    = "list"        // not on the white list, or on the black one
	SilenceLimit   = "limit"       // the conversation reached the task's limit of messages
	SilenceNoOwner = "not_bot"     // people own the session
)

// silence says why the bot must not be asked now, or "" when it may.
func (u *unit) silence() string {
	switch {
	case u.task.Status == TaskPaused || u.task.Status == TaskAwaiting:
		return SilencePaused
	case u.session.Owner.Kind != OwnerBot:
		return SilenceNoOwner
	case u.conv.Flags&FlagMutes != 0:
		return SilenceFlag
	case !u.listed():
		return SilenceList
	case u.task.Limit != nil && u.conv.Messages >= int64(u.task.Limit.Messages):
		return SilenceLimit
	}
	return ""
}

// listed applies the task's lists: on no black list, and on a white list when
// there are any (specs/selarti.md §2.4).
func (u *unit) listed() bool {
	names := []string{u.conv.ExternalID, u.client.Profile["username"], u.client.Profile["phone"], u.client.Profile["contact"]}
	white, onWhite := false, false
	for i := range u.task.Lists {
		l := &u.task.Lists[i]
		has := l.Has(names...)
		if l.Kind == "black" && has {
			return false
		}
		if l.Kind == "white" {
			white, onWhite = true, onWhite || has
		}
	}
	return !white || onWhite
}

// asked returns the bot a question goes to, or 0 and why it goes to none.
func (u *unit) asked() (ID, string) {
	if why := u.silence(); why != "" {
		return 0, why
	}
	return u.session.Owner.ID, ""
}
