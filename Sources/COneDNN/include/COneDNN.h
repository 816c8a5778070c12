// oneDNN's matrix product behind one face for its 2.x and 3.x C APIs.
//
// C = A·B (+ bias) (then a post-operation), row-major, A (batch, m, k), B (batch, k, n), C (batch, m, n).
// Weights are packed once into the layout oneDNN prefers and reused for every m.
#ifndef CONEDNN_H
#define CONEDNN_H

#include <stddef.h>
#include <stdint.h>

typedef enum { COD_F32 = 0, COD_BF16 = 1 } cod_type;

typedef enum {
    COD_NOTHING = 0,
    COD_ADD_TO_RESULT = 1,  // C += A·B + bias
    COD_GELU = 2,           // 0.5 z (1 + erf(z / √2))
    COD_QUICK_GELU = 3,     // z · sigmoid(1.702 z)
} cod_post;

// Distances in elements between neighbours of each dimension.
typedef struct { int64_t batch, row, column; } cod_strides;

typedef struct {
    int64_t batch, m, k, n;
    cod_type a_type, b_type, c_type;
    cod_strides a, b, c;    // b is ignored where packed weights are given
    int has_bias;           // f32, n values
    cod_post post;
} cod_product;

typedef struct cod_weights cod_weights;
typedef struct cod_matmul cod_matmul;

// Every function that can fail returns NULL or a negative number; this says why (of the calling thread's last failure).
const char *cod_last_error(void);

// 1 where the processor multiplies bf16 natively.
int cod_has_bf16(void);

// Packs W (n, k) row-major, as linear layers are stored, so that products compute x·Wᵀ. `source` may be freed afterwards.
cod_weights *cod_weights_pack(int64_t n, int64_t k, cod_type type, const void *source);
size_t cod_weights_bytes(const cod_weights *weights);
void cod_weights_free(cod_weights *weights);

// A product ready to run; `weights` is NULL where B is an ordinary matrix with strides.
cod_matmul *cod_matmul_create(const cod_product *product, const cod_weights *weights);
int cod_matmul_run(cod_matmul *matmul, const void *a, const void *b, const float *bias, void *c);
void cod_matmul_free(cod_matmul *matmul);

// Where packed weights lie: the `b` argument of cod_matmul_run.
const void *cod_weights_data(const cod_weights *weights);

#endif
