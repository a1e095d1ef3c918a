#include "textflag.h"

// One pair of numbers of all vectors of a panel is 128 bytes: 32 vectors × 2
// numbers × 2 bytes.
#define PANEL_STEP $128

// Eight int8 of all vectors of a panel are 256 bytes: four of each, and then
// the next four of each.
#define STEP8 $256

// VNNI_ROW(offset, lo, hi) adds to lo and hi the products of one vector of a
// with the 32 vectors of b in Z16 and Z17.
#define VNNI_ROW(offset, lo, hi) \
	VPBROADCASTD offset(SI), Z18; \
	VPDPWSSD     Z16, Z18, lo; \
	VPDPWSSD     Z17, Z18, hi

#define ZERO512(r) VPXORD r, r, r

#define STORE512(lo, hi) \
	VMOVDQU32 lo, (DI); \
	VMOVDQU32 hi, 64(DI); \
	ADDQ      R8, DI

// func blockVNNI(out []int32, stride int, a, b []int16, pairs int)
// 8 vectors of a by the 32 of b; 16 sums are enough to hide the latency of 5
// cycles of two multiplications a cycle.
TEXT ·blockVNNI(SB), NOSPLIT, $0-88
	MOVQ out_base+0(FP), DI
	MOVQ stride+24(FP), R8
	MOVQ a_base+32(FP), SI
	MOVQ b_base+56(FP), BX
	MOVQ pairs+80(FP), CX
	SHLQ $2, R8
	ZERO512(Z0)
	ZERO512(Z1)
	ZERO512(Z2)
	ZERO512(Z3)
	ZERO512(Z4)
	ZERO512(Z5)
	ZERO512(Z6)
	ZERO512(Z7)
	ZERO512(Z8)
	ZERO512(Z9)
	ZERO512(Z10)
	ZERO512(Z11)
	ZERO512(Z12)
	ZERO512(Z13)
	ZERO512(Z14)
	ZERO512(Z15)

vnniPair:
	VMOVDQU32 (BX), Z16
	VMOVDQU32 64(BX), Z17
	VNNI_ROW(0, Z0, Z1)
	VNNI_ROW(4, Z2, Z3)
	VNNI_ROW(8, Z4, Z5)
	VNNI_ROW(12, Z6, Z7)
	VNNI_ROW(16, Z8, Z9)
	VNNI_ROW(20, Z10, Z11)
	VNNI_ROW(24, Z12, Z13)
	VNNI_ROW(28, Z14, Z15)
	ADDQ      PANEL_STEP, SI
	ADDQ      PANEL_STEP, BX
	DECQ      CX
	JNZ       vnniPair

	STORE512(Z0, Z1)
	STORE512(Z2, Z3)
	STORE512(Z4, Z5)
	STORE512(Z6, Z7)
	STORE512(Z8, Z9)
	STORE512(Z10, Z11)
	STORE512(Z12, Z13)
	STORE512(Z14, Z15)
	VZEROUPPER
	RET

// VNNI_DOT(offset, x, sum) adds to sum the products of the four numbers in
// each lane of x, all the same, with those of 16 vectors. The instruction
// multiplies unsigned with signed bytes, so that the vectors' get 128 more.
#define VNNI_DOT(offset, x, sum) \
	VPXORD   offset(BX), Z31, Z30; \
	VPDPBUSD x, Z30, sum

// func dotsVNNI(out []int32, probe, panels []int8)
TEXT ·dotsVNNI(SB), NOSPLIT, $0-72
	MOVQ         out_base+0(FP), DI
	MOVQ         out_len+8(FP), DX
	MOVQ         probe_len+32(FP), R9
	MOVQ         panels_base+48(FP), BX
	MOVL         $0x80808080, AX
	VPBROADCASTD AX, Z31
	SHRQ         $5, DX
	JZ           vnniDone
	SHRQ         $3, R9

vnniPanel:
	MOVQ probe_base+24(FP), SI
	MOVQ R9, CX
	ZERO512(Z0)
	ZERO512(Z1)
	ZERO512(Z2)
	ZERO512(Z3)
	ZERO512(Z4)
	ZERO512(Z5)

vnniStep:
	// Z4 and Z5 are what the 128 add: the same for all vectors.
	VPBROADCASTD (SI), Z6
	VPBROADCASTD 4(SI), Z7
	VNNI_DOT(0, Z6, Z0)
	VNNI_DOT(64, Z6, Z1)
	VNNI_DOT(128, Z7, Z2)
	VNNI_DOT(192, Z7, Z3)
	VPDPBUSD     Z6, Z31, Z4
	VPDPBUSD     Z7, Z31, Z5
	ADDQ         $8, SI
	ADDQ         STEP8, BX
	DECQ         CX
	JNZ          vnniStep
	VPADDD       Z5, Z4, Z4
	VPADDD       Z2, Z0, Z0
	VPADDD       Z3, Z1, Z1
	VPSUBD       Z4, Z0, Z0
	VPSUBD       Z4, Z1, Z1
	VMOVDQU32    Z0, (DI)
	VMOVDQU32    Z1, 64(DI)
	ADDQ         $128, DI
	DECQ         DX
	JNZ          vnniPanel
	VZEROUPPER

vnniDone:
	RET

// func aboveAVX512(hits []uint32, dots []int32, floor int32)
TEXT ·aboveAVX512(SB), NOSPLIT, $0-52
	MOVQ         hits_base+0(FP), DI
	MOVQ         hits_len+8(FP), CX
	MOVQ         dots_base+24(FP), SI
	MOVL         floor+48(FP), AX
	VPBROADCASTD AX, Z2
	TESTQ        CX, CX
	JZ           above512Done

above512Word:
	VMOVDQU32 (SI), Z0
	VMOVDQU32 64(SI), Z1
	VPCMPGTD  Z2, Z0, K1
	VPCMPGTD  Z2, Z1, K2
	KMOVW     K1, (DI)
	KMOVW     K2, 2(DI)
	ADDQ      $128, SI
	ADDQ      $4, DI
	DECQ      CX
	JNZ       above512Word
	VZEROUPPER

above512Done:
	RET

// AVX2_ROW(offset, lo, hi) adds to lo and hi the products of one vector of a
// with the 16 vectors of b in Y8 and Y9.
#define AVX2_ROW(offset, lo, hi) \
	VPBROADCASTD offset(SI), Y10; \
	VPMADDWD     Y8, Y10, Y11; \
	VPMADDWD     Y9, Y10, Y12; \
	VPADDD       Y11, lo, lo; \
	VPADDD       Y12, hi, hi

#define ZERO256(r) VPXOR r, r, r

#define STORE256(lo, hi) \
	VMOVDQU lo, (DI); \
	VMOVDQU hi, 32(DI); \
	ADDQ    R8, DI

// func blockAVX2(out []int32, stride int, a, b []int16, pairs int)
// 4 vectors of a by 16 of b, so that half a panel of 512 numbers, 16 KB, is
// all that the first-level cache has to hold.
TEXT ·blockAVX2(SB), NOSPLIT, $0-88
	MOVQ out_base+0(FP), DI
	MOVQ stride+24(FP), R8
	MOVQ a_base+32(FP), SI
	MOVQ b_base+56(FP), BX
	MOVQ pairs+80(FP), CX
	SHLQ $2, R8
	ZERO256(Y0)
	ZERO256(Y1)
	ZERO256(Y2)
	ZERO256(Y3)
	ZERO256(Y4)
	ZERO256(Y5)
	ZERO256(Y6)
	ZERO256(Y7)

avx2Pair:
	VMOVDQU (BX), Y8
	VMOVDQU 32(BX), Y9
	AVX2_ROW(0, Y0, Y1)
	AVX2_ROW(4, Y2, Y3)
	AVX2_ROW(8, Y4, Y5)
	AVX2_ROW(12, Y6, Y7)
	ADDQ    PANEL_STEP, SI
	ADDQ    PANEL_STEP, BX
	DECQ    CX
	JNZ     avx2Pair

	STORE256(Y0, Y1)
	STORE256(Y2, Y3)
	STORE256(Y4, Y5)
	STORE256(Y6, Y7)
	VZEROUPPER
	RET

// AVX2_DOT(offset, x, abs, sum) adds to sum the products of the four numbers in
// each lane of x, all the same, with those of 8 vectors. The instruction
// multiplies unsigned with signed bytes and adds two products to an int16: the
// vectors' numbers take over the signs of x, and 2×127×127 is just no overflow.
#define AVX2_DOT(offset, x, abs, sum) \
	VMOVDQU    offset(BX), Y12; \
	VPSIGNB    x, Y12, Y12; \
	VPMADDUBSW Y12, abs, Y12; \
	VPMADDWD   Y15, Y12, Y12; \
	VPADDD     Y12, sum, sum

// func dotsAVX2(out []int32, probe, panels []int8)
TEXT ·dotsAVX2(SB), NOSPLIT, $0-72
	MOVQ     out_base+0(FP), DI
	MOVQ     out_len+8(FP), DX
	MOVQ     probe_len+32(FP), R9
	MOVQ     panels_base+48(FP), BX
	VPCMPEQW Y15, Y15, Y15
	VPSRLW   $15, Y15, Y15
	SHRQ     $5, DX
	JZ       avx2Done
	SHRQ     $3, R9

avx2Panel:
	MOVQ probe_base+24(FP), SI
	MOVQ R9, CX
	ZERO256(Y0)
	ZERO256(Y1)
	ZERO256(Y2)
	ZERO256(Y3)

avx2Step:
	VPBROADCASTD (SI), Y4
	VPBROADCASTD 4(SI), Y5
	VPABSB       Y4, Y6
	VPABSB       Y5, Y7
	AVX2_DOT(0, Y4, Y6, Y0)
	AVX2_DOT(32, Y4, Y6, Y1)
	AVX2_DOT(64, Y4, Y6, Y2)
	AVX2_DOT(96, Y4, Y6, Y3)
	AVX2_DOT(128, Y5, Y7, Y0)
	AVX2_DOT(160, Y5, Y7, Y1)
	AVX2_DOT(192, Y5, Y7, Y2)
	AVX2_DOT(224, Y5, Y7, Y3)
	ADDQ         $8, SI
	ADDQ         STEP8, BX
	DECQ         CX
	JNZ          avx2Step
	VMOVDQU      Y0, (DI)
	VMOVDQU      Y1, 32(DI)
	VMOVDQU      Y2, 64(DI)
	VMOVDQU      Y3, 96(DI)
	ADDQ         $128, DI
	DECQ         DX
	JNZ          avx2Panel
	VZEROUPPER

avx2Done:
	RET

// ABOVE256(at) sets byte at of the word from 8 numbers.
#define ABOVE256(at) \
	VMOVDQU   (at*32)(SI), Y0; \
	VPCMPGTD  Y1, Y0, Y0; \
	VMOVMSKPS Y0, AX; \
	MOVB      AX, at(DI)

// func aboveAVX2(hits []uint32, dots []int32, floor int32)
TEXT ·aboveAVX2(SB), NOSPLIT, $0-52
	MOVQ         hits_base+0(FP), DI
	MOVQ         hits_len+8(FP), CX
	MOVQ         dots_base+24(FP), SI
	MOVL         floor+48(FP), AX
	VMOVD        AX, X1
	VPBROADCASTD X1, Y1
	TESTQ        CX, CX
	JZ           above256Done

above256Word:
	ABOVE256(0)
	ABOVE256(1)
	ABOVE256(2)
	ABOVE256(3)
	ADDQ $128, SI
	ADDQ $4, DI
	DECQ CX
	JNZ  above256Word
	VZEROUPPER

above256Done:
	RET
