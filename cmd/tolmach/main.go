// Command tolmach is the whole product: the server and the commands around it.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
)

// commands is the command line. Each command is a file of this package.
type commands struct {
	Serve    serveCommand    `cmd:"" help:"Run the server."`
	Apply    applyCommand    `cmd:"" aliases:"import" help:"Make the settings match a setup file; an exported one, too."`
	Export   exportCommand   `cmd:"" help:"Write the settings as a setup file, for apply to import."`
	Backup   backupCommand   `cmd:"" help:"Copy the database into a file, while the server runs or not."`
	Restore  restoreCommand  `cmd:"" help:"Make a backup the database of a directory where no server runs; with PostgreSQL, a new history of what was put back."`
	Demo     demoCommand     `cmd:"" help:"Write a directory to try things out with."`
	Hooks    hooksCommand    `cmd:"" help:"Receive webhooks, check their signatures and print them."`
	Scenario scenarioCommand `cmd:"" help:"Check a scenario bot's file, or talk to it."`
	User     userCommand     `cmd:"" help:"Operators: list, set a password, bar and admit."`
	Calls    callsCommand    `cmd:"" help:"Show why recent calls to a running server failed."`
	Doctor   doctorCommand   `cmd:"" help:"Check an installation and say what to mend."`
	Version  versionCommand  `cmd:"" help:"Print the version."`
}

// streams are where a command reads and writes.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], streams{os.Stdin, os.Stdout, os.Stderr})
	stop()
	os.Exit(code)
}

// run carries out one command line and returns the exit code: 0, 1 for a
// failure, 2 for a wrong command line.
func run(ctx context.Context, args []string, s streams) int {
	var cli commands
	exit := -1
	parser, err := kong.New(&cli,
		kong.Name("tolmach"),
		kong.Description("One server for conversations between clients, bots and operators, in the dialects of four vendors."),
		kong.UsageOnError(), kong.Writers(s.out, s.err), kong.Exit(func(code int) { exit = code }),
		kong.BindTo(ctx, (*context.Context)(nil)), kong.Bind(s),
	)
	if err != nil {
		fmt.Fprintln(s.err, "tolmach:", err)
		return 2
	}
	command, err := parser.Parse(args)
	if exit >= 0 { // --help was answered
		return exit
	}
	if err != nil {
		fmt.Fprintln(s.err, "tolmach:", err)
		return 2
	}
	if err := command.Run(); err != nil {
		fmt.Fprintln(s.err, "tolmach:", err)
		return 1
	}
	return 0
}
