#include "instruction_set.h"
#include "threads.h"
#include "vector_types.h"

// Queries whose scores are held at once.
#define QUERY_BLOCK 48
// With fewer queries than this, keys and values are read where they lie, which the loops for up to three queries do in every type;
// with more, a head's are first laid side by side in f32. So are 16-bit ones in portable C, and heads that fill no registers.
#define FEW_QUERIES 4

typedef struct { float *base; size_t size; } scratch;

// Memory of this thread that grows to the largest size asked for.
static float *room(int which, size_t numbers) {
    static _Thread_local scratch memory[4];
    scratch *s = &memory[which];
    if (s->size < numbers) {
        free(s->base);
        s->size = (numbers + 1023) / 1024 * 1024;
        s->base = aligned_alloc(64, s->size * sizeof(float));
        if (!s->base) abort();
    }
    return s->base;
}

#define BODY "attention.inc"
#include "every_set.inc"
#undef BODY

typedef struct { const ck_attention *problems; int64_t count; ck_set set; int heads_apart, blocks_apart; } attention_task;

static int64_t blocks(const ck_attention *p) { return (p->query_count + QUERY_BLOCK - 1) / QUERY_BLOCK; }

// A mean over heads is summed by one thread, head by head.
static int64_t head_pieces(const attention_task *t, const ck_attention *p) { return t->heads_apart && !p->mean ? p->heads : 1; }
static int64_t block_pieces(const attention_task *t, const ck_attention *p) { return t->blocks_apart || p->mean ? blocks(p) : 1; }

static void attend_piece(const void *task, int64_t piece) {
    const attention_task *t = task;
    const ck_attention *p = t->problems;
    while (piece >= head_pieces(t, p) * block_pieces(t, p)) {
        piece -= head_pieces(t, p) * block_pieces(t, p);
        p++;
    }
    const int64_t head = piece / block_pieces(t, p), block = piece % block_pieces(t, p);
    const int64_t heads = head_pieces(t, p) == 1 ? p->heads : 1;
    const int64_t from = block_pieces(t, p) == 1 ? 0 : block * QUERY_BLOCK;
    const int64_t to = block_pieces(t, p) == 1 || from + QUERY_BLOCK > p->query_count ? p->query_count : from + QUERY_BLOCK;
    PICK(t->set, attend)(p, head * heads, (head + 1) * heads, from, to);
}

void ck_attend(const ck_attention *problems, int64_t count, ck_set set) {
    attention_task t = {problems, count, ck_chosen_set(set), 1, 0};
    int64_t heads = 0, pieces = 0, operations = 0;
    for (int64_t i = 0; i < count; i++) {
        heads += problems[i].heads;
        operations += problems[i].query_count * problems[i].key_count * problems[i].heads * problems[i].head_size;
    }
    t.blocks_apart = heads < 4 * ck_threads();
    for (int64_t i = 0; i < count; i++) pieces += head_pieces(&t, &problems[i]) * block_pieces(&t, &problems[i]);
    ck_each(attend_piece, &t, pieces, operations);
}

typedef struct { const float *a, *b; int64_t a_rows, b_rows, width; float *out; } row_products_task;

static void row_products_piece(const void *task, int64_t piece) {
    const row_products_task *t = task;
    const int64_t from = piece * QUERY_BLOCK, left = t->a_rows - from, count = left < QUERY_BLOCK ? left : QUERY_BLOCK;
    PICK(ck_best_set(), row_products)(t->a + from * t->width, count, t->b, t->b_rows, t->width, t->out + from * t->b_rows);
}

void ck_row_products(const float *a, int64_t a_rows, const float *b, int64_t b_rows, int64_t width, float *out) {
    const row_products_task t = {a, b, a_rows, b_rows, width, out};
    ck_each(row_products_piece, &t, (a_rows + QUERY_BLOCK - 1) / QUERY_BLOCK, a_rows * b_rows * width);
}
