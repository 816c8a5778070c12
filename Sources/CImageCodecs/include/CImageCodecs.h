// A C face for libjpeg-turbo, libpng, libwebp and giflib that is safe to call from Swift.
//
// libjpeg and libpng report errors by longjmp, which must never cross a Swift frame: here every jump starts and ends
// inside one C function, and the caller gets a status and a reason. Each format has two calls. `…_header` reads the
// declared size, so that the caller can refuse it before anything is allocated. `…_pixels` fills the caller's buffer of
// width * height * 3 bytes with what Pillow's `convert("RGB")` gives for the same file.

#ifndef C_IMAGE_CODECS_H
#define C_IMAGE_CODECS_H

#include <stddef.h>
#include <stdint.h>

enum codec_status {
    CODEC_OK = 0,
    CODEC_DAMAGED = 1,
    CODEC_TRUNCATED = 2,
    CODEC_UNSUPPORTED = 3,
    CODEC_OUT_OF_MEMORY = 4,
};

// The colour modes, as Pillow tells them apart.
enum codec_mode {
    CODEC_BILEVEL = 0,
    CODEC_GREY = 1,
    CODEC_GREY_ALPHA = 2,
    CODEC_GREY_16 = 3,
    CODEC_PALETTE = 4,
    CODEC_RGB = 5,
    CODEC_RGBA = 6,
    CODEC_CMYK = 7,
};

typedef struct {
    uint32_t width;
    uint32_t height;
    int32_t mode;  // enum codec_mode
} codec_header;

typedef struct {
    char text[200];  // the library's own words, zero terminated; empty if there are none
} codec_reason;

// What was let pass because every pixel is there all the same, as bits.
enum codec_note {
    CODEC_NO_END_MARK = 1,   // what ends the file is missing, cut off or damaged
    CODEC_BAD_CHECKSUM = 2,  // a checksum of the file is wrong
};

int32_t codec_jpeg_header(const uint8_t *bytes, size_t count, codec_header *header, codec_reason *reason);
int32_t codec_jpeg_pixels(
    const uint8_t *bytes, size_t count, const codec_header *header, uint8_t *rgb, uint32_t *notes,
    codec_reason *reason);

int32_t codec_png_header(const uint8_t *bytes, size_t count, codec_header *header, codec_reason *reason);
int32_t codec_png_pixels(
    const uint8_t *bytes, size_t count, const codec_header *header, uint8_t *rgb, uint32_t *notes,
    codec_reason *reason);

int32_t codec_webp_header(const uint8_t *bytes, size_t count, codec_header *header, codec_reason *reason);
int32_t codec_webp_pixels(
    const uint8_t *bytes, size_t count, const codec_header *header, uint8_t *rgb, codec_reason *reason);

// The first frame, on the screen that the file declares.
int32_t codec_gif_header(const uint8_t *bytes, size_t count, codec_header *header, codec_reason *reason);
int32_t codec_gif_pixels(
    const uint8_t *bytes, size_t count, const codec_header *header, uint8_t *rgb, uint32_t *notes,
    codec_reason *reason);

// Writes RGB8 as a file in memory, which the caller frees.
int32_t codec_png_encode(const uint8_t *rgb, uint32_t width, uint32_t height, uint8_t **bytes, size_t *count);
// Lossy; quality from 0 to 100. Sides are at most 16,383.
int32_t codec_webp_encode(
    const uint8_t *rgb, uint32_t width, uint32_t height, float quality, uint8_t **bytes, size_t *count);

// The two integer passes of Pillow's resampling, for RGB8. Weights carry 22 fractional bits.

// One row: output pixel x is the weighted sum of `count[x]` input pixels from `first[x]` on; its weights are
// weights[x * taps ..< x * taps + count[x]].
void codec_resample_row(
    const uint8_t *row, uint8_t *out, size_t out_count, const int32_t *first, const int32_t *count,
    const int32_t *weights, size_t taps);

// One output row of `bytes` bytes: the weighted sum of `count` input rows that lie `stride` bytes apart.
void codec_resample_rows(
    const uint8_t *rows, size_t stride, uint8_t *out, size_t bytes, const int32_t *weights, size_t count);

#endif
