package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/tolmach/tolmach/examples"
)

// demoCommand writes a directory that is ready to be served.
type demoCommand struct {
	Dir string `arg:"" default:"demo" help:"Directory to write; it is made when missing."`
}

// Run implements the command. Files that are there already and differ are
// left alone: the owner may have worked on them.
func (c *demoCommand) Run(s streams) error {
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return err
	}
	for _, name := range []string{"setup.yaml", "scenario.yaml"} {
		content, err := examples.Files.ReadFile(name)
		if err != nil {
			return err
		}
		path := filepath.Join(c.Dir, name)
		there, err := os.ReadFile(path)
		switch {
		case errors.Is(err, os.ErrNotExist):
			if err := os.WriteFile(path, content, 0o600); err != nil {
				return err
			}
			fmt.Fprintf(s.out, "wrote %s\n", path)
		case err != nil:
			return err
		case !bytes.Equal(there, content):
			fmt.Fprintf(s.out, "kept %s, which you have changed\n", path)
		}
	}
	_, err := fmt.Fprintf(s.out, demoNext, c.Dir)
	return err
}

const demoNext = `
Try it:

  1. Run the server:
       tolmach serve --data %[1]s/data --apply %[1]s/setup.yaml --egress-allow 127.0.0.0/8
  2. In a second terminal, receive webhooks:
       tolmach hooks --listen 127.0.0.1:9701 --path /selarti --secret whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw
  3. In a third, be a foreign messenger:
       curl -s http://127.0.0.1:8080/api/1.1/wf/send_external_message \
         -H 'Authorization: Bearer k-demo' -H 'Content-Type: application/json' \
         -d '{"task_id":"1721129985149x478019552540622850","chat_id":"42","message":"hello there","name":"Anna"}'

The receiver prints the client's message and then the bot's answer. Change
%[1]s/scenario.yaml while the server runs: the next message meets the new bot.
`
