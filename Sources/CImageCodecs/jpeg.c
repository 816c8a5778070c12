#include "CImageCodecs.h"

#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <jerror.h>
#include <jpeglib.h>

// More scans than any encoder writes; a file of thousands of empty scans costs minutes otherwise.
enum { most_scans = 500 };

typedef struct {
    struct jpeg_decompress_struct decoder;
    struct jpeg_error_mgr errors;
    struct jpeg_progress_mgr progress;
    jmp_buf escape;
    int32_t status;
    int has_header;
    uint32_t notes;  // bits of codec_note
    codec_reason *reason;
} jpeg_session;

static void fail(jpeg_session *session, int32_t status, const char *words) {
    session->status = status;
    snprintf(session->reason->text, sizeof session->reason->text, "%s", words);
    longjmp(session->escape, 1);
}

static void on_error(j_common_ptr common) {
    char words[JMSG_LENGTH_MAX];
    common->err->format_message(common, words);
    int32_t status = CODEC_DAMAGED;
    switch (common->err->msg_code) {
    case JERR_OUT_OF_MEMORY:
        status = CODEC_OUT_OF_MEMORY;
        break;
    case JERR_BAD_PRECISION:
    case JERR_SOF_UNSUPPORTED:
    case JERR_CONVERSION_NOTIMPL:
    case JERR_ARITH_NOTIMPL:
        status = CODEC_UNSUPPORTED;
        break;
    default:
        break;
    }
    fail((jpeg_session *)common->client_data, status, words);
}

static const char *const cut_short = "the data end before the picture does";

// Warnings (extraneous bytes, odd versions, bad codes) are let pass as Pillow lets them, but for that of pixels for which
// there are no data left: libjpeg makes them up.
static void on_message(j_common_ptr common, int level) {
    jpeg_session *session = common->client_data;
    if (level < 0 && session->notes & CODEC_NO_END_MARK && common->err->msg_code == JWRN_HIT_MARKER) {
        fail(session, CODEC_TRUNCATED, cut_short);
    }
}

// Every pixel of a single scan may be there though the end mark is not: it is put in its place, and whoever then lacks
// bits says so above. Of several scans nobody knows whether another one should follow.
static boolean on_end_of_input(j_decompress_ptr decoder) {
    static const JOCTET end_mark[] = {0xFF, JPEG_EOI};
    jpeg_session *session = decoder->client_data;
    if (!session->has_header || session->notes & CODEC_NO_END_MARK || jpeg_has_multiple_scans(decoder)) {
        fail(session, CODEC_TRUNCATED, cut_short);
    }
    session->notes |= CODEC_NO_END_MARK;
    decoder->src->next_input_byte = end_mark;
    decoder->src->bytes_in_buffer = sizeof end_mark;
    return TRUE;
}

static void on_progress(j_common_ptr common) {
    if (common->is_decompressor && ((j_decompress_ptr)common)->input_scan_number > most_scans) {
        fail((jpeg_session *)common->client_data, CODEC_UNSUPPORTED, "the picture has more than 500 scans");
    }
}

// Everything up to the first scan; the caller has set `escape`.
static void open_session(jpeg_session *session, const uint8_t *bytes, size_t count) {
    session->decoder.err = jpeg_std_error(&session->errors);
    session->errors.error_exit = on_error;
    session->errors.emit_message = on_message;
    session->decoder.client_data = session;
    jpeg_create_decompress(&session->decoder);
    session->progress.progress_monitor = on_progress;
    session->decoder.progress = &session->progress;
    jpeg_mem_src(&session->decoder, bytes, count);
    session->decoder.src->fill_input_buffer = on_end_of_input;
    jpeg_read_header(&session->decoder, TRUE);
    session->has_header = 1;
    switch (session->decoder.num_components) {
    case 1:
        session->decoder.out_color_space = JCS_GRAYSCALE;
        break;
    case 3:
        session->decoder.out_color_space = JCS_RGB;
        break;
    case 4:
        session->decoder.out_color_space = JCS_CMYK;
        break;
    default:
        fail(session, CODEC_UNSUPPORTED, "only pictures of 1, 3 or 4 components are read");
    }
}

int32_t codec_jpeg_header(const uint8_t *bytes, size_t count, codec_header *header, codec_reason *reason) {
    jpeg_session session;
    memset(&session, 0, sizeof session);
    session.reason = reason;
    if (setjmp(session.escape) == 0) {
        open_session(&session, bytes, count);
        header->width = session.decoder.image_width;
        header->height = session.decoder.image_height;
        header->mode = session.decoder.num_components == 1   ? CODEC_GREY
                       : session.decoder.num_components == 3 ? CODEC_RGB
                                                             : CODEC_CMYK;
    }
    jpeg_destroy_decompress(&session.decoder);
    return session.status;
}

// Adobe's files hold inverted samples, so libjpeg's c is already 255 - cyan; Pillow inverts all and converts with
// out = clamp(nk - mul(cyan, nk)) where nk = 255 - black and mul(a, b) is a * b / 255, rounded.
static void cmyk_to_rgb(const uint8_t *cmyk, uint8_t *rgb, size_t width) {
    for (size_t x = 0; x < width; x++, cmyk += 4, rgb += 3) {
        int light = cmyk[3];
        for (int c = 0; c < 3; c++) {
            int product = (255 - cmyk[c]) * light + 128;
            int value = light - (((product >> 8) + product) >> 8);
            rgb[c] = (uint8_t)(value < 0 ? 0 : value);
        }
    }
}

int32_t codec_jpeg_pixels(
    const uint8_t *bytes, size_t count, const codec_header *header, uint8_t *rgb, uint32_t *notes,
    codec_reason *reason) {
    jpeg_session session;
    memset(&session, 0, sizeof session);
    session.reason = reason;
    if (setjmp(session.escape) == 0) {
        struct jpeg_decompress_struct *decoder = &session.decoder;
        open_session(&session, bytes, count);
        if (decoder->image_width != header->width || decoder->image_height != header->height) {
            fail(&session, CODEC_DAMAGED, "the header changed while it was read");
        }
        jpeg_start_decompress(decoder);
        size_t width = decoder->output_width;
        int components = decoder->output_components;
        JSAMPARRAY line = decoder->mem->alloc_sarray(
            (j_common_ptr)decoder, JPOOL_IMAGE, (JDIMENSION)(width * components), 1);
        while (decoder->output_scanline < decoder->output_height) {
            uint8_t *out = rgb + (size_t)decoder->output_scanline * width * 3;
            JSAMPROW direct = out;
            jpeg_read_scanlines(decoder, components == 3 ? &direct : line, 1);
            if (components == 1) {
                for (size_t x = 0; x < width; x++) {
                    out[3 * x] = out[3 * x + 1] = out[3 * x + 2] = line[0][x];
                }
            } else if (components == 4) {
                cmyk_to_rgb(line[0], out, width);
            }
        }
        jpeg_finish_decompress(decoder);
    }
    *notes = session.notes;
    jpeg_destroy_decompress(&session.decoder);
    return session.status;
}
