#include "textflag.h"

// Instructions that Go's assembler has no name for. The arguments are register
// numbers, destination first.
//
// UADDLP Vd.8H, Vn.16B: the sums of neighbouring uint8.
// UADALP Vd.8H, Vn.16B: adds them.
// RSHRN  Vd.8B, Vn.8H, #2: a quarter, rounded, to the lower eight uint8.
// RSHRN2 Vd.16B, Vn.8H, #2: to the upper eight.
#define UADDLP(d, n) WORD $(0x6E202800 | (n)<<5 | (d))
#define UADALP(d, n) WORD $(0x6E206800 | (n)<<5 | (d))
#define RSHRN(d, n) WORD $(0x0F0E8C00 | (n)<<5 | (d))
#define RSHRN2(d, n) WORD $(0x4F0E8C00 | (n)<<5 | (d))

// func halveSteps(dst, a, b []byte)
TEXT ·halveSteps(SB), NOSPLIT, $0-72
	MOVD dst_base+0(FP), R0
	MOVD dst_len+8(FP), R3
	MOVD a_base+24(FP), R1
	MOVD b_base+48(FP), R2
	LSR  $4, R3
	CBZ  R3, done

step:
	VLD1.P 32(R1), [V0.B16, V1.B16]
	VLD1.P 32(R2), [V2.B16, V3.B16]
	UADDLP(4, 0)
	UADDLP(5, 1)
	UADALP(4, 2)
	UADALP(5, 3)
	RSHRN(6, 4)
	RSHRN2(6, 5)
	VST1.P [V6.B16], 16(R0)
	SUBS   $1, R3
	BNE    step

done:
	RET
