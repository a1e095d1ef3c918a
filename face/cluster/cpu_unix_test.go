//go:build unix

package cluster_test

import (
	"syscall"
	"testing"
	"time"
)

// processCPU is the time that all threads of this process have had so far.
func processCPU(tb testing.TB) time.Duration {
	tb.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
