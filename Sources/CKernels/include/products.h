// Products of rows with packed weights: y = f(x·Wᵀ + b) or y += x·Wᵀ + b, for weights in six formats.
//
// The order of summation of every number is fixed: inputs are taken in blocks, blocks one after another. It does not
// depend on the number of rows, on the thread or on the piece that computes it, so a row has the same result to the last
// bit in any company. With integer weights it is the same on every instruction set, too.
#ifndef CK_PRODUCTS_H
#define CK_PRODUCTS_H

#include <stddef.h>
#include <stdint.h>

// How weights lie in memory. Outputs are taken in panels of 32, inputs in blocks.
typedef enum {
    // [panel][input][32] numbers. Blocks of 128 inputs are summed on their own, with fused multiply-adds where there are any.
    CK_WEIGHTS_F32 = 0,
    CK_WEIGHTS_BF16 = 1,
    CK_WEIGHTS_F16 = 2,
    // [panel][block of 256 inputs]{ float scale[32]; int8 value[pair of inputs][32][2] }
    // Activations become 15-bit integers with a scale for each row and block.
    CK_WEIGHTS_INT8 = 3,
    // [panel][block of 256 inputs]{ float scale[32]; uint8 value + 128 [four inputs][32][4] }
    // Activations become 8-bit integers with a scale for each row and group of 32 inputs. VNNI multiplies those twice
    // as fast as the activations of INT8.
    CK_WEIGHTS_W8A8 = 4,
    // [panel][block of 256 inputs]{ float scale[32]; int8 multiplier[8 groups of 32 inputs][32]; nibbles[four inputs][64] }
    // A weight is (nibble - 8) · multiplier · scale. The low halves of 64 bytes hold four inputs of outputs 0–15, the high
    // halves those of outputs 16–31. Multipliers are ±1 to ±15, so that a weight without its scale has 8 bits. Activations
    // are those of W8A8, which lose little beside what 4 bits lose of the weights.
    CK_WEIGHTS_INT4 = 5,
} ck_weights_format;

// What happens to a product before it is stored.
typedef enum {
    CK_STORE = 0,
    CK_ADD_TO_RESULT = 1,  // y += x·Wᵀ + b; y is f32
    CK_GELU = 2,           // z/2 · (1 + erf(z/√2))
    CK_QUICK_GELU = 3,     // z · σ(1.702 z)
} ck_finish;

typedef struct {
    const void *weights;
    ck_weights_format format;
    int64_t inputs, outputs;
    const float *bias;  // `outputs` numbers, or NULL
} ck_linear;

typedef struct {
    const void *x;  // (rows, inputs)
    ck_type x_type;
    int64_t rows;
    void *y;  // (rows, outputs)
    ck_type y_type;
    ck_finish finish;
    ck_set set;
} ck_rows;

// Bytes of packed weights.
size_t ck_packed_bytes(ck_weights_format format, int64_t inputs, int64_t outputs);

// Packs rows `first` to `first + count` of a stacked matrix (outputs, inputs) from `source`, row-major numbers of `type`,
// into `packed`, which was zeroed before. `first` is a multiple of 32 or the rows of one panel come from one thread.
// Returns the lowest row, counted from `source`'s first, that holds NaN or infinity, else -1; integer formats refuse them.
int64_t ck_pack(ck_weights_format format, int64_t inputs, const void *source, ck_type type, int64_t first, int64_t count,
                void *packed);

// Row `row` of packed weights as numbers, `inputs` of them: what the products multiply with.
void ck_unpack_row(const ck_linear *linear, int64_t row, float *numbers);

// Bytes of room that a product needs for its rows as tiles read them.
size_t ck_room_bytes(const ck_linear *linear, const ck_rows *rows);

// Computes a product on the threads of the calling thread's team. `room` is 64-byte aligned and has ck_room_bytes.
void ck_multiply(const ck_linear *linear, const ck_rows *rows, void *room);

// Pieces that a product of so many rows is cut into at `threads` threads.
int64_t ck_pieces(const ck_linear *linear, int64_t rows, int threads);

// Billions of operations a second that the multiply instructions alone reach from registers, on all threads of the team at
// once, each for so many seconds: what no product can exceed.
double ck_multiply_limit(ck_weights_format format, ck_set set, double seconds);

#endif
