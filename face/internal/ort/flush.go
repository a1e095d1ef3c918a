package ort

/*
#include <stdint.h>
#include <time.h>

// CPU time of the calling thread in nanoseconds, 0 where there is no such clock.
static int64_t kith_cpu(void) {
#ifdef CLOCK_THREAD_CPUTIME_ID
	struct timespec t;
	if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t) == 0)
		return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
#endif
	return 0;
}

#if defined(__x86_64__) || defined(_M_X64)
#include <xmmintrin.h>
// MXCSR: flush results to zero (bit 15), read operands as zero (bit 6).
static uint64_t kith_flush(void) {
	unsigned old = _mm_getcsr();
	_mm_setcsr(old | 0x8040);
	return old;
}
static void kith_restore(uint64_t old) { _mm_setcsr((unsigned)old); }
#elif defined(__aarch64__)
// FPCR: flush to zero, operands and results (bit 24).
static uint64_t kith_flush(void) {
	uint64_t old;
	__asm__ volatile("mrs %0, fpcr" : "=r"(old));
	__asm__ volatile("msr fpcr, %0" : : "r"(old | (1ull << 24)));
	return old;
}
static void kith_restore(uint64_t old) { __asm__ volatile("msr fpcr, %0" : : "r"(old)); }
#else
static uint64_t kith_flush(void) { return 0; }
static void kith_restore(uint64_t old) { (void)old; }
#endif
*/
import "C"

import (
	"runtime"
	"time"
)

// withFlush runs f with subnormal floats treated as zero on the thread that
// computes. Small networks hold many subnormal weights, and x86 processors
// take a slow path of over a hundred cycles for each: flushing makes the
// default embedder more than ten times faster (BenchmarkFlush) and changed no
// bit of the vectors of 227 LFW faces. ONNX Runtime's own option (session.set_denormal_as_zero) does not
// serve: it is set on the thread that creates the session, and a goroutine
// runs on any.
//
// It returns the CPU time that f took.
func withFlush(f func() error) (time.Duration, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	start := C.kith_cpu()
	old := C.kith_flush()
	defer C.kith_restore(old)
	err := f()
	return time.Duration(C.kith_cpu() - start), err
}
