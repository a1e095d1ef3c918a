#include "textflag.h"

// Instructions that Go's assembler has no name for. The arguments are register
// numbers, in the order of Arm's manual: destination first.
//
// SMLAL  Vd.4S, Vn.4H, Vm.4H: adds the products of the lower four int16.
// SMLAL2 Vd.4S, Vn.8H, Vm.8H: of the upper four.
// CMGT   Vd.4S, Vn.4S, Vm.4S: all bits where Vn > Vm, signed.
// SMULL  Vd.8H, Vn.8B, Vm.8B: the products of the lower eight int8.
// SMULL2 Vd.8H, Vn.16B, Vm.16B: of the upper eight.
// SMLALB and SMLALB2: SMLAL and SMLAL2 of int8, adding to eight int16.
// SADALP Vd.4S, Vn.8H: adds the sums of neighbouring int16.
// SDOT   Vd.4S, Vn.16B, Vm.16B: adds the sums of four products of int8.
#define SMLAL(d, n, m) WORD $(0x0E608000 | (m)<<16 | (n)<<5 | (d))
#define SMLAL2(d, n, m) WORD $(0x4E608000 | (m)<<16 | (n)<<5 | (d))
#define SMULL(d, n, m) WORD $(0x0E20C000 | (m)<<16 | (n)<<5 | (d))
#define SMULL2(d, n, m) WORD $(0x4E20C000 | (m)<<16 | (n)<<5 | (d))
#define SMLALB(d, n, m) WORD $(0x0E208000 | (m)<<16 | (n)<<5 | (d))
#define SMLALB2(d, n, m) WORD $(0x4E208000 | (m)<<16 | (n)<<5 | (d))
#define SADALP(d, n) WORD $(0x4E606800 | (n)<<5 | (d))
#define SDOT(d, n, m) WORD $(0x4E809400 | (m)<<16 | (n)<<5 | (d))
#define CMGT(d, n, m) WORD $(0x4EA03400 | (m)<<16 | (n)<<5 | (d))

// One pair of numbers of all vectors of a panel is 128 bytes: 32 vectors × 2
// numbers × 2 bytes. Eight int8 of all its vectors are 256 bytes: four of each,
// and then the next four of each.

// ZERO8 clears V(r) to V(r+7).
#define ZERO8(r0, r1, r2, r3, r4, r5, r6, r7) \
	VEOR r0.B16, r0.B16, r0.B16; \
	VEOR r1.B16, r1.B16, r1.B16; \
	VEOR r2.B16, r2.B16, r2.B16; \
	VEOR r3.B16, r3.B16, r3.B16; \
	VEOR r4.B16, r4.B16, r4.B16; \
	VEOR r5.B16, r5.B16, r5.B16; \
	VEOR r6.B16, r6.B16, r6.B16; \
	VEOR r7.B16, r7.B16, r7.B16

// PRODUCTS(sum, x, y) multiplies the pair in each lane of x, all the same,
// with the 16 pairs in y to y+3. Two neighbouring lanes of sum to sum+7 hold
// the sums of the even and of the odd numbers.
#define PRODUCTS(sum, x, y) \
	SMLAL(sum, x, y); \
	SMLAL2(sum+1, x, y); \
	SMLAL(sum+2, x, y+1); \
	SMLAL2(sum+3, x, y+1); \
	SMLAL(sum+4, x, y+2); \
	SMLAL2(sum+5, x, y+2); \
	SMLAL(sum+6, x, y+3); \
	SMLAL2(sum+7, x, y+3)

// func blockNEON(out []int32, stride int, a, b []int16, pairs int)
// 2 vectors of a by 16 of b.
TEXT ·blockNEON(SB), NOSPLIT, $0-88
	MOVD out_base+0(FP), R0
	MOVD stride+24(FP), R1
	MOVD a_base+32(FP), R2
	MOVD b_base+56(FP), R3
	MOVD pairs+80(FP), R4
	LSL  $2, R1
	MOVD $124, R5
	MOVD $128, R6
	ZERO8(V0, V1, V2, V3, V4, V5, V6, V7)
	ZERO8(V8, V9, V10, V11, V12, V13, V14, V15)

pair:
	VLD1.P  (R3)(R6), [V16.B16, V17.B16, V18.B16, V19.B16]
	VLD1R.P 4(R2), [V20.S4]
	VLD1R.P (R2)(R5), [V21.S4]
	PRODUCTS(0, 20, 16)
	PRODUCTS(8, 21, 16)
	SUBS    $1, R4
	BNE     pair

	VADDP V1.S4, V0.S4, V0.S4
	VADDP V3.S4, V2.S4, V1.S4
	VADDP V5.S4, V4.S4, V2.S4
	VADDP V7.S4, V6.S4, V3.S4
	VST1  [V0.S4, V1.S4, V2.S4, V3.S4], (R0)
	ADD   R1, R0
	VADDP V9.S4, V8.S4, V8.S4
	VADDP V11.S4, V10.S4, V9.S4
	VADDP V13.S4, V12.S4, V10.S4
	VADDP V15.S4, V14.S4, V11.S4
	VST1  [V8.S4, V9.S4, V10.S4, V11.S4], (R0)
	RET

// FOUR(sum, x, y) multiplies the four numbers in each lane of V24, all the
// same, with the 4 vectors in x, the next four in V25 with y, and adds the
// products: sum has two numbers for each of the lower two vectors, sum+1 for
// the upper two. Two products of at most 127×127 are just no overflow.
#define FOUR(sum, x, y) \
	SMULL(26, x, 24); \
	SMULL2(27, x, 24); \
	SMLALB(26, y, 25); \
	SMLALB2(27, y, 25); \
	SADALP(sum, 26); \
	SADALP(sum+1, 27)

// func dotsNEON(out []int32, probe, panels []int8)
TEXT ·dotsNEON(SB), NOSPLIT, $0-72
	MOVD out_base+0(FP), R0
	MOVD out_len+8(FP), R1
	MOVD probe_base+24(FP), R2
	MOVD probe_len+32(FP), R4
	MOVD panels_base+48(FP), R3
	MOVD $192, R8
	LSR  $3, R4
	LSR  $5, R1
	CBZ  R1, done

panel:
	MOVD R2, R5
	MOVD R4, R6
	ZERO8(V0, V1, V2, V3, V4, V5, V6, V7)
	ZERO8(V8, V9, V10, V11, V12, V13, V14, V15)

step:
	ADD     $128, R3, R7
	VLD1R.P 4(R5), [V24.S4]
	VLD1R.P 4(R5), [V25.S4]
	VLD1.P  64(R3), [V16.B16, V17.B16, V18.B16, V19.B16]
	VLD1.P  64(R7), [V20.B16, V21.B16, V22.B16, V23.B16]
	FOUR(0, 16, 20)
	FOUR(2, 17, 21)
	FOUR(4, 18, 22)
	FOUR(6, 19, 23)
	VLD1.P  (R3)(R8), [V16.B16, V17.B16, V18.B16, V19.B16]
	VLD1    (R7), [V20.B16, V21.B16, V22.B16, V23.B16]
	FOUR(8, 16, 20)
	FOUR(10, 17, 21)
	FOUR(12, 18, 22)
	FOUR(14, 19, 23)
	SUBS    $1, R6
	BNE     step

	VADDP  V1.S4, V0.S4, V0.S4
	VADDP  V3.S4, V2.S4, V1.S4
	VADDP  V5.S4, V4.S4, V2.S4
	VADDP  V7.S4, V6.S4, V3.S4
	VADDP  V9.S4, V8.S4, V4.S4
	VADDP  V11.S4, V10.S4, V5.S4
	VADDP  V13.S4, V12.S4, V6.S4
	VADDP  V15.S4, V14.S4, V7.S4
	VST1.P [V0.S4, V1.S4, V2.S4, V3.S4], 64(R0)
	VST1.P [V4.S4, V5.S4, V6.S4, V7.S4], 64(R0)
	SUBS   $1, R1
	BNE    panel

done:
	RET

// func dotsSDOT(out []int32, probe, panels []int8)
TEXT ·dotsSDOT(SB), NOSPLIT, $0-72
	MOVD out_base+0(FP), R0
	MOVD out_len+8(FP), R1
	MOVD probe_base+24(FP), R2
	MOVD probe_len+32(FP), R4
	MOVD panels_base+48(FP), R3
	LSR  $2, R4
	LSR  $5, R1
	CBZ  R1, sdotDone

sdotPanel:
	MOVD R2, R5
	MOVD R4, R6
	ZERO8(V0, V1, V2, V3, V4, V5, V6, V7)

sdotStep:
	VLD1R.P 4(R5), [V24.S4]
	VLD1.P  64(R3), [V16.B16, V17.B16, V18.B16, V19.B16]
	VLD1.P  64(R3), [V20.B16, V21.B16, V22.B16, V23.B16]
	SDOT(0, 16, 24)
	SDOT(1, 17, 24)
	SDOT(2, 18, 24)
	SDOT(3, 19, 24)
	SDOT(4, 20, 24)
	SDOT(5, 21, 24)
	SDOT(6, 22, 24)
	SDOT(7, 23, 24)
	SUBS    $1, R6
	BNE     sdotStep
	VST1.P  [V0.S4, V1.S4, V2.S4, V3.S4], 64(R0)
	VST1.P  [V4.S4, V5.S4, V6.S4, V7.S4], 64(R0)
	SUBS    $1, R1
	BNE     sdotPanel

sdotDone:
	RET

// func aboveNEON(hits []uint32, dots []int32, floor int32)
TEXT ·aboveNEON(SB), NOSPLIT, $0-52
	MOVD hits_base+0(FP), R0
	MOVD hits_len+8(FP), R1
	MOVD dots_base+24(FP), R2
	MOVW floor+48(FP), R3
	VDUP R3, V30.S4
	MOVD $0x8040201008040201, R4
	VDUP R4, V31.D2
	CBZ  R1, aboveDone

word:
	VLD1.P 64(R2), [V0.S4, V1.S4, V2.S4, V3.S4]
	VLD1.P 64(R2), [V4.S4, V5.S4, V6.S4, V7.S4]
	CMGT(0, 0, 30)
	CMGT(1, 1, 30)
	CMGT(2, 2, 30)
	CMGT(3, 3, 30)
	CMGT(4, 4, 30)
	CMGT(5, 5, 30)
	CMGT(6, 6, 30)
	CMGT(7, 7, 30)

	// A comparison's 32 bits are all the same: keep 16 of them, then 8.
	VUZP1 V1.H8, V0.H8, V0.H8
	VUZP1 V3.H8, V2.H8, V2.H8
	VUZP1 V5.H8, V4.H8, V4.H8
	VUZP1 V7.H8, V6.H8, V6.H8
	VUZP1 V2.B16, V0.B16, V0.B16
	VUZP1 V6.B16, V4.B16, V4.B16

	// One bit in each byte, added up over eight bytes.
	VAND   V31.B16, V0.B16, V0.B16
	VAND   V31.B16, V4.B16, V4.B16
	VADDP  V4.B16, V0.B16, V0.B16
	VADDP  V0.B16, V0.B16, V0.B16
	VADDP  V0.B16, V0.B16, V0.B16
	VMOV   V0.S[0], R5
	MOVW.P R5, 4(R0)
	SUBS   $1, R1
	BNE    word

aboveDone:
	RET
