#include "instruction_set.h"
#include "packed_weights.h"
#include "threads.h"
#include "vector_types.h"

#include <time.h>

// A block of inputs of some rows and one panel.
typedef struct {
    const char *rows;            // packed rows, from the block on if their tile is whole
    int64_t row_stride;          // bytes of one packed row
    int64_t input_bytes;         // of them for one input
    int64_t from, inputs;        // the block
    int64_t count, tile_rows;    // rows, and rows of a whole tile
    const float *scales;         // of the rows from this block on, integer formats only
    int64_t scale_stride;        // scales of a row
    const int32_t *starts;       // what sums of groups begin with, as scales; beside 8-bit activations only
    float *sums;                 // (count, 32), `sum_stride` numbers from row to row
    int64_t sum_stride;
    const char *ahead;           // the weights that come next
    int64_t ahead_step;          // bytes of them to ask for in each step
} tile_task;

// Where the rows of one tile begin.
typedef struct {
    const int32_t *values;   // [pair][row], [four][row] or [four][even, odd][row]
    const int32_t *starts;   // [group][row]
    const float *scales;     // [row][span]
} row_tile;

// Where integer weights of a block of one panel lie.
typedef struct {
    const float *scales;               // [32]
    const int8_t *pairs;               // [pair of inputs][32][2]
    const uint8_t *fours;              // [four inputs][32][4]
    const uint8_t *nibbles;            // [four inputs][64]
    const int8_t *multipliers;         // [group][32]
    const int16_t *wide_multipliers;   // [group][32][2]
} integer_block;

// 4-bit weights of a block of one panel, made ready for many tiles.
typedef struct {
    _Alignas(64) uint8_t fours[INTEGER_BLOCK * PANEL];        // [four inputs][32][4]
    _Alignas(64) int16_t multipliers[2 * GROUPS * PANEL];     // [group][32][2]
} wide_block;

static double seconds_now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

// Keeps the compiler from computing what a timing loop repeats only once.
#if defined(__x86_64__)
#define KEEP(a, b) __asm__ volatile("" : "+v"(a), "+v"(b))
#else
#define KEEP(a, b) __asm__ volatile("" : "+w"(a), "+w"(b))
#endif

#define BODY "tiles.inc"
#include "every_set.inc"
#undef BODY

// Rows of one piece: their packed block of inputs stays in the second-level cache.
#define PIECE_ROWS 192
// Panels of one piece: each packed block of rows is read once for all of them.
#define PIECE_PANELS 4
// Up to so many rows all blocks of a panel are taken one after another, so that weights are read in the order of memory.
#define FEW_ROWS 48

typedef struct {
    const ck_linear *linear;
    const ck_rows *rows;
    ck_set set;
    int64_t tile_rows;       // rows of a whole tile
    int64_t block;           // inputs of a block
    int64_t padded_inputs;   // inputs with the zeros that fill the last group
    int64_t panels, panels_a_piece, row_pieces;
    int64_t input_bytes;     // of one input of one row among the packed rows
    char *packed_rows;       // [tile][input][row of the tile], or as row_tile
    int64_t row_scales;      // scales of a row: one for each span
    float *scales;           // [row][span]
    int32_t *starts;         // [tile][group][row of the tile], beside 8-bit activations only
} product;

// Rows of a whole tile: what registers hold. With AVX-512 two tiles of 8 rows beside 8-bit activations are faster than one of 12
// and one of 4.
static int64_t tile_rows(const ck_linear *linear, int64_t rows, ck_set set) {
    return set == CK_PORTABLE ? 4 : set == CK_AVX2 ? 6 : has_small_activations(linear->format) && rows <= 16 ? 8 : 12;
}

static int64_t blocks(const product *p) { return (p->linear->inputs + p->block - 1) / p->block; }

// Bytes of an activation as tiles read it.
static int64_t activation_bytes(ck_weights_format format, ck_set set) {
    switch (format) {
    case CK_WEIGHTS_INT4: return 1;
    case CK_WEIGHTS_W8A8: return set == CK_AVX512_VNNI ? 1 : 2;
    case CK_WEIGHTS_INT8: return 2;
    default: return 4;
    }
}

static void pack_tile(const void *task, int64_t tile) {
    const product *p = task;
    const int64_t first = tile * p->tile_rows, left = p->rows->rows - first;
    const int64_t count = left < p->tile_rows ? left : p->tile_rows;
    const int64_t inputs = p->linear->inputs;
    const ck_type type = p->rows->x_type;
    const char *x = (const char *)p->rows->x + first * inputs * (type == CK_F32 ? 4 : 2);
    char *out = p->packed_rows + first * p->padded_inputs * p->input_bytes;
    float *scales = p->scales + first * p->row_scales;
    if (!is_integer(p->linear->format)) PICK(p->set, interleave_rows)(x, type, inputs, count, (float *)out);
    else if (!has_small_activations(p->linear->format)) PICK(p->set, quantize_blocks)(x, type, inputs, count, (int32_t *)out, scales);
    else
        PICK(p->set, quantize_groups)(x, type, inputs, count, p->linear->format, (int32_t *)out, p->starts + first * p->row_scales,
                                      scales);
}

// One piece: some rows by some panels.
static void multiply_piece(const void *task, int64_t piece) {
    const product *p = task;
    const ck_linear *l = p->linear;
    const int64_t row_piece = piece % p->row_pieces, panel_piece = piece / p->row_pieces;
    const int64_t first_row = row_piece * PIECE_ROWS, rows_left = p->rows->rows - first_row;
    const int64_t count = rows_left < PIECE_ROWS ? rows_left : PIECE_ROWS;
    const int64_t first_panel = panel_piece * p->panels_a_piece, panels_left = p->panels - first_panel;
    const int64_t panels = panels_left < p->panels_a_piece ? panels_left : p->panels_a_piece;
    const int64_t together = p->rows->rows <= FEW_ROWS ? 1 : panels;
    const int64_t panel_bytes = packed_panel_bytes(l->format, l->inputs), span = activation_span(l->format);
    _Alignas(64) float sums[PIECE_ROWS * PIECE_PANELS * PANEL];
    _Alignas(64) union { float floats[FLOAT_BLOCK * PANEL]; wide_block integers; } wide;
    for (int64_t start = 0; start < panels; start += together) {
        memset(sums, 0, count * together * PANEL * sizeof(float));
        for (int64_t block = 0; block < blocks(p); block++) {
            const int64_t from = block * p->block, left = p->padded_inputs - from, inputs = left < p->block ? left : p->block;
            for (int64_t panel = 0; panel < together; panel++) {
                const char *of_panel = (const char *)l->weights + (first_panel + start + panel) * panel_bytes;
                const char *weights = of_panel + packed_block_offset(l->format, block);
                tile_task t = {
                    .rows = p->packed_rows + first_row * p->padded_inputs * p->input_bytes + from * p->input_bytes * p->tile_rows,
                    .row_stride = p->padded_inputs * p->input_bytes, .input_bytes = p->input_bytes,
                    .from = from, .inputs = inputs, .count = count, .tile_rows = p->tile_rows,
                    .scale_stride = p->row_scales, .sums = sums + panel * PANEL, .sum_stride = together * PANEL,
                    .ahead = panel + 1 < together ? weights + panel_bytes
                                                  : of_panel - panel * panel_bytes + packed_block_offset(l->format, block + 1),
                    .ahead_step = l->format == CK_WEIGHTS_F32 ? 128 : l->format == CK_WEIGHTS_INT4 ? 32 : 64,
                };
                if (is_integer(l->format)) t.scales = p->scales + first_row * p->row_scales + from / span;
                if (has_small_activations(l->format)) t.starts = p->starts + first_row * p->row_scales + from / GROUP * p->tile_rows;
                if (is_integer(l->format)) PICK(p->set, multiply_integers)(&t, l->format, weights, &wide.integers);
                else PICK(p->set, multiply_floats)(&t, l->format, weights, wide.floats);
            }
        }
        const int64_t column = (first_panel + start) * PANEL, columns_left = l->outputs - column;
        PICK(p->set, finish_rows)(l, p->rows, first_row, count, column,
                                  columns_left < together * PANEL ? columns_left : together * PANEL, sums, together * PANEL);
    }
}

// Few enough panels a piece that every thread gets several pieces.
static void cut(product *p, int threads) {
    p->panels = (p->linear->outputs + PANEL - 1) / PANEL;
    p->row_pieces = (p->rows->rows + PIECE_ROWS - 1) / PIECE_ROWS;
    const int64_t wanted = p->panels * p->row_pieces / (4 * threads);
    p->panels_a_piece = wanted < 1 ? 1 : wanted > PIECE_PANELS ? PIECE_PANELS : wanted;
}

static int64_t piece_count(const product *p) {
    return p->row_pieces * ((p->panels + p->panels_a_piece - 1) / p->panels_a_piece);
}

int64_t ck_pieces(const ck_linear *linear, int64_t rows, int threads) {
    const ck_rows r = {.rows = rows};
    product p = {.linear = linear, .rows = &r};
    cut(&p, threads);
    return piece_count(&p);
}

static product describe(const ck_linear *linear, const ck_rows *rows) {
    const int integer = is_integer(linear->format);
    product p = {.linear = linear, .rows = rows, .set = ck_chosen_set(rows->set)};
    p.tile_rows = tile_rows(linear, rows->rows, p.set);
    p.block = integer ? INTEGER_BLOCK : FLOAT_BLOCK;
    p.padded_inputs = integer ? padded(linear->inputs) : linear->inputs;
    p.input_bytes = activation_bytes(linear->format, p.set);
    p.row_scales = integer ? (p.padded_inputs + activation_span(linear->format) - 1) / activation_span(linear->format) : 0;
    return p;
}

// Bytes of so many, with what fills the last line of the cache.
static size_t lines(size_t bytes) { return (bytes + 63) / 64 * 64; }
static size_t row_bytes(const product *p) { return lines(p->rows->rows * p->padded_inputs * p->input_bytes); }
static size_t scale_bytes(const product *p) { return lines(p->rows->rows * p->row_scales * sizeof(float)); }

size_t ck_room_bytes(const ck_linear *linear, const ck_rows *rows) {
    const product p = describe(linear, rows);
    return row_bytes(&p) + scale_bytes(&p) * (has_small_activations(linear->format) ? 2 : 1);
}

void ck_multiply(const ck_linear *linear, const ck_rows *rows, void *room) {
    if (rows->rows == 0) return;
    product p = describe(linear, rows);
    cut(&p, ck_threads());
    p.packed_rows = room;
    p.scales = (float *)(p.packed_rows + row_bytes(&p));
    p.starts = (int32_t *)((char *)p.scales + scale_bytes(&p));
    ck_each(pack_tile, &p, (rows->rows + p.tile_rows - 1) / p.tile_rows, rows->rows * linear->inputs);
    ck_each(multiply_piece, &p, piece_count(&p), rows->rows * linear->inputs * linear->outputs);
}

typedef struct { ck_weights_format format; ck_set set; double seconds, *rates; } limit_task;

static void measure_limit(const void *task, int64_t piece) {
    const limit_task *t = task;
    switch (activation_bytes(t->format, t->set)) {
    case 1: t->rates[piece] = PICK(t->set, four_limit)(t->seconds); break;
    case 2: t->rates[piece] = PICK(t->set, pair_limit)(t->seconds); break;
    default: t->rates[piece] = PICK(t->set, float_limit)(t->seconds);
    }
}

double ck_multiply_limit(ck_weights_format format, ck_set set, double seconds) {
    const int threads = ck_threads();
    double rates[threads], sum = 0;
    const limit_task t = {format, ck_chosen_set(set), seconds, rates};
    ck_each(measure_limit, &t, threads, INT64_MAX);
    for (int i = 0; i < threads; i++) sum += rates[i];
    return sum;
}
