package main

import (
	"flag"
	"fmt"
	"io"
)

// role is the part of the product that a process runs.
type role string

const (
	roleEverything role = "everything"
	roleDigest     role = "digest"    // everything but intake, which runs elsewhere
	roleDashboard  role = "dashboard" // pages from a copy; it never opens the primary's files
)

// parseRole reads the arguments of serve.
func parseRole(args []string, stderr io.Writer) (role, error) {
	flags := flag.NewFlagSet("serve", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {}
	name := flags.String("role", string(roleEverything), "")
	if err := flags.Parse(args); err != nil {
		return "", fmt.Errorf("%w: %w", errUsage, err)
	}
	if flags.NArg() > 0 {
		return "", fmt.Errorf("%w: serve takes no arguments but --role", errUsage)
	}
	switch r := role(*name); r {
	case roleEverything, roleDigest, roleDashboard:
		return r, nil
	}
	return "", fmt.Errorf("%w: there is no role %q; want everything, digest or dashboard", errUsage, *name)
}
