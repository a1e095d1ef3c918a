#include "go_asm.h"
#include "textflag.h"

// FILL(number, x, y) sets all eight numbers of y, of which x is the lower half.
#define FILL(number, x, y) \
	MOVL         number, AX; \
	VMOVD        AX, x; \
	VPBROADCASTD x, y

// HALVE(offset, sum) sums up fours: 16 numbers of 16 bits.
#define HALVE(offset, sum) \
	VMOVDQU    offset(SI), sum; \
	VMOVDQU    offset(BX), Y4; \
	VPMADDUBSW Y15, sum, sum; \
	VPMADDUBSW Y15, Y4, Y4; \
	VPADDW     Y4, sum, sum; \
	VPADDW     Y14, sum, sum; \
	VPSRLW     $2, sum, sum

// func halveSteps(dst, a, b []byte)
TEXT ·halveSteps(SB), NOSPLIT, $0-72
	MOVQ dst_base+0(FP), DI
	MOVQ dst_len+8(FP), CX
	MOVQ a_base+24(FP), SI
	MOVQ b_base+48(FP), BX
	FILL($0x01010101, X15, Y15)
	FILL($0x00020002, X14, Y14)
	SHRQ $5, CX
	JZ   halveDone

halveStep:
	HALVE(0, Y0)
	HALVE(32, Y1)

	// Packing goes by halves of the registers.
	VPACKUSWB Y1, Y0, Y0
	VPERMQ    $0xd8, Y0, Y0
	VMOVDQU   Y0, (DI)
	ADDQ      $64, SI
	ADDQ      $64, BX
	ADDQ      $32, DI
	DECQ      CX
	JNZ       halveStep

halveDone:
	VZEROUPPER
	RET

// COLUMNS(x) stores the two columns of x.
#define COLUMNS(x) \
	VMOVQ   x, (DI); \
	VMOVHPS x, (DI)(R8*1); \
	LEAQ    (DI)(R8*2), DI

// func transposeSquares(dst *byte, dstStride int, src *byte, stride, n int)
TEXT ·transposeSquares(SB), NOSPLIT, $0-40
	MOVQ  dst+0(FP), DX
	MOVQ  dstStride+8(FP), R8
	MOVQ  src+16(FP), SI
	MOVQ  stride+24(FP), R9
	MOVQ  n+32(FP), CX
	LEAQ  (R9)(R9*2), R10
	TESTQ CX, CX
	JZ    squareDone

square:
	LEAQ  (SI)(R9*4), BX
	VMOVQ (SI), X0
	VMOVQ (SI)(R9*1), X1
	VMOVQ (SI)(R9*2), X2
	VMOVQ (SI)(R10*1), X3
	VMOVQ (BX), X4
	VMOVQ (BX)(R9*1), X5
	VMOVQ (BX)(R9*2), X6
	VMOVQ (BX)(R10*1), X7

	// Columns of two rows, of four, of all eight.
	VPUNPCKLBW X1, X0, X0
	VPUNPCKLBW X3, X2, X2
	VPUNPCKLBW X5, X4, X4
	VPUNPCKLBW X7, X6, X6
	VPUNPCKLWD X2, X0, X1
	VPUNPCKHWD X2, X0, X3
	VPUNPCKLWD X6, X4, X5
	VPUNPCKHWD X6, X4, X7
	VPUNPCKLDQ X5, X1, X0
	VPUNPCKHDQ X5, X1, X2
	VPUNPCKLDQ X7, X3, X4
	VPUNPCKHDQ X7, X3, X6

	MOVQ DX, DI
	COLUMNS(X0)
	COLUMNS(X2)
	COLUMNS(X4)
	COLUMNS(X6)
	LEAQ (BX)(R9*4), SI
	ADDQ $8, DX
	DECQ CX
	JNZ  square

squareDone:
	RET

// ROWS_SETUP broadcasts what LUMA and NORM need; t is in AX.
#define ROWS_SETUP \
	MOVL         $256, DX; \
	SUBL         AX, DX; \
	SHLL         $16, AX; \
	ORL          DX, AX; \
	VMOVD        AX, X14; \
	VPBROADCASTD X14, Y14; \
	FILL($0x80008000, X15, Y15); \
	FILL($((1<<(const_fraction+7))+(1<<(const_fraction-1))), X13, Y13); \
	FILL($255, X8, Y8); \
	VPXOR        Y5, Y5, Y5

// LUMA interpolates eight columns of the block at SI in the rows R8 and R9 to
// Y0, with 14 bits of fraction and rounded up by a half. Between the rows it
// is 32768 less, to fit an int16.
#define LUMA \
	MOVLQSX        block_luma(SI), DX; \
	VBROADCASTI128 (R8)(DX*1), Y0; \
	VBROADCASTI128 (R9)(DX*1), Y1; \
	VMOVDQU        block_pick(SI), Y3; \
	VMOVDQU        block_weight(SI), Y4; \
	VPSHUFB        Y3, Y0, Y0; \
	VPSHUFB        Y3, Y1, Y1; \
	VPMADDWD       Y4, Y0, Y0; \
	VPMADDWD       Y4, Y1, Y1; \
	VPSLLD         $16, Y1, Y1; \
	VPOR           Y1, Y0, Y0; \
	VPXOR          Y15, Y0, Y0; \
	VPMADDWD       Y14, Y0, Y0; \
	VPSRAD         $(16-const_fraction), Y0, Y0; \
	VPADDD         Y13, Y0, Y0

// NORM(x, to) stores the norms of colours that have 14 bits of fraction.
#define NORM(x, to) \
	VPSRAD    $const_fraction, x, x; \
	VPMAXSD   Y5, x, x; \
	VPMINSD   Y8, x, x; \
	VCVTDQ2PS x, x; \
	VSUBPS    Y7, x, x; \
	VMULPS    Y6, x, x; \
	VMOVUPS   x, (to)(AX*4)

// func colourBlocks(row colourRow, blocks []block)
TEXT ·colourBlocks(SB), NOSPLIT, $0-208
	MOVL         row_t+168(FP), AX
	ROWS_SETUP
	FILL($0x00800080, X12, Y12)
	FILL($(const_redV<<16), X11, Y11)
	FILL($((const_greenV<<16)|(const_greenU&0xffff)), X10, Y10)
	FILL($const_blueU, X9, Y9)
	VBROADCASTSS row_mean+172(FP), Y7
	VBROADCASTSS row_scale+176(FP), Y6
	MOVQ         row_red_base+0(FP), DI
	MOVQ         row_green_base+24(FP), R12
	MOVQ         row_blue_base+48(FP), R13
	MOVQ         row_top_base+72(FP), R8
	MOVQ         row_bot_base+96(FP), R9
	MOVQ         row_cb_base+120(FP), R10
	MOVQ         row_cr_base+144(FP), R11
	MOVQ         blocks_base+184(FP), SI
	MOVQ         blocks_len+192(FP), CX
	TESTQ        CX, CX
	JZ           colourDone

colourBlock:
	LUMA

	// Y1 is pairs of Cb-128 and Cr-128.
	MOVLQSX        block_chroma(SI), DX
	VBROADCASTI128 (R10)(DX*1), Y1
	VBROADCASTI128 (R11)(DX*1), Y2
	VMOVDQU        block_tint(SI), Y3
	VPSHUFB        Y3, Y1, Y1
	VPSHUFB        Y3, Y2, Y2
	VPSLLD         $16, Y2, Y2
	VPOR           Y2, Y1, Y1
	VPSUBW         Y12, Y1, Y1

	MOVLQSX  block_at(SI), AX
	VPMADDWD Y11, Y1, Y2
	VPMADDWD Y10, Y1, Y3
	VPMADDWD Y9, Y1, Y4
	VPADDD   Y0, Y2, Y2
	VPADDD   Y0, Y3, Y3
	VPADDD   Y0, Y4, Y4
	NORM(Y2, DI)
	NORM(Y3, R12)
	NORM(Y4, R13)
	ADDQ     $block__size, SI
	DECQ     CX
	JNZ      colourBlock

colourDone:
	VZEROUPPER
	RET

// func greyBlocks(row greyRow, blocks []block)
TEXT ·greyBlocks(SB), NOSPLIT, $0-112
	MOVL         row_t+72(FP), AX
	ROWS_SETUP
	VBROADCASTSS row_mean+76(FP), Y7
	VBROADCASTSS row_scale+80(FP), Y6
	MOVQ         row_dst_base+0(FP), DI
	MOVQ         row_top_base+24(FP), R8
	MOVQ         row_bot_base+48(FP), R9
	MOVQ         blocks_base+88(FP), SI
	MOVQ         blocks_len+96(FP), CX
	TESTQ        CX, CX
	JZ           greyDone

greyBlock:
	LUMA
	MOVLQSX block_at(SI), AX
	NORM(Y0, DI)
	ADDQ    $block__size, SI
	DECQ    CX
	JNZ     greyBlock

greyDone:
	VZEROUPPER
	RET
