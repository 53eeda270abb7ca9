package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"sundew/digester/queue"
	"sundew/digester/queue/local"
	"sundew/schema/wire"
)

// deadListed is how many dead letters `dead list` prints, and how many are put back
// at a time.
const deadListed = 100

// dead handles `dead list` and `dead retry`. It knows the local queue only: those
// of other queues are put back on the dashboard.
func dead(ctx context.Context, cfg Config, args []string, stdout, stderr io.Writer) error {
	if len(args) == 0 {
		return fmt.Errorf("%w: want dead list or dead retry", errUsage)
	}
	if _, err := os.Stat(cfg.queuePath()); err != nil {
		if errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("there is no queue in %q yet: start `digester serve` once, or set SUNDEW_DATA", cfg.Data)
		}
		return err
	}
	switch command, rest := args[0], args[1:]; command {
	case "list":
		if len(rest) > 0 {
			return fmt.Errorf("%w: dead list takes no arguments", errUsage)
		}
		return deadList(ctx, cfg, stdout)
	case "retry":
		return deadRetry(ctx, cfg, rest, stdout, stderr)
	}
	return fmt.Errorf("%w: there is no dead %s", errUsage, args[0])
}

// deadList prints the dead letters, beside a running process or without one.
func deadList(ctx context.Context, cfg Config, stdout io.Writer) error {
	q, err := local.Inspect(ctx, cfg.queuePath())
	if err != nil {
		return err
	}
	defer q.Close()
	letters, err := q.DeadLetters(ctx, deadListed)
	if err != nil {
		return err
	}
	if len(letters) == 0 {
		fmt.Fprintln(stdout, "there are no dead letters")
		return nil
	}
	table := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "ID\tPROJECT\tEVENT\tRECEIVED\tDELIVERIES\tBYTES\tREMARK")
	for _, l := range letters {
		project, id, remark := "-", "-", ""
		if m, err := wire.Decode(l.Body); err != nil {
			remark = err.Error()
		} else {
			project, id = fmt.Sprint(m.Project), m.EventID.String()
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%d\t%d\t%s\n", l.ID, project, id, l.SentAt.Format(time.RFC3339), l.Receives, len(l.Body), remark)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if len(letters) == deadListed {
		fmt.Fprintf(stdout, "only the newest %d are listed\n", deadListed)
	}
	return nil
}

// deadRetry handles `dead retry ID… | --all`. A running process owns the file, and
// nobody else may write it: then the dashboard is the place.
func deadRetry(ctx context.Context, cfg Config, args []string, stdout, stderr io.Writer) (err error) {
	flags := flag.NewFlagSet("dead retry", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {}
	all := flags.Bool("all", false, "put back all of them")
	if err := flags.Parse(args); err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	if *all == (flags.NArg() > 0) {
		return fmt.Errorf("%w: dead retry takes ids, or --all", errUsage)
	}
	q, err := local.Open(ctx, local.Config{Path: cfg.queuePath()})
	if errors.Is(err, local.ErrInUse) {
		return fmt.Errorf("a digester is running on %q and has the queue: use its dashboard, %s/dead-letters, or stop it first", cfg.Data, cfg.publicURL(cfg.Listen))
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, q.Close(context.WithoutCancel(ctx))) }()
	moved := 0
	for ids := flags.Args(); ; {
		if *all {
			letters, err := q.DeadLetters(ctx, deadListed)
			if err != nil {
				return err
			}
			ids = idsOf(letters)
		}
		n, err := q.Redrive(ctx, ids)
		if err != nil {
			return err
		}
		moved += n
		if !*all || n == 0 {
			break
		}
	}
	fmt.Fprintf(stdout, "put back %d; they are digested when the digester runs\n", moved)
	if want := flags.NArg(); moved < want {
		return fmt.Errorf("%d of the %d are no dead letters: %s", want-moved, want, strings.Join(flags.Args(), " "))
	}
	return nil
}

func idsOf(letters []queue.DeadLetter) []string {
	ids := make([]string, len(letters))
	for i, l := range letters {
		ids[i] = l.ID
	}
	return ids
}
