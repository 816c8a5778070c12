#include "instruction_set.h"
#include "threads.h"
#include "vector_types.h"

typedef struct {
    const float *x; int64_t width; const float *gain, *bias; float epsilon; void *out; ck_type out_type;
} norm_task;
typedef struct { const void *gate_up; ck_type in_type; int64_t width; void *out; ck_type out_type; } silu_task;
typedef struct {
    const void *qkv; ck_type in_type; int64_t heads, kv_heads, head_size; const float *cosine, *sine;
    void *queries; ck_type query_type; void *keys, *values; ck_type key_type;
} rotary_task;
typedef struct { const void *from; ck_type from_type; void *to; ck_type to_type; int64_t count; } convert_task;

#define BODY "loops.inc"
#include "every_set.inc"
#undef BODY

typedef void (*row_loop)(const void *task, int64_t from, int64_t to);
typedef struct { row_loop loop; const void *task; int64_t rows, pieces; } region;

static void run_share(const void *task, int64_t piece) {
    const region *r = task;
    r->loop(r->task, r->rows * piece / r->pieces, r->rows * (piece + 1) / r->pieces);
}

// Splits rows over the threads, a few pieces for each, so that a thread that was held up takes fewer.
static void split(row_loop loop, const void *task, int64_t rows, int64_t numbers) {
    const int64_t most = 4 * ck_threads();
    const region r = {loop, task, rows, rows < most ? rows : most};
    ck_each(run_share, &r, r.pieces, numbers);
}

#define LOOP(f) ((row_loop)PICK(ck_best_set(), f))

void ck_layer_norm(const float *x, int64_t rows, int64_t width, const float *gain, const float *bias, float epsilon,
                   void *out, ck_type out_type) {
    norm_task task = {x, width, gain, bias, epsilon, out, out_type};
    split(LOOP(layer_norm), &task, rows, rows * width);
}

void ck_rms_norm(const float *x, int64_t rows, int64_t width, const float *gain, float epsilon, void *out, ck_type out_type) {
    ck_layer_norm(x, rows, width, gain, NULL, epsilon, out, out_type);
}

void ck_silu_multiply(const void *gate_up, ck_type in_type, int64_t rows, int64_t width, void *out, ck_type out_type) {
    silu_task task = {gate_up, in_type, width, out, out_type};
    split(LOOP(silu_multiply), &task, rows, rows * width * 2);
}

void ck_rotary_split(const void *qkv, ck_type in_type, int64_t rows, int64_t heads, int64_t kv_heads, int64_t head_size,
                     const float *cosine, const float *sine, void *queries, ck_type query_type, void *keys, void *values,
                     ck_type key_type) {
    rotary_task task = {qkv, in_type, heads, kv_heads, head_size, cosine, sine, queries, query_type, keys, values, key_type};
    split(LOOP(rotary_split), &task, rows, rows * (heads + 2 * kv_heads) * head_size);
}

static void convert_share(const void *data, int64_t from, int64_t to) {
    const convert_task *t = data;
    const int64_t block = 4096, start = from * block, end = to * block < t->count ? to * block : t->count;
    const char *source = (const char *)t->from + start * (t->from_type == CK_F32 ? 4 : 2);
    char *target = (char *)t->to + start * (t->to_type == CK_F32 ? 4 : 2);
    PICK(ck_best_set(), convert)(source, t->from_type, target, t->to_type, end - start);
}

void ck_convert(const void *from, ck_type from_type, void *to, ck_type to_type, int64_t count) {
    convert_task task = {from, from_type, to, to_type, count};
    split(convert_share, &task, (count + 4095) / 4096, count);
}
