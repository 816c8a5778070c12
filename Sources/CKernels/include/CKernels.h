// The arithmetic of the model on a processor: products with packed weights (products.h), attention (attention.h), and here
// the loops between them: norms, rotary positions, gating, conversions.
//
// Every function splits its rows over the same OpenMP threads that oneDNN uses, and picks the widest instruction set
// of the processor at run time. Matrices are row-major; strides count elements.
#ifndef CKERNELS_H
#define CKERNELS_H

#include <stdint.h>

typedef enum { CK_F32 = 0, CK_BF16 = 1, CK_F16 = 2 } ck_type;

// Instruction sets that loops are compiled for; CK_BEST is the widest that the processor has.
typedef enum { CK_BEST = -1, CK_PORTABLE = 0, CK_AVX2 = 1, CK_AVX512 = 2, CK_AVX512_VNNI = 3 } ck_set;

// 1 where the processor has the set.
int ck_has_set(ck_set set);
// "portable", "avx2", "avx512" or "avx512-vnni"
const char *ck_set_name(ck_set set);

// Threads that work started from the calling thread uses.
void ck_use_threads(int threads);

// out = (x - mean) / sqrt(variance + epsilon) · gain + bias, per row; biased variance.
void ck_layer_norm(const float *x, int64_t rows, int64_t width, const float *gain, const float *bias, float epsilon,
                   void *out, ck_type out_type);

// out = x / sqrt(mean(x²) + epsilon) · gain, per row (Zhang & Sennrich 2019).
void ck_rms_norm(const float *x, int64_t rows, int64_t width, const float *gain, float epsilon, void *out, ck_type out_type);

// out (rows, width) = silu(gate) · up for gate_up (rows, 2·width), gate first.
void ck_silu_multiply(const void *gate_up, ck_type in_type, int64_t rows, int64_t width, void *out, ck_type out_type);

// Splits qkv rows (heads + 2·kv_heads)·head_size wide: queries and keys are rotated (half-split RoPE, Su et al. 2021),
// cosine and sine are (rows, head_size/2). Keys and values have key_type.
void ck_rotary_split(const void *qkv, ck_type in_type, int64_t rows, int64_t heads, int64_t kv_heads, int64_t head_size,
                     const float *cosine, const float *sine, void *queries, ck_type query_type, void *keys, void *values,
                     ck_type key_type);

void ck_convert(const void *from, ck_type from_type, void *to, ck_type to_type, int64_t count);

#include "attention.h"
#include "products.h"

#endif
