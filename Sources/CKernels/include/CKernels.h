// The loops between matrix products: norms, softmax, rotary positions, gating, one-query attention, conversions.
//
// Every function splits its rows over the same OpenMP threads that oneDNN uses, and picks the widest instruction set
// of the processor at run time. Matrices are row-major; strides count elements.
#ifndef CKERNELS_H
#define CKERNELS_H

#include <stdint.h>

typedef enum { CK_F32 = 0, CK_BF16 = 1, CK_F16 = 2 } ck_type;

// out = (x - mean) / sqrt(variance + epsilon) · gain + bias, per row; biased variance.
void ck_layer_norm(const float *x, int64_t rows, int64_t width, const float *gain, const float *bias, float epsilon,
                   void *out, ck_type out_type);

// out = x / sqrt(mean(x²) + epsilon) · gain, per row (Zhang & Sennrich 2019).
void ck_rms_norm(const float *x, int64_t rows, int64_t width, const float *gain, float epsilon, void *out, ck_type out_type);

// Softmax of scale · scores over the first visible[q] keys of each row, in place, for scores (heads, queries, keys) f32.
// Rows become `out_type`: a bf16 row occupies the first half of its f32 row. Invisible keys get 0.
// `visible` may be NULL: every key. `mean` (queries, mean_stride) f32, where given, receives the mean over heads, of
// the probabilities or, with mean_of_logits, of the scaled scores of all keys.
void ck_softmax(float *scores, int64_t heads, int64_t queries, int64_t keys, float scale, const int32_t *visible,
                ck_type out_type, float *mean, int64_t mean_stride, int mean_of_logits);

// out (rows, width) = silu(gate) · up for gate_up (rows, 2·width), gate first.
void ck_silu_multiply(const void *gate_up, ck_type in_type, int64_t rows, int64_t width, void *out, ck_type out_type);

// Splits qkv rows (heads + 2·kv_heads)·head_size wide: queries and keys are rotated (half-split RoPE, Su et al. 2021),
// cosine and sine are (rows, head_size/2).
void ck_rotary_split(const void *qkv, ck_type in_type, int64_t rows, int64_t heads, int64_t kv_heads, int64_t head_size,
                     const float *cosine, const float *sine, void *queries, void *keys, void *values, ck_type out_type);

// One query per sequence against its cache: for each sequence, queries (heads·head_size), keys and values
// (lengths[s], kv_heads·head_size); out (sequences, heads·head_size). All of `type`.
void ck_attend_single(const void *queries, int64_t sequences, int64_t heads, int64_t kv_heads, int64_t head_size, float scale,
                      const void *const *keys, const void *const *values, const int64_t *lengths, void *out, ck_type type);

void ck_convert(const void *from, ck_type from_type, void *to, ck_type to_type, int64_t count);

// "avx512", "avx2" or "baseline"
const char *ck_instruction_set(void);

#endif
