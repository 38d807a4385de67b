package console

import (
	"github.com/tolmach/tolmach/internal/chat"
)

// maxPassword bounds what is hashed, in bytes.
const maxPassword = 1024

// operator is a person as the API shows him.
type operator struct {
	ID    chat.ID   `json:"id"`
	Login string    `json:"login"`
	Name  string    `json:"name"`
	Role  chat.Role `json:"role"`
}

func newOperator(o *chat.Operator) *operator {
	return &operator{ID: o.ID, Login: o.Login, Name: o.DisplayName(), Role: o.Role}
}

type loginAnswer struct {
	Token    string    `json:"token"`
	Operator *operator `json:"operator"`
}

// login opens an operator's session: the token is answered, and set as a cookie
// for our own pages.
func (a *API) login(c *call) (any, error) {
	login, password := c.body.Text("login"), c.body.Text("password")
	if err := c.complete(); err != nil {
		return nil, err
	}
	switch {
	case login == "":
		return nil, &chat.Error{Code: chat.CodeMissing, Field: "login", Message: "the login or e-mail is missing"}
	case password == "":
		return nil, &chat.Error{Code: chat.CodeMissing, Field: "password", Message: "the password is missing"}
	case len(password) > maxPassword:
		return nil, &chat.Error{Code: chat.CodeTooLarge, Field: "password", Message: "the password is over 1024 bytes"}
	case a.Auth.Foreign(c.Request):
		return nil, chat.Errorf(chat.CodeForbidden, "only pages of this server may sign in from a browser")
	}
	succeeded, err := a.Auth.Try(c.Request, login)
	if err != nil {
		return nil, err
	}
	token, o, err := a.Service.Login(c.Context(), login, password, a.SessionLife)
	if chat.ErrorCode(err) != chat.CodeUnauthorized {
		succeeded() // or failed by no fault of the caller
	}
	if err != nil {
		return nil, err
	}
	a.Log.InfoContext(c.Context(), "console.login", "tenant", o.TenantID, "operator", o.ID)
	a.Auth.SetCookie(c.w, c.Request, token, a.SessionLife)
	return loginAnswer{Token: token, Operator: newOperator(o)}, nil
}

// logout ends the session that the call was made with.
func (a *API) logout(c *call) (any, error) {
	if err := c.complete(); err != nil {
		return nil, err
	}
	token := a.Auth.SessionToken(c.Request)
	if err := a.Service.Logout(c.Context(), token); err != nil {
		return nil, err
	}
	a.watchers.end(token)
	a.Auth.DropCookie(c.w, c.Request)
	return struct{}{}, nil
}
