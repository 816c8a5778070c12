#include "CImageCodecs.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <png.h>

typedef struct {
    png_structp reader;
    png_infop info;
    const uint8_t *bytes;
    size_t count;
    size_t position;
    uint8_t *raw;  // one row, or the whole picture when it is interlaced
    png_bytep *rows;
    jmp_buf escape;
    int32_t status;
    int passes;
    int has_pixels;  // the last row has been unpacked
    int is_behind_pixels;
    uint32_t notes;  // bits of codec_note
    codec_reason *reason;
} png_session;

static void on_error(png_structp reader, png_const_charp words) {
    png_session *session = png_get_error_ptr(reader);
    if (session->is_behind_pixels) {
        session->notes |= CODEC_NO_END_MARK;
        longjmp(session->escape, 1);
    }
    if (session->status == CODEC_OK) {
        session->status = CODEC_DAMAGED;
    }
    snprintf(session->reason->text, sizeof session->reason->text, "%s", words);
    longjmp(session->escape, 1);
}

static void on_warning(png_structp reader, png_const_charp words) {
    if (strstr(words, "CRC error")) {
        ((png_session *)png_get_error_ptr(reader))->notes |= CODEC_BAD_CHECKSUM;
    }
}

static void on_read(png_structp reader, png_bytep out, size_t count) {
    png_session *session = png_get_io_ptr(reader);
    if (count > session->count - session->position) {
        if (session->has_pixels) {
            session->is_behind_pixels = 1;
        } else {
            session->status = CODEC_TRUNCATED;
        }
        png_error(reader, "the data end before the picture does");
    }
    memcpy(out, session->bytes + session->position, count);
    session->position += count;
}

// libpng calls this with each row as soon as that is unpacked, before it looks for what follows: an end of the data after
// the last one, which Pillow lets pass, takes no pixel away. The last rows of the last pass are the odd ones.
static void on_row(png_structp reader, png_row_infop info, png_bytep row) {
    (void)info;
    (void)row;
    png_session *session = png_get_user_transform_ptr(reader);
    png_uint_32 last = png_get_image_height(reader, session->info) - 1;
    int is_last_pass = png_get_current_pass_number(reader) == session->passes - 1;
    png_uint_32 number = png_get_current_row_number(reader);
    session->has_pixels = is_last_pass && number == (session->passes > 1 ? last - (last + 1) % 2 : last);
}

// Everything up to the first pixel; the caller has set `escape`.
static void open_session(png_session *session, const uint8_t *bytes, size_t count) {
    session->bytes = bytes;
    session->count = count;
    session->reader = png_create_read_struct(PNG_LIBPNG_VER_STRING, session, on_error, on_warning);
    session->info = session->reader ? png_create_info_struct(session->reader) : NULL;
    if (!session->info) {
        session->status = CODEC_OUT_OF_MEMORY;
        longjmp(session->escape, 1);
    }
    // The caller holds the declared size against its own limit before it asks for pixels.
    png_set_user_limits(session->reader, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
    png_set_read_fn(session->reader, session, on_read);
    png_read_info(session->reader, session->info);
}

static void close_session(png_session *session) {
    png_destroy_read_struct(&session->reader, &session->info, NULL);
    free(session->raw);
    free(session->rows);
}

static int32_t mode_of(png_session *session) {
    int depth = png_get_bit_depth(session->reader, session->info);
    switch (png_get_color_type(session->reader, session->info)) {
    case PNG_COLOR_TYPE_GRAY:
        return depth == 1 ? CODEC_BILEVEL : depth == 16 ? CODEC_GREY_16 : CODEC_GREY;
    case PNG_COLOR_TYPE_GRAY_ALPHA:
        return depth == 16 ? CODEC_RGBA : CODEC_GREY_ALPHA;
    case PNG_COLOR_TYPE_PALETTE:
        return CODEC_PALETTE;
    case PNG_COLOR_TYPE_RGB:
        return CODEC_RGB;
    default:
        return CODEC_RGBA;
    }
}

int32_t codec_png_header(const uint8_t *bytes, size_t count, codec_header *header, codec_reason *reason) {
    png_session session;
    memset(&session, 0, sizeof session);
    session.reason = reason;
    if (setjmp(session.escape) == 0) {
        open_session(&session, bytes, count);
        header->width = png_get_image_width(session.reader, session.info);
        header->height = png_get_image_height(session.reader, session.info);
        header->mode = mode_of(&session);
    }
    close_session(&session);
    return session.status;
}

// How one row of file samples becomes RGB.
typedef struct {
    int channels;
    int bytes;        // per sample: 1, or 2 for 16 bits, big-endian
    int grey_factor;  // 255 / (2^depth - 1)
    int is_palette;
    uint8_t palette[256][3];
} row_conversion;

static row_conversion conversion_of(png_session *session) {
    row_conversion conversion;
    memset(&conversion, 0, sizeof conversion);
    int depth = png_get_bit_depth(session->reader, session->info);
    conversion.channels = png_get_channels(session->reader, session->info);
    conversion.bytes = depth == 16 ? 2 : 1;
    conversion.grey_factor = depth < 8 ? 255 / ((1 << depth) - 1) : 1;
    conversion.is_palette = png_get_color_type(session->reader, session->info) == PNG_COLOR_TYPE_PALETTE;
    png_colorp entries = NULL;
    int entry_count = 0;
    if (conversion.is_palette && png_get_PLTE(session->reader, session->info, &entries, &entry_count)) {
        for (int i = 0; i < entry_count && i < 256; i++) {
            conversion.palette[i][0] = entries[i].red;
            conversion.palette[i][1] = entries[i].green;
            conversion.palette[i][2] = entries[i].blue;
        }
    }
    return conversion;
}

static void convert_row(const row_conversion *conversion, const uint8_t *row, uint8_t *rgb, size_t width) {
    int step = conversion->channels * conversion->bytes;
    for (size_t x = 0; x < width; x++, row += step, rgb += 3) {
        if (conversion->is_palette) {
            memcpy(rgb, conversion->palette[row[0]], 3);
        } else if (conversion->channels >= 3) {
            for (int c = 0; c < 3; c++) {
                rgb[c] = row[c * conversion->bytes];  // of 16 bits the high byte
            }
        } else if (conversion->channels == 1 && conversion->bytes == 2) {
            // Pillow opens 16-bit grey as "I;16" and clips it: whatever is above 255 turns white.
            memset(rgb, row[0] ? 255 : row[1], 3);
        } else {
            memset(rgb, row[0] * conversion->grey_factor, 3);
        }
    }
}

int32_t codec_png_pixels(
    const uint8_t *bytes, size_t count, const codec_header *header, uint8_t *rgb, uint32_t *notes,
    codec_reason *reason) {
    png_session session;
    memset(&session, 0, sizeof session);
    session.reason = reason;
    row_conversion conversion;
    volatile size_t converted = 0;
    if (setjmp(session.escape) == 0) {
        open_session(&session, bytes, count);
        png_structp reader = session.reader;
        // The packed pixels have a checksum of their own inside.
        png_set_crc_action(reader, PNG_CRC_WARN_USE, PNG_CRC_DEFAULT);
        size_t width = png_get_image_width(reader, session.info);
        size_t height = png_get_image_height(reader, session.info);
        if (width != header->width || height != header->height) {
            png_error(reader, "the header changed while it was read");
        }
        conversion = conversion_of(&session);
        png_set_packing(reader);  // samples of 1, 2 and 4 bits become bytes
        session.passes = png_set_interlace_handling(reader);
        png_set_read_user_transform_fn(reader, on_row);
        png_set_user_transform_info(reader, &session, 0, 0);
        png_read_update_info(reader, session.info);
        size_t row_bytes = png_get_rowbytes(reader, session.info);
        size_t held_rows = session.passes > 1 ? height : 1;
        session.raw = calloc(held_rows, row_bytes);
        session.rows = calloc(held_rows, sizeof(png_bytep));
        if (!session.raw || !session.rows) {
            session.status = CODEC_OUT_OF_MEMORY;
            png_error(reader, "not enough memory for the rows of the picture");
        }
        for (size_t y = 0; y < held_rows; y++) {
            session.rows[y] = session.raw + y * row_bytes;
        }
        if (session.passes > 1) {
            png_read_image(reader, session.rows);
        } else {
            for (size_t y = 0; y + 1 < height; y++) {
                png_read_row(reader, session.raw, NULL);
                convert_row(&conversion, session.raw, rgb + y * width * 3, width);
                converted = y + 1;
            }
            png_read_row(reader, session.raw, NULL);
        }
        session.is_behind_pixels = 1;
        png_read_end(reader, NULL);
    }
    if (session.is_behind_pixels) {
        for (size_t y = converted; y < header->height; y++) {
            const uint8_t *row = session.rows[session.passes > 1 ? y : 0];
            convert_row(&conversion, row, rgb + y * header->width * 3, header->width);
        }
    }
    *notes = session.notes;
    close_session(&session);
    return session.status;
}
