package main

import (
	"context"
	"fmt"
	"io"

	"sundew/digester/store"
)

// statementCommand has this program run one statement of SQL and end: what serve starts
// for each, because only a process can be kept from taking memory and time without end.
// It reads what to do from its standard input, which no person writes, and is not in the
// usage.
const statementCommand = "run-statement"

// askBy has a replica's statements run by this program; without one, in this process.
func askBy(replica *store.Replica, program string) {
	if program != "" {
		replica.AskBy(program, statementCommand)
	}
}

// runStatement handles statementCommand and returns the exit code.
func runStatement(ctx context.Context, stdin io.Reader, stdout, stderr io.Writer) int {
	if err := store.ServeStatement(ctx, stdin, stdout); err != nil {
		fmt.Fprintf(stderr, "digester: %v\n", err)
		return exitFailed
	}
	return exitOK
}
