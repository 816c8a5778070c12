// Where things lie in packed weights; products.h says what they are.
#ifndef PACKED_WEIGHTS_H
#define PACKED_WEIGHTS_H

#include "CKernels.h"

#define PANEL 32
#define FLOAT_BLOCK 128
#define INTEGER_BLOCK 256
#define GROUP 32
#define GROUPS (INTEGER_BLOCK / GROUP)

// The largest absolute value of a 15-bit activation: the 32-bit sum of a block, 256 · 16383 · 127 at most, is exact.
#define GREATEST_ACTIVATION 16383.0f
// The same of an 8-bit one. Without VNNI a group of 4-bit weights is summed in two 16-bit lanes, each of 16 products: -8 · Σa to
// begin with, and then nibble · a. Whatever the signs, that stays within ±16 · 8 · 127 = ±16256.
#define GREATEST_SMALL_ACTIVATION 127.0f
// The largest multiplier: with it a 4-bit weight, -8 to 7, has 8 bits.
#define GREATEST_MULTIPLIER 15
// How far from the multiplier that reaches a group's extreme number others are tried.
#define MULTIPLIER_REACH 2

static inline int is_integer(ck_weights_format format) { return format >= CK_WEIGHTS_INT8; }

// Whether activations have 8 bits.
static inline int has_small_activations(ck_weights_format format) { return format >= CK_WEIGHTS_W8A8; }

// Inputs of a row whose activations share a scale, in integer formats.
static inline int64_t activation_span(ck_weights_format format) { return has_small_activations(format) ? GROUP : INTEGER_BLOCK; }

// Inputs of integer formats with the zeros that fill the last group.
static inline int64_t padded(int64_t inputs) { return (inputs + GROUP - 1) / GROUP * GROUP; }

static inline int64_t float_size(ck_weights_format format) { return format == CK_WEIGHTS_F32 ? 4 : 2; }

// Bytes ahead of the values of a block.
static inline int64_t block_head_bytes(ck_weights_format format) {
    return PANEL * sizeof(float) + (format == CK_WEIGHTS_INT4 ? GROUPS * PANEL : 0);
}

// Bytes of the values of `inputs` inputs of a panel.
static inline int64_t value_bytes(ck_weights_format format, int64_t inputs) {
    if (!is_integer(format)) return inputs * PANEL * float_size(format);
    return format == CK_WEIGHTS_INT4 ? inputs * PANEL / 2 : inputs * PANEL;
}

// Where block `block` of a panel begins.
static inline int64_t packed_block_offset(ck_weights_format format, int64_t block) {
    return is_integer(format) ? block * (block_head_bytes(format) + value_bytes(format, INTEGER_BLOCK))
                              : block * value_bytes(format, FLOAT_BLOCK);
}

static inline int64_t packed_panel_bytes(ck_weights_format format, int64_t inputs) {
    if (!is_integer(format)) return value_bytes(format, inputs);
    const int64_t all = padded(inputs), blocks = (all + INTEGER_BLOCK - 1) / INTEGER_BLOCK;
    return blocks * block_head_bytes(format) + value_bytes(format, all);
}

#endif
