// Attention of many sequences at once, and products of rows with rows.
//
// A query's result depends on its own keys only: scores are sums over a head's numbers in a fixed order, softmax runs from
// the first key to the last, and so does the sum of values. It is the same to the last bit for one query or many, on
// any number of threads.
#ifndef CK_ATTENTION_H
#define CK_ATTENTION_H

#include <stdint.h>

// softmax(q·kᵀ/√size + bias)·v for every head of one sequence (Vaswani et al. 2017). Distances count numbers.
typedef struct {
    const void *queries, *keys, *values;             // row 0, head 0
    int64_t query_stride, key_stride, value_stride;  // from row to row
    int64_t query_count, key_count;
    int64_t heads, kv_heads, head_size;
    int causal;             // query i of q sees the first key_count - q + i + 1 keys
    const float *key_bias;  // added to every query's logit of each key, or NULL
    void *out;              // (query_count, heads·head_size)
    int64_t out_stride;
    ck_type type;           // of queries and out
    ck_type key_type;       // of keys and values
    float *mean;            // (query_count, key_count): the mean over heads of the probabilities, or NULL
    int mean_of_logits;     // of the scaled logits of all keys instead
} ck_attention;

// Computes `count` problems.
void ck_attend(const ck_attention *problems, int64_t count, ck_set set);

// out (rows of a, rows of b) = a·bᵀ for float32 rows of `width` numbers, in the fixed order of attention scores.
void ck_row_products(const float *a, int64_t a_rows, const float *b, int64_t b_rows, int64_t width, float *out);

#endif
