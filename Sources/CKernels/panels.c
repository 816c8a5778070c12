#include "instruction_set.h"
#include "packed_weights.h"
#include "threads.h"
#include "vector_types.h"

#include <stdatomic.h>

#define BODY "quantize.inc"
#include "every_set.inc"
#undef BODY

size_t ck_packed_bytes(ck_weights_format format, int64_t inputs, int64_t outputs) {
    return (size_t)((outputs + PANEL - 1) / PANEL) * packed_panel_bytes(format, inputs);
}

typedef struct {
    ck_weights_format format;
    int64_t inputs;
    const char *source;
    ck_type type;
    int64_t first, count;
    char *packed;
    _Atomic int64_t *bad;  // the lowest row with a number that is not finite
} pack_task;

static void pack_floats(ck_weights_format format, int64_t inputs, const float *row, char *panel, int64_t column) {
    uint16_t halves[FLOAT_BLOCK];
    for (int64_t start = 0; start < inputs; start += FLOAT_BLOCK) {
        const int64_t n = inputs - start < FLOAT_BLOCK ? inputs - start : FLOAT_BLOCK;
        if (format == CK_WEIGHTS_F32) {
            for (int64_t i = 0; i < n; i++) ((float *)panel)[(start + i) * PANEL + column] = row[start + i];
            continue;
        }
        const ck_type type = format == CK_WEIGHTS_BF16 ? CK_BF16 : CK_F16;
        for (int64_t i = 0; i < n; i += LANES) {
            const int64_t lanes = n - i < LANES ? n - i : LANES;
            const vf v = load_tail_portable(row, start + i, lanes, 0, CK_F32);
            store_tail_portable(halves, i, lanes, v, type);
        }
        for (int64_t i = 0; i < n; i++) ((uint16_t *)panel)[(start + i) * PANEL + column] = halves[i];
    }
}

// Where the byte of 8-bit weight `input` (counted within its block) of a column is.
static int64_t byte_place(ck_weights_format format, int64_t input, int64_t column) {
    return format == CK_WEIGHTS_INT8 ? (input / 2 * PANEL + column) * 2 + input % 2 : (input / 4 * PANEL + column) * 4 + input % 4;
}

// What makes the stored byte of an 8-bit weight of the weight.
static uint8_t stored_shift(ck_weights_format format) { return format == CK_WEIGHTS_W8A8 ? 128 : 0; }

// Where a value of 4 bits is; outputs from 16 on have the high half of the byte.
static uint8_t *nibble_place(const char *values, int64_t input, int64_t column) {
    return (uint8_t *)values + input / 4 * 2 * PANEL + column % 16 * 4 + input % 4;
}

static void put_nibble(char *values, int64_t input, int64_t column, uint8_t value) {
    uint8_t *byte = nibble_place(values, input, column);
    *byte = column < 16 ? (uint8_t)((*byte & 0xf0) | value) : (uint8_t)((*byte & 0x0f) | value << 4);
}

static void pack_integers(ck_weights_format format, int64_t inputs, const float *row, char *panel, int64_t column) {
    float block[INTEGER_BLOCK];
    int8_t values[INTEGER_BLOCK], multipliers[GROUPS];
    const ck_set set = ck_best_set();
    for (int64_t start = 0, number = 0; start < inputs; start += INTEGER_BLOCK, number++) {
        char *head = panel + packed_block_offset(format, number), *to = head + block_head_bytes(format);
        const int64_t n = inputs - start < INTEGER_BLOCK ? inputs - start : INTEGER_BLOCK, filled = padded(n);
        memcpy(block, row + start, n * sizeof(float));
        memset(block + n, 0, (filled - n) * sizeof(float));
        const float scale = format == CK_WEIGHTS_INT4 ? PICK(set, quantize_int4)(block, filled, values, multipliers)
                                                      : PICK(set, quantize_int8)(block, filled, values);
        ((float *)head)[column] = scale;
        if (format != CK_WEIGHTS_INT4) {
            for (int64_t i = 0; i < filled; i++)
                to[byte_place(format, i, column)] = (char)((uint8_t)values[i] + stored_shift(format));
            continue;
        }
        for (int64_t g = 0; g < filled / GROUP; g++) head[PANEL * sizeof(float) + g * PANEL + column] = multipliers[g];
        for (int64_t i = 0; i < filled; i++) put_nibble(to, i, column, (uint8_t)(values[i] + 8));
    }
}

// Rows of one panel, one after another: two matrices that are stacked may share it.
static void pack_panel(const void *task, int64_t piece) {
    const pack_task *t = task;
    const int64_t panel = t->first / PANEL + piece, size = t->type == CK_F32 ? 4 : 2;
    const int64_t from = panel * PANEL > t->first ? panel * PANEL : t->first;
    const int64_t end = (panel + 1) * PANEL < t->first + t->count ? (panel + 1) * PANEL : t->first + t->count;
    char *to = t->packed + panel * packed_panel_bytes(t->format, t->inputs);
    float *row = malloc(t->inputs * sizeof(float));
    if (!row) abort();
    for (int64_t output = from; output < end; output++) {
        PICK(ck_best_set(), convert_row)(t->source + (output - t->first) * t->inputs * size, t->type, t->inputs, row);
        // Halves round numbers from 65520 on to infinity.
        const float bound = t->format == CK_WEIGHTS_F16 ? 65520.0f : INFINITY;
        int bad = 0;
        for (int64_t i = 0; i < t->inputs; i++) bad |= !(fabsf(row[i]) < bound);
        if (bad) {
            int64_t known = atomic_load(t->bad);
            while ((known < 0 || output - t->first < known) && !atomic_compare_exchange_weak(t->bad, &known, output - t->first)) {}
        }
        if (is_integer(t->format) && !bad) pack_integers(t->format, t->inputs, row, to, output % PANEL);
        else if (!is_integer(t->format)) pack_floats(t->format, t->inputs, row, to, output % PANEL);
    }
    free(row);
}

int64_t ck_pack(ck_weights_format format, int64_t inputs, const void *source, ck_type type, int64_t first, int64_t count,
                void *packed) {
    if (count == 0) return -1;
    _Atomic int64_t bad = -1;
    const pack_task t = {format, inputs, source, type, first, count, packed, &bad};
    ck_each(pack_panel, &t, (first + count - 1) / PANEL - first / PANEL + 1, count * inputs);
    return atomic_load(&bad);
}

void ck_unpack_row(const ck_linear *l, int64_t row, float *numbers) {
    const char *panel = (const char *)l->weights + row / PANEL * packed_panel_bytes(l->format, l->inputs);
    const int64_t column = row % PANEL;
    for (int64_t i = 0; i < l->inputs; i++) {
        if (!is_integer(l->format)) {
            const ck_type type = l->format == CK_WEIGHTS_F32 ? CK_F32 : l->format == CK_WEIGHTS_BF16 ? CK_BF16 : CK_F16;
            numbers[i] = load_tail_portable(panel, i * PANEL + column, 1, 0, type)[0];
            continue;
        }
        const char *head = panel + packed_block_offset(l->format, i / INTEGER_BLOCK), *values = head + block_head_bytes(l->format);
        const int64_t input = i % INTEGER_BLOCK;
        const float scale = ((const float *)head)[column];
        if (l->format != CK_WEIGHTS_INT4) {
            const uint8_t byte = (uint8_t)values[byte_place(l->format, input, column)];
            numbers[i] = (float)(int8_t)(byte - stored_shift(l->format)) * scale;
            continue;
        }
        const uint8_t byte = *nibble_place(values, input, column);
        const int value = (column < 16 ? byte & 15 : byte >> 4) - 8;
        numbers[i] = (float)(value * (int8_t)head[PANEL * sizeof(float) + input / GROUP * PANEL + column]) * scale;
    }
}
