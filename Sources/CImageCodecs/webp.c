#include "CImageCodecs.h"

#include <stdio.h>
#include <string.h>

#include <webp/decode.h>
#include <webp/demux.h>

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
    // Of an animation, these are the sides of the canvas that its frames are drawn on.
    header->width = (uint32_t)features.width;
    header->height = (uint32_t)features.height;
    header->mode = features.has_alpha ? CODEC_RGBA : CODEC_RGB;
    return CODEC_OK;
}

static int32_t other_version(codec_reason *reason) {
    snprintf(reason->text, sizeof reason->text, "libwebp is another version than its headers");
    return CODEC_UNSUPPORTED;
}

// The canvas with the first frame of an animation on it; alpha is dropped, so that what no frame covers is black.
static int32_t first_frame(
    const uint8_t *bytes, size_t count, const codec_header *header, uint8_t *rgb, codec_reason *reason) {
    WebPAnimDecoderOptions options;
    if (!WebPAnimDecoderOptionsInit(&options)) {
        return other_version(reason);
    }
    options.color_mode = MODE_RGBA;
    options.use_threads = 0;
    const WebPData data = {bytes, count};
    WebPAnimDecoder *decoder = WebPAnimDecoderNew(&data, &options);
    uint8_t *frame = NULL;
    int timestamp = 0;
    WebPAnimInfo info;
    int32_t status = CODEC_OK;
    if (decoder == NULL || !WebPAnimDecoderGetInfo(decoder, &info) || info.canvas_width != header->width
        || info.canvas_height != header->height || !WebPAnimDecoderGetNext(decoder, &frame, &timestamp)) {
        snprintf(reason->text, sizeof reason->text, "the first frame of the animation cannot be read");
        status = CODEC_DAMAGED;
    } else {
        const size_t pixels = (size_t)header->width * header->height;
        for (size_t pixel = 0; pixel < pixels; pixel++) {
            memcpy(rgb + 3 * pixel, frame + 4 * pixel, 3);
        }
    }
    WebPAnimDecoderDelete(decoder);
    return status;
}

int32_t codec_webp_pixels(
    const uint8_t *bytes, size_t count, const codec_header *header, uint8_t *rgb, codec_reason *reason) {
    WebPDecoderConfig config;
    if (!WebPInitDecoderConfig(&config)) {
        return other_version(reason);
    }
    int32_t features = status_of(WebPGetFeatures(bytes, count, &config.input), reason);
    if (features != CODEC_OK) {
        return features;
    }
    if (config.input.has_animation) {
        return first_frame(bytes, count, header, rgb, reason);
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
