#include "CImageCodecs.h"

#include <string.h>

enum { fraction_bits = 22 };

static inline uint8_t rounded(int32_t sum) {
    int32_t value = sum >> fraction_bits;
    return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

void codec_resample_row(
    const uint8_t *row, uint8_t *out, size_t out_count, const int32_t *first, const int32_t *count,
    const int32_t *weights, size_t taps) {
    for (size_t x = 0; x < out_count; x++, out += 3, weights += taps) {
        const uint8_t *pixel = row + (size_t)first[x] * 3;
        int32_t red = 1 << (fraction_bits - 1), green = red, blue = red;
        for (int32_t i = 0; i < count[x]; i++, pixel += 3) {
            red += pixel[0] * weights[i];
            green += pixel[1] * weights[i];
            blue += pixel[2] * weights[i];
        }
        out[0] = rounded(red);
        out[1] = rounded(green);
        out[2] = rounded(blue);
    }
}

void codec_resample_rows(
    const uint8_t *rows, size_t stride, uint8_t *out, size_t bytes, const int32_t *weights, size_t count) {
    enum { block = 96 };
    int32_t sums[block];
    for (size_t start = 0; start < bytes; start += block) {
        size_t width = bytes - start < block ? bytes - start : block;
        for (size_t x = 0; x < width; x++) {
            sums[x] = 1 << (fraction_bits - 1);
        }
        for (size_t i = 0; i < count; i++) {
            const uint8_t *row = rows + i * stride + start;
            for (size_t x = 0; x < width; x++) {
                sums[x] += row[x] * weights[i];
            }
        }
        for (size_t x = 0; x < width; x++) {
            out[start + x] = rounded(sums[x]);
        }
    }
}
