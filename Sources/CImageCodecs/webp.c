#include "CImageCodecs.h"

#include <stdio.h>
#include <string.h>

#include <webp/decode.h>

static int32_t status_of(VP8StatusCode code, codec_reason *reason) {
    const char *words = "";
    int32_t status = CODEC_DAMAGED;
    switch (code) {
    case VP8_STATUS_OK:
        return CODEC_OK;
    case VP8_STATUS_OUT_OF_MEMORY:
        status = CODEC_OUT_OF_MEMORY;
        break;
    case VP8_STATUS_NOT_ENOUGH_DATA:
    case VP8_STATUS_SUSPENDED:
        status = CODEC_TRUNCATED;
        words = "the data end before the picture does";
        break;
    case VP8_STATUS_UNSUPPORTED_FEATURE:
        status = CODEC_UNSUPPORTED;
        break;
    default:
        words = "the bitstream is damaged";
    }
    snprintf(reason->text, sizeof reason->text, "%s", words);
    return status;
}

int32_t codec_webp_header(const uint8_t *bytes, size_t count, codec_header *header, codec_reason *reason) {
    WebPBitstreamFeatures features;
    int32_t status = status_of(WebPGetFeatures(bytes, count, &features), reason);
    if (status != CODEC_OK) {
        return status;
    }
    if (features.has_animation) {
        snprintf(reason->text, sizeof reason->text, "it is an animation");
        return CODEC_UNSUPPORTED;
    }
    header->width = (uint32_t)features.width;
    header->height = (uint32_t)features.height;
    header->mode = features.has_alpha ? CODEC_RGBA : CODEC_RGB;
    return CODEC_OK;
}

int32_t codec_webp_pixels(
    const uint8_t *bytes, size_t count, const codec_header *header, uint8_t *rgb, codec_reason *reason) {
    WebPDecoderConfig config;
    if (!WebPInitDecoderConfig(&config)) {
        snprintf(reason->text, sizeof reason->text, "libwebp is another version than its headers");
        return CODEC_UNSUPPORTED;
    }
    config.output.colorspace = MODE_RGB;
    config.output.is_external_memory = 1;
    config.output.u.RGBA.rgba = rgb;
    config.output.u.RGBA.stride = (int)(header->width * 3);
    config.output.u.RGBA.size = (size_t)header->width * header->height * 3;
    int32_t status = status_of(WebPDecode(bytes, count, &config), reason);
    WebPFreeDecBuffer(&config.output);
    return status;
}
