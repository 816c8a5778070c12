#include "CImageCodecs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gif_lib.h>

// The rest of a file in memory. At its end it goes on with a single zero, which ends the data of a frame.
typedef struct {
    const uint8_t *bytes;
    size_t count;
    int is_short;  // whether that zero was asked for
} rest_of_file;

static int take(GifFileType *file, GifByteType *buffer, int wanted) {
    rest_of_file *rest = file->UserData;
    if (rest->count == 0 && wanted == 1 && !rest->is_short) {
        rest->is_short = 1;
        buffer[0] = 0;
        return 1;
    }
    const size_t length = wanted < 0 ? 0 : (size_t)wanted < rest->count ? (size_t)wanted : rest->count;
    memcpy(buffer, rest->bytes, length);
    rest->bytes += length;
    rest->count -= length;
    return (int)length;
}

static int32_t status_of(int code, codec_reason *reason) {
    const char *words = GifErrorString(code);
    snprintf(reason->text, sizeof reason->text, "%s", words == NULL ? "" : words);
    switch (code) {
    case D_GIF_ERR_READ_FAILED:
    case D_GIF_ERR_EOF_TOO_SOON:
    case D_GIF_ERR_NO_SCRN_DSCR:
    case D_GIF_ERR_NO_IMAG_DSCR:
        return CODEC_TRUNCATED;
    case D_GIF_ERR_NOT_ENOUGH_MEM:
        return CODEC_OUT_OF_MEMORY;
    default:
        return CODEC_DAMAGED;
    }
}

static int32_t cut_short(codec_reason *reason) { return status_of(D_GIF_ERR_EOF_TOO_SOON, reason); }

// Why a call failed, which the library does not always say.
static int error_of(const GifFileType *file) {
    return file->Error == D_GIF_SUCCEEDED ? D_GIF_ERR_READ_FAILED : file->Error;
}

// Reads up to the pixels of the first frame, and finds its transparent index, NO_TRANSPARENT_COLOR if it has none.
static int to_first_frame(GifFileType *file, int *transparent) {
    *transparent = NO_TRANSPARENT_COLOR;
    for (;;) {
        GifRecordType type;
        if (DGifGetRecordType(file, &type) == GIF_ERROR) {
            return error_of(file);
        }
        if (type == IMAGE_DESC_RECORD_TYPE) {
            return DGifGetImageDesc(file) == GIF_ERROR ? error_of(file) : D_GIF_SUCCEEDED;
        }
        if (type == TERMINATE_RECORD_TYPE) {
            return D_GIF_ERR_NO_IMAG_DSCR;
        }
        int function;
        GifByteType *block;
        if (DGifGetExtension(file, &function, &block) == GIF_ERROR) {
            return error_of(file);
        }
        while (block != NULL) {
            // A block begins with its length.
            GraphicsControlBlock control;
            if (function == GRAPHICS_EXT_FUNC_CODE && DGifExtensionToGCB(block[0], block + 1, &control) == GIF_OK
                && control.TransparentColor != NO_TRANSPARENT_COLOR) {
                *transparent = control.TransparentColor;
            }
            if (DGifGetExtensionNext(file, &block) == GIF_ERROR) {
                return error_of(file);
            }
        }
    }
}

// Whether what follows the first frame is whole, up to the mark that ends the file; nothing of it is unpacked.
static int has_end(GifFileType *file) {
    for (;;) {
        GifRecordType type;
        GifByteType *block = NULL;
        int number;
        if (DGifGetRecordType(file, &type) == GIF_ERROR) {
            return 0;
        }
        switch (type) {
        case TERMINATE_RECORD_TYPE:
            return 1;
        case EXTENSION_RECORD_TYPE:
            if (DGifGetExtension(file, &number, &block) == GIF_ERROR) {
                return 0;
            }
            while (block != NULL) {
                if (DGifGetExtensionNext(file, &block) == GIF_ERROR) {
                    return 0;
                }
            }
            break;
        case IMAGE_DESC_RECORD_TYPE:
            if (DGifGetImageDesc(file) == GIF_ERROR || DGifGetCode(file, &number, &block) == GIF_ERROR) {
                return 0;
            }
            while (block != NULL) {
                if (DGifGetCodeNext(file, &block) == GIF_ERROR) {
                    return 0;
                }
            }
            break;
        default:
            return 0;
        }
    }
}

// A file that is read up to the pixels of its first frame; NULL with a status if it cannot be.
static GifFileType *opened(rest_of_file *rest, int *transparent, int32_t *status, codec_reason *reason) {
    int code = D_GIF_SUCCEEDED;
    GifFileType *file = DGifOpen(rest, take, &code);
    if (file != NULL) {
        code = to_first_frame(file, transparent);
        if (code == D_GIF_SUCCEEDED && (file->Image.Width <= 0 || file->Image.Height <= 0)) {
            code = D_GIF_ERR_IMAGE_DEFECT;
        }
    }
    *status = code == D_GIF_SUCCEEDED ? CODEC_OK : rest->is_short ? cut_short(reason) : status_of(code, reason);
    if (*status != CODEC_OK && file != NULL) {
        DGifCloseFile(file, &code);
        file = NULL;
    }
    return file;
}

// The colours of the first frame; NULL if indices are levels of grey: without a palette, or with one that says so.
static const ColorMapObject *palette_of(const GifFileType *file) {
    const ColorMapObject *map = file->Image.ColorMap != NULL ? file->Image.ColorMap : file->SColorMap;
    for (int index = 0; map != NULL && index < map->ColorCount; index++) {
        const GifColorType colour = map->Colors[index];
        if (colour.Red != index || colour.Green != index || colour.Blue != index) {
            return map;
        }
    }
    return NULL;
}

int32_t codec_gif_header(const uint8_t *bytes, size_t count, codec_header *header, codec_reason *reason) {
    rest_of_file rest = {bytes, count, 0};
    int transparent;
    int32_t status;
    GifFileType *file = opened(&rest, &transparent, &status, reason);
    if (file == NULL) {
        return status;
    }
    // The screen, or as much more as a frame that reaches beyond it needs.
    const int right = file->Image.Left + file->Image.Width, bottom = file->Image.Top + file->Image.Height;
    header->width = (uint32_t)(right > file->SWidth ? right : file->SWidth);
    header->height = (uint32_t)(bottom > file->SHeight ? bottom : file->SHeight);
    header->mode = palette_of(file) == NULL ? CODEC_GREY : CODEC_PALETTE;
    int code;
    DGifCloseFile(file, &code);
    return CODEC_OK;
}

static void colour(const ColorMapObject *map, int index, uint8_t *rgb) {
    if (map == NULL) {
        memset(rgb, index, 3);
    } else if (index < map->ColorCount) {
        const GifColorType found = map->Colors[index];
        rgb[0] = found.Red;
        rgb[1] = found.Green;
        rgb[2] = found.Blue;
    } else {
        memset(rgb, 0, 3);
    }
}

int32_t codec_gif_pixels(
    const uint8_t *bytes, size_t count, const codec_header *header, uint8_t *rgb, uint32_t *notes,
    codec_reason *reason) {
    rest_of_file rest = {bytes, count, 0};
    int transparent;
    int32_t status;
    GifFileType *file = opened(&rest, &transparent, &status, reason);
    if (file == NULL) {
        return status;
    }
    const ColorMapObject *map = palette_of(file);
    const GifImageDesc frame = file->Image;
    // What the frame does not cover has its transparent index, or the first one.
    uint8_t ground[3];
    colour(map, transparent == NO_TRANSPARENT_COLOR ? 0 : transparent, ground);
    const size_t pixels = (size_t)header->width * header->height;
    for (size_t pixel = 0; pixel < pixels; pixel++) {
        memcpy(rgb + 3 * pixel, ground, 3);
    }
    GifPixelType *line = malloc((size_t)frame.Width);
    int code = line == NULL ? D_GIF_ERR_NOT_ENOUGH_MEM : D_GIF_SUCCEEDED;
    // An interlaced frame comes in four passes over its rows.
    static const int firsts[] = {0, 4, 2, 1}, steps[] = {8, 8, 4, 2};
    const int passes = frame.Interlace ? 4 : 1;
    for (int pass = 0; pass < passes && code == D_GIF_SUCCEEDED; pass++) {
        const int step = frame.Interlace ? steps[pass] : 1;
        for (int row = frame.Interlace ? firsts[pass] : 0; row < frame.Height; row += step) {
            if (DGifGetLine(file, line, frame.Width) == GIF_ERROR) {
                code = error_of(file);
                break;
            }
            uint8_t *out = rgb + 3 * ((size_t)(frame.Top + row) * header->width + (size_t)frame.Left);
            for (int column = 0; column < frame.Width; column++) {
                colour(map, line[column], out + 3 * column);
            }
        }
    }
    free(line);
    const int is_cut = rest.is_short;
    if (code == D_GIF_SUCCEEDED && (is_cut || !has_end(file))) {
        *notes |= CODEC_NO_END_MARK;
    }
    int closing;
    DGifCloseFile(file, &closing);
    return code == D_GIF_SUCCEEDED ? CODEC_OK : is_cut ? cut_short(reason) : status_of(code, reason);
}
