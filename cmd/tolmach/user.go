package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/tolmach/tolmach/internal/chat"
	"github.com/tolmach/tolmach/internal/config"
	"github.com/tolmach/tolmach/internal/server"
)

// userCommand works with operators. They are added by the setup file.
type userCommand struct {
	config.Storage

	List     userList     `cmd:"" help:"List the operators."`
	Password userPassword `cmd:"" help:"Set an operator's password, read from the standard input, and end his sessions."`
	Bar      userBar      `cmd:"" help:"Bar an operator and end his sessions."`
	Admit    userAdmit    `cmd:"" help:"Admit a barred operator again."`
}

type userList struct{}

// Run implements the command.
func (c *userList) Run(ctx context.Context, s streams, parent *userCommand) error {
	operators, err := server.Operators(ctx, parent.Storage, s.err)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(s.out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "TENANT\tLOGIN\tNAME\tROLE\tSTATE")
	for _, o := range operators {
		state := "active"
		if o.Disabled {
			state = "barred"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", o.Tenant, o.Login, o.Name, o.Role, state)
	}
	return w.Flush()
}

type userPassword struct {
	Login string `arg:"" help:"Login of the operator."`
}

// Run implements the command.
func (c *userPassword) Run(ctx context.Context, s streams, parent *userCommand) error {
	fmt.Fprint(s.err, "New password: ")
	line, err := bufio.NewReader(io.LimitReader(s.in, 1024)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	password := strings.TrimRight(line, "\r\n")
	if password == "" {
		return errors.New("no password came on the standard input")
	}
	return edit(ctx, s, parent, c.Login, chat.OperatorEdit{Password: &password})
}

type userBar struct {
	Login string `arg:"" help:"Login of the operator."`
}

// Run implements the command.
func (c *userBar) Run(ctx context.Context, s streams, parent *userCommand) error {
	barred := true
	return edit(ctx, s, parent, c.Login, chat.OperatorEdit{Disabled: &barred})
}

type userAdmit struct {
	Login string `arg:"" help:"Login of the operator."`
}

// Run implements the command.
func (c *userAdmit) Run(ctx context.Context, s streams, parent *userCommand) error {
	barred := false
	return edit(ctx, s, parent, c.Login, chat.OperatorEdit{Disabled: &barred})
}

func edit(ctx context.Context, s streams, parent *userCommand, login string, e chat.OperatorEdit) error {
	if err := server.EditOperator(ctx, parent.Storage, login, e, s.err); err != nil {
		return err
	}
	_, err := fmt.Fprintf(s.out, "done: %s\n", login)
	return err
}
