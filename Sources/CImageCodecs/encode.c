#include "CImageCodecs.h"

#include <stdlib.h>
#include <string.h>

#include <png.h>
#include <webp/encode.h>

int32_t codec_png_encode(const uint8_t *rgb, uint32_t width, uint32_t height, uint8_t **bytes, size_t *count) {
    png_image image;
    memset(&image, 0, sizeof image);
    image.version = PNG_IMAGE_VERSION;
    image.width = width;
    image.height = height;
    image.format = PNG_FORMAT_RGB;
    png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(image);
    uint8_t *memory = malloc(size);
    if (!memory) return CODEC_OUT_OF_MEMORY;
    if (!png_image_write_to_memory(&image, memory, &size, 0, rgb, 0, NULL)) {
        png_image_free(&image);
        free(memory);
        return CODEC_OUT_OF_MEMORY;
    }
    *bytes = memory;
    *count = size;
    return CODEC_OK;
}

int32_t codec_webp_encode(
    const uint8_t *rgb, uint32_t width, uint32_t height, float quality, uint8_t **bytes, size_t *count) {
    uint8_t *encoded = NULL;
    size_t size = WebPEncodeRGB(rgb, (int)width, (int)height, (int)(3 * width), quality, &encoded);
    uint8_t *memory = size > 0 ? malloc(size) : NULL;
    if (memory) memcpy(memory, encoded, size);
    WebPFree(encoded);
    if (!memory) return CODEC_OUT_OF_MEMORY;
    *bytes = memory;
    *count = size;
    return CODEC_OK;
}
