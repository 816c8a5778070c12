internal import HDF5
internal import JobVocabulary

/// The format of a shard: every dataset by name, with where its values stand in a row.
enum ShardLayout {
    static let format = "winnow-results"
    static let version = "2.1"
    static let flopsConvention = "one multiply-add = 2"

    /// The columns of `/jobs`.
    static func jobs(methods: [String]) -> [any JobColumn] {
        texts + counts + [MethodColumn(methods: methods)] + measures
    }

    private static let texts: [any JobColumn] = [
        TextColumn("id", \.id, "id of the item"),
        TextColumn("prompt", \.prompt, "instruction"),
        TextColumn("answer", \.answer, "generated text"),
        TextColumn("error", \.error, "why the job failed"),
        TextColumn("expected_answers", \.expectedAnswers, "accepted answers of the item, a JSON list"),
        TextColumn("labels", \.labels, "labels of the item, a JSON object"),
    ]

    private static let counts: [any JobColumn] = [
        NumberColumn("attempt", \.attempt, "number of the attempt"),
        CodeColumn("status", \.status, "whether the job has an answer"),
        NumberColumn("visual_tokens_in", \.visualTokensIn, "visual tokens before any reduction"),
        NumberColumn("visual_tokens_out", \.visualTokensOut, "visual tokens after the last reduction"),
        NumberColumn("prompt_tokens", \.promptTokens, "tokens of the prompt that entered the decoder"),
        NumberColumn("answer_tokens", \.answerTokens, "generated tokens"),
        CodeColumn("finish_reason", \.finishReason, "why the answer ended"),
        NumberColumn(
            "reused_features", \.reusedFeatures, "1 where all features were computed for other jobs, else 0"),
        NumberColumn(
            "reused_prefix", \.reusedPrefix,
            "1 where the prompt up to its last picture was read for another job, else 0"),
        NumberColumn("correct", \.correct, "1 the answer is an accepted one, 0 another, -1 none is named"),
    ]

    private static let measures: [any JobColumn] = [
        NumberColumn("flops_vision", \.flops.vision, units: "FLOP", "vision tower"),
        NumberColumn("flops_projector", \.flops.projector, units: "FLOP", "projector"),
        NumberColumn("flops_prefill", \.flops.prefill, units: "FLOP", "decoder over the prompt"),
        NumberColumn("flops_decode", \.flops.decode, units: "FLOP", "decoder over the answer"),
        NumberColumn("seconds_queue", \.seconds.queue, units: "s", "acceptance to assignment"),
        NumberColumn("seconds_load", \.seconds.load, units: "s", "reading and preparing the pictures"),
        NumberColumn("seconds_vision", \.seconds.vision, units: "s", "vision tower and projector"),
        NumberColumn("seconds_reduce", \.seconds.reduce, units: "s", "filter, correlate and compress"),
        NumberColumn("seconds_prefill", \.seconds.prefill, units: "s", "decoder over the prompt"),
        NumberColumn("seconds_decode", \.seconds.decode, units: "s", "decoder over the answer"),
        NumberColumn("finished_at", \.finishedAt, units: "s since 1970-01-01 UTC", "end of the job"),
        NumberColumn("peak_bytes", \.peakBytes, units: "B", "largest resident memory of the worker so far"),
    ]

    /// What the pictures of each job are, and what the model saw of them: in every shard.
    static let pictures: [RaggedGroup] = [
        RaggedGroup(
            name: "pictures", length: \.pictures.count,
            columns: [
                RaggedTexts("image", \.pictures.image, "picture as the item names it"),
                RaggedTexts("sha256", \.pictures.sha256, "SHA-256 of the picture file; empty if it could not be read"),
                RaggedTexts(
                    "notes", \.pictures.notes,
                    "what was let pass in the picture file, every pixel being there; empty if nothing"),
                RaggedNumbers("width", \.pictures.width, units: "px", "width of the picture as decoded"),
                RaggedNumbers("height", \.pictures.height, units: "px", "height of the picture as decoded"),
                RaggedNumbers(
                    "orientation", \.pictures.orientation,
                    "EXIF orientation, 1 to 8, that the picture was turned by; 1 as its file stores it",
                    ifAbsent: 1),
            ]),
        RaggedGroup(
            name: "segments", length: \.segments.count,
            columns: [
                RaggedNumbers("picture", \.segments.picture, "which of the job's pictures, counted from 0"),
                RaggedNumbers("tile", \.segments.tile, "which tile of that picture, counted from 0"),
                RaggedNumbers("rows", \.segments.rows, "patches from top to bottom"),
                RaggedNumbers("columns", \.segments.columns, "patches from left to right"),
                RaggedNumbers("first_token", \.segments.firstToken, "first patch among the job's visual tokens"),
                RaggedNumbers("left", \.segments.left, units: "px", "left edge of what was seen of the picture"),
                RaggedNumbers("top", \.segments.top, units: "px", "upper edge of what was seen of the picture"),
                RaggedNumbers("width", \.segments.width, units: "px", "width of what was seen of the picture"),
                RaggedNumbers("height", \.segments.height, units: "px", "height of what was seen of the picture"),
            ]),
    ]

    /// One row per original visual token; nil if the shard holds no trace.
    static func tokens(_ trace: StoredTrace) -> RaggedGroup? {
        switch trace {
        case .full: RaggedGroup(name: "tokens", length: \.tokens.leftAt.count, columns: tokenIndices + [tokenScore])
        case .indices: RaggedGroup(name: "tokens", length: \.tokens.leftAt.count, columns: tokenIndices)
        case .none: nil
        }
    }

    private static let tokenIndices: [any RaggedColumn] = [
        RaggedNumbers(
            "left_at", \.tokens.leftAt, "step at which it left; 255 = survived, 254 = padding, never entered",
            compressed: true),
        RaggedNumbers("went_to", \.tokens.wentTo, "token that took most of it; 65535 = discarded", compressed: true),
    ]

    private static let tokenScore: any RaggedColumn = RaggedNumbers(
        "score", \.tokens.score, "last score it was given")

    /// The groups whose length differs from row to row, but for `tokens` and `features`.
    static func ragged(_ trace: StoredTrace) -> [RaggedGroup] {
        switch trace {
        case .full: [steps, kept, merges] + answers
        case .indices: [steps, kept] + answers
        case .none: answers
        }
    }

    private static let steps = RaggedGroup(
        name: "steps", length: \.steps.layer.count,
        columns: [
            RaggedNumbers("layer", \.steps.layer, "layer, counted from 0"),
            RaggedCodes(name: "place", longName: "half of the model", path: \.steps.place),
            RaggedNumbers("tokens_in", \.steps.tokensIn, "visual tokens before"),
            RaggedNumbers("tokens_out", \.steps.tokensOut, "visual tokens after"),
            RaggedNumbers("seconds", \.steps.seconds, units: "s", "time of the reduction"),
        ])

    private static let kept = RaggedGroup(
        name: "kept", length: \.kept.count,
        columns: [
            RaggedNumbers("data", \.kept, "original index of each kept token, in sequence order", compressed: true)
        ])

    private static let merges = RaggedGroup(
        name: "merges", length: \.merges.step.count,
        columns: [
            RaggedNumbers("step", \.merges.step, "index of the step", compressed: true),
            RaggedNumbers("source", \.merges.source, "token that left", compressed: true),
            RaggedNumbers("target", \.merges.target, "token that took a share", compressed: true),
            RaggedNumbers("weight", \.merges.weight, "share of the source's content"),
        ])

    private static let answers: [RaggedGroup] = [
        RaggedGroup(
            name: "token_ids", length: \.tokenIDs.count,
            columns: [RaggedNumbers("data", \.tokenIDs, "generated tokens")]),
        RaggedGroup(
            name: "token_logprobs", length: \.tokenLogProbs.count,
            columns: [RaggedNumbers("data", \.tokenLogProbs, units: "nat", "log probability of each generated token")]),
    ]

    /// One row per visual token of the features.
    static let features = "features"
}
