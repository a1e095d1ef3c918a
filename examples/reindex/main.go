// Command reindex finds the people in a folder of photos.
//
//	go run ./examples/reindex -demo          # a small album of real photos
//	go run ./examples/reindex -consent ~/Pictures
//
// It fetches the models it needs once, indexes what is new or changed in the
// folder, groups the faces into people, prints them and writes people.html.
// Everything it learns is in one SQLite file. Run it again at any time: it
// goes on where it stopped. What is known of somebody can be erased, and all
// of it taken back; reindex -h explains.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/kith-photos/kith/index"
)

// Exit statuses.
const (
	exitOK          = 0
	exitFailed      = 1   // some photos failed or could not be deleted, or the account has faults; they are listed
	exitUsage       = 2   // wrong usage, or it could not be done
	exitInterrupted = 130 // Ctrl-C: what was done is kept
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the program at once
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// run is the whole program, testable.
func run(ctx context.Context, args []string, stdin *os.File, stdout, stderr *os.File) int {
	cfg, err := parse(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return exitOK
	}
	if err != nil {
		_, _ = fmt.Fprintf(stderr, "reindex: %v\nreindex -h explains.\n", err)
		return exitUsage
	}
	out := newReporter(cfg, stdout, stderr)
	ctx = index.WithActor(ctx, "cli")
	do := reindex
	if cfg.task != "" {
		do = serve
	}
	status, err := do(ctx, cfg, stdin, out)
	switch {
	case err == nil:
		return status
	case ctx.Err() != nil:
		out.problem("stopped. What was done is kept: run the same command to go on")
		return exitInterrupted
	default:
		out.problem(err.Error())
		return exitUsage
	}
}
