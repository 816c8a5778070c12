#include "CSentencePiece.h"

#include <sentencepiece_processor.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <memory>
#include <string>
#include <vector>

namespace sentencepiece::logging {
void SetMinLogLevel(int level);  // exported by the library, in none of its installed headers
}

struct csp_processor {
    sentencepiece::SentencePieceProcessor library;
};

namespace {

void say(csp_reason *reason, const char *words) { std::snprintf(reason->text, sizeof reason->text, "%s", words); }

// Runs `body`, which returns a status, and keeps every exception on this side.
template <typename Body>
int32_t guarded(csp_reason *reason, Body body) {
    try {
        const sentencepiece::util::Status status = body();
        if (!status.ok()) say(reason, status.error_message());
        return static_cast<int32_t>(status.code());
    } catch (const std::exception &error) {
        say(reason, error.what());
    } catch (...) {
        say(reason, "an unknown exception");
    }
    return static_cast<int32_t>(sentencepiece::util::StatusCode::kInternal);
}

}  // namespace

int32_t csp_make(const void *model, size_t count, csp_processor **out, csp_reason *reason) {
    return guarded(reason, [&] {
        sentencepiece::logging::SetMinLogLevel(3);  // the reason is returned, not printed
        auto made = std::make_unique<csp_processor>();
        const auto status = made->library.LoadFromSerializedProto({static_cast<const char *>(model), count});
        if (status.ok()) *out = made.release();
        return status;
    });
}

void csp_release(csp_processor *processor) { delete processor; }

int32_t csp_piece_count(const csp_processor *processor) { return processor->library.GetPieceSize(); }

int32_t csp_bos(const csp_processor *processor) { return processor->library.bos_id(); }

int32_t csp_piece(const csp_processor *processor, int32_t id, const char **text, size_t *count, int32_t *kind) {
    csp_reason ignored;
    return guarded(&ignored, [&] {
        const auto &library = processor->library;
        const std::string &piece = library.IdToPiece(id);
        *text = piece.data();
        *count = piece.size();
        *kind = library.IsUnknown(id)   ? CSP_UNKNOWN
                : library.IsControl(id) ? CSP_CONTROL
                : library.IsUnused(id)  ? CSP_UNUSED
                : library.IsByte(id)    ? CSP_BYTE
                                        : CSP_NORMAL;
        return sentencepiece::util::Status();
    });
}

int32_t csp_encode(
    const csp_processor *processor, const char *text, size_t count, int32_t **ids, size_t *id_count,
    csp_reason *reason) {
    return guarded(reason, [&] {
        std::vector<int> found;
        const auto status = processor->library.Encode(std::string_view(text, count), &found);
        if (!status.ok()) return status;
        *ids = static_cast<int32_t *>(std::malloc((found.size() + 1) * sizeof(int32_t)));
        if (*ids == nullptr) throw std::bad_alloc();
        for (size_t i = 0; i < found.size(); i++) (*ids)[i] = found[i];
        *id_count = found.size();
        return status;
    });
}

void csp_release_ids(int32_t *ids) { std::free(ids); }
