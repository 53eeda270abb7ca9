// Command digester is Sundew in one program: intake, queue, digester and
// dashboard in one process, and what operators need around them.
//
//	digester [serve]               run everything until SIGTERM; --role runs a part
//	digester check                 verify every invariant of the database and the ledger
//	digester stats                 print the books as JSON
//	digester project create NAME   make a project and print its DSN; --key sets its key
//	digester user reset EMAIL      print an address where a user sets a new password
//	digester dead list             list the local queue's dead letters
//	digester dead retry ID…        put dead letters back; --all: all of them
//	digester backup [FILE]         copy the database while it is used; --check verifies it
//	digester restore FILE          make the database of such a copy
//	digester restore --to PATH     make a database of a backup, of --at, --from
//	digester import --url … --org … bring projects and issues over from Sentry or GlitchTip
//	digester version
//
// Configuration is by environment, see config.go. This package wires the others
// together and holds no rules of its own.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"sundew/digester/release"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if len(os.Args) == 2 && os.Args[1] == statementCommand {
		os.Exit(runStatement(ctx, os.Stdin, os.Stdout, os.Stderr))
	}
	os.Exit(run(ctx, os.Args[1:], os.Getenv, os.Stdout, os.Stderr))
}

const usage = `usage: digester [serve [--role ROLE] | check | stats | project create NAME [--key KEY] |
                       user reset EMAIL | dead list | dead retry ID… | dead retry --all |
                       backup [--check] [FILE] | restore FILE |
                       restore [--at TIME] [--from ADDRESS] --to PATH |
                       import --url ADDRESS --org SLUG [--project SLUG]… [--into ID] [--rate N] [--dry-run] | version]

  serve            run intake, queue, digester and dashboard in one process (the default);
                   with --role dashboard only pages, from SUNDEW_REPLICA or a copy that follows
                   SUNDEW_FOLLOW;
                   with --role digest everything but intake
  check            verify every invariant of the database and the ledger
  stats            print the books as JSON
  project create   make a project and print its DSN
  user reset       print an address where a user sets a new password, once, within two hours
  dead list        list the local queue's dead letters
  dead retry       put dead letters back into the queue, while no digester runs
  backup           copy the database into a new FILE, beside a running digester or without one
  restore FILE     make the database of such a copy; nothing is overwritten
  restore          make a database at PATH of the continuous backup (SUNDEW_BACKUP), the last or as it
                   was at TIME, for example 2026-05-04T14:02:31Z; nothing is overwritten
  import           bring projects, and their issues with the newest event of each, over from Sentry
                   or GlitchTip; the token is in SENTRY_AUTH_TOKEN; running it again makes nothing twice
  version          print the version

Configuration is by environment (SUNDEW_DATA, SUNDEW_LISTEN, …): see the README.
`

// Exit codes.
const (
	exitOK     = 0
	exitFailed = 1 // it did not work, or check found a broken invariant
	exitUsage  = 2 // the command or the configuration is wrong
)

// errUsage is wrapped by errors in how the program was called.
var errUsage = errors.New("wrong usage")

// run executes one command and returns the exit code.
func run(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) int {
	command := "serve"
	if len(args) > 0 {
		command, args = args[0], args[1:]
	}
	switch command {
	case "version":
		fmt.Fprintln(stdout, "sundew", release.Version())
		return exitOK
	case "help", "-h", "-help", "--help":
		fmt.Fprint(stdout, usage)
		return exitOK
	}
	commands := map[string]func(context.Context, Config, []string, io.Writer, io.Writer) error{
		"serve": serve, "check": check, "stats": stats, "project": project, "user": user, "dead": dead, "backup": backup, "restore": restore, "import": importing,
	}
	do, ok := commands[command]
	if !ok {
		fmt.Fprintf(stderr, "digester: there is no command %q\n\n%s", command, usage)
		return exitUsage
	}
	cfg, err := configFromEnv(getenv)
	if err != nil {
		fmt.Fprintf(stderr, "digester: the configuration is wrong:\n%v\nThe README's table says what each variable means.\n", err)
		return exitUsage
	}
	if cfg.Program, err = os.Executable(); err != nil {
		fmt.Fprintf(stderr, "digester: this program's own file cannot be found: %v\n", err)
		return exitFailed
	}
	err = do(ctx, cfg, args, stdout, stderr)
	switch {
	case errors.Is(err, errUsage):
		fmt.Fprintf(stderr, "digester: %v\n\n%s", err, usage)
		return exitUsage
	case err != nil:
		fmt.Fprintf(stderr, "digester: %v\n", err)
		return exitFailed
	}
	return exitOK
}
