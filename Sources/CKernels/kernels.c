#include "CKernels.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

// Vectors only travel between functions that are inlined into their caller, so no calling convention is at stake.
#pragma clang diagnostic ignored "-Wpsabi"
#define INLINE static inline __attribute__((always_inline))

#define LANES 16
typedef float vf __attribute__((vector_size(64), aligned(4)));
typedef uint32_t vu __attribute__((vector_size(64), aligned(4)));
typedef uint16_t vh __attribute__((vector_size(32), aligned(2)));

typedef struct {
    const float *x; int64_t width; const float *gain, *bias; float epsilon; void *out; ck_type out_type;
} norm_task;
typedef struct {
    float *scores; int64_t heads, queries, keys; float scale; const int32_t *visible; ck_type out_type;
    float *mean; int64_t mean_stride; int mean_of_logits;
} softmax_task;
typedef struct { const void *gate_up; ck_type in_type; int64_t width; void *out; ck_type out_type; } silu_task;
typedef struct {
    const void *qkv; ck_type in_type; int64_t heads, kv_heads, head_size; const float *cosine, *sine;
    void *queries, *keys, *values; ck_type out_type;
} rotary_task;
typedef struct {
    const void *queries; int64_t heads, kv_heads, head_size; float scale; const void *const *keys, *const *values;
    const int64_t *lengths; void *out; ck_type type; float *scratch; int64_t scratch_stride;
} single_task;
typedef struct { const void *from; ck_type from_type; void *to; ck_type to_type; int64_t count; } convert_task;

#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,fma"))), apply_to = function)
#define NAME(f) f##_avx512
#include "loops.inc"
#undef NAME
#pragma clang attribute pop

#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#define NAME(f) f##_avx2
#include "loops.inc"
#undef NAME
#pragma clang attribute pop

#define NAME(f) f##_baseline
#include "loops.inc"
#undef NAME

typedef enum { BASELINE, AVX2, AVX512 } instruction_set;

static instruction_set best_set(void) {
    static int known = -1;
    if (known < 0) {
        known = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl")
                        && __builtin_cpu_supports("avx512dq")
                    ? AVX512
                    : (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? AVX2 : BASELINE);
    }
    return (instruction_set)known;
}

const char *ck_instruction_set(void) {
    switch (best_set()) {
    case AVX512: return "avx512";
    case AVX2: return "avx2";
    default: return "baseline";
    }
}

// The entry points of libgomp's compiler interface: the very threads oneDNN runs on, without a second pool.
extern void GOMP_parallel(void (*body)(void *), void *data, unsigned threads, unsigned flags);
extern int omp_get_thread_num(void);
extern int omp_get_num_threads(void);
extern int omp_get_max_threads(void);

typedef void (*row_loop)(const void *task, int64_t from, int64_t to);
typedef struct { row_loop loop; const void *task; int64_t rows; } region;

static void run_share(void *data) {
    const region *r = data;
    const int64_t thread = omp_get_thread_num(), threads = omp_get_num_threads();
    const int64_t from = r->rows * thread / threads, to = r->rows * (thread + 1) / threads;
    if (from < to) r->loop(r->task, from, to);
}

// Splits rows over the threads; small work stays where it is, since waking a thread costs more.
static void split(row_loop loop, const void *task, int64_t rows, int64_t numbers) {
    if (rows < 2 || numbers < 16384 || omp_get_max_threads() == 1) { loop(task, 0, rows); return; }
    region r = {loop, task, rows};
    GOMP_parallel(run_share, &r, 0, 0);
}

#define PICK(f) ((row_loop)(best_set() == AVX512 ? (void *)f##_avx512 : best_set() == AVX2 ? (void *)f##_avx2 : (void *)f##_baseline))

void ck_layer_norm(const float *x, int64_t rows, int64_t width, const float *gain, const float *bias, float epsilon,
                   void *out, ck_type out_type) {
    norm_task task = {x, width, gain, bias, epsilon, out, out_type};
    split(PICK(layer_norm), &task, rows, rows * width);
}

void ck_rms_norm(const float *x, int64_t rows, int64_t width, const float *gain, float epsilon, void *out, ck_type out_type) {
    ck_layer_norm(x, rows, width, gain, NULL, epsilon, out, out_type);
}

void ck_softmax(float *scores, int64_t heads, int64_t queries, int64_t keys, float scale, const int32_t *visible,
                ck_type out_type, float *mean, int64_t mean_stride, int mean_of_logits) {
    softmax_task task = {scores, heads, queries, keys, scale, visible, out_type, mean, mean_stride, mean_of_logits};
    split(PICK(softmax), &task, queries, heads * queries * keys);
}

void ck_silu_multiply(const void *gate_up, ck_type in_type, int64_t rows, int64_t width, void *out, ck_type out_type) {
    silu_task task = {gate_up, in_type, width, out, out_type};
    split(PICK(silu_multiply), &task, rows, rows * width * 2);
}

void ck_rotary_split(const void *qkv, ck_type in_type, int64_t rows, int64_t heads, int64_t kv_heads, int64_t head_size,
                     const float *cosine, const float *sine, void *queries, void *keys, void *values, ck_type out_type) {
    rotary_task task = {qkv, in_type, heads, kv_heads, head_size, cosine, sine, queries, keys, values, out_type};
    split(PICK(rotary_split), &task, rows, rows * (heads + 2 * kv_heads) * head_size);
}

void ck_attend_single(const void *queries, int64_t sequences, int64_t heads, int64_t kv_heads, int64_t head_size, float scale,
                      const void *const *keys, const void *const *values, const int64_t *lengths, void *out, ck_type type) {
    int64_t longest = 0, total = 0;
    for (int64_t s = 0; s < sequences; s++) {
        longest = lengths[s] > longest ? lengths[s] : longest;
        total += lengths[s];
    }
    single_task task = {queries, heads, kv_heads, head_size, scale, keys, values, lengths, out, type, NULL, longest};
    task.scratch = malloc(sequences * heads * longest * sizeof(float));
    if (!task.scratch) abort();
    split(PICK(attend_single), &task, sequences * heads, total * heads * head_size);
    free(task.scratch);
}

static void convert_share(const void *data, int64_t from, int64_t to) {
    const convert_task *t = data;
    const int64_t block = 4096, start = from * block, end = to * block < t->count ? to * block : t->count;
    const char *source = (const char *)t->from + start * (t->from_type == CK_F32 ? 4 : 2);
    char *target = (char *)t->to + start * (t->to_type == CK_F32 ? 4 : 2);
    switch (best_set()) {
    case AVX512: convert_avx512(source, t->from_type, target, t->to_type, end - start); break;
    case AVX2: convert_avx2(source, t->from_type, target, t->to_type, end - start); break;
    default: convert_baseline(source, t->from_type, target, t->to_type, end - start);
    }
}

void ck_convert(const void *from, ck_type from_type, void *to, ck_type to_type, int64_t count) {
    convert_task task = {from, from_type, to, to_type, count};
    split(convert_share, &task, (count + 4095) / 4096, count);
}
