// A C face for libsentencepiece, whose C++ interface Swift cannot import.
//
// No exception leaves these functions: each gives a status, 0 for success. A processor may be used by several threads at
// once, because nothing here changes it after it was made.

#ifndef C_SENTENCE_PIECE_H
#define C_SENTENCE_PIECE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct csp_processor csp_processor;

enum csp_kind {
    CSP_NORMAL = 0,
    CSP_UNKNOWN = 1,
    CSP_CONTROL = 2,
    CSP_UNUSED = 3,
    CSP_BYTE = 4,
};

typedef struct {
    char text[200];  // zero terminated; empty if there is nothing to say
} csp_reason;

// Makes a processor from the bytes of a tokenizer.model. Release it with csp_release.
int32_t csp_make(const void *model, size_t count, csp_processor **out, csp_reason *reason);
void csp_release(csp_processor *processor);

int32_t csp_piece_count(const csp_processor *processor);
// The id of the begin marker, or -1.
int32_t csp_bos(const csp_processor *processor);

// The text and the kind of one piece, 0 ≤ id < csp_piece_count; the text lives as long as the processor.
int32_t csp_piece(const csp_processor *processor, int32_t id, const char **text, size_t *count, int32_t *kind);

// Encodes a text. The ids must be released with csp_release_ids.
int32_t csp_encode(
    const csp_processor *processor, const char *text, size_t count, int32_t **ids, size_t *id_count,
    csp_reason *reason);
void csp_release_ids(int32_t *ids);

#ifdef __cplusplus
}
#endif
#endif
