/// A stretch of a prompt.
public enum PromptPart: Sendable, Hashable {
    /// Ids of the vocabulary.
    case text([Int])
    /// The place of a picture, which is one of the prompt's, counted from 0.
    case picture(Int)
}

/// The ids of a prompt, cut at the places where its pictures go, if it has any.
public struct MultimodalPrompt: Sendable, Hashable {
    /// Text and pictures in their order; no text is empty, and the pictures are 0, 1, 2, … from left to right.
    public let parts: [PromptPart]
    /// What the user asks, without the places of pictures and the template; nil if only ids are known, or there is no picture.
    public let question: String?

    /// Cuts `ids` at the image tokens, one for each of `pictures` pictures.
    ///
    /// As all versions of transformers together do, takes one image token for a picture, or exactly `visualTokens` of them;
    /// nil if their number depends on the picture, so that one stands for it.
    public init(
        ids: [Int], imageToken: Int, pictures: Int = 1, visualTokens: Int?, question: String? = nil
    ) throws(ModelError) {
        let tags = ids.count { $0 == imageToken }
        let visualTokens = visualTokens ?? 1
        let isExpanded = tags == pictures * visualTokens && tags != pictures
        guard tags == pictures || isExpanded else { throw Self.mismatch(tags, pictures) }
        guard !ids.isEmpty else { throw ModelError(.malformedPrompt, "the prompt is empty; write one") }
        var parts: [PromptPart] = [], text: [Int] = [], next = 0, run = 0
        for id in ids {
            if id == imageToken {
                if !text.isEmpty { parts.append(.text(text)) }
                text = []
                run += 1
                guard run == (isExpanded ? visualTokens : 1) else { continue }
                parts.append(.picture(next))
                next += 1
                run = 0
            } else {
                guard run == 0 else { throw Self.mismatch(tags, pictures) }
                text.append(id)
            }
        }
        if !text.isEmpty { parts.append(.text(text)) }
        self.parts = parts
        self.question = pictures > 0 ? question : nil
    }

    private static func mismatch(_ tags: Int, _ pictures: Int) -> ModelError {
        let message =
            if pictures == 0 {
                "the prompt has an <image>, and there is no picture; give one, or leave <image> out"
            } else if tags == 0 {
                "the prompt has no <image>; say where the picture goes"
            } else if pictures == 1 {
                "the prompt has \(tags) <image> and one picture; leave one <image>, or give more pictures"
            } else {
                "the prompt has \(tags) <image> and \(pictures) pictures; write one <image> for each"
            }
        return ModelError(.malformedPrompt, message)
    }

    /// How many pictures the prompt is about.
    public var pictures: Int { parts.count { if case .picture = $0 { true } else { false } } }
    /// The ids without the pictures.
    public var text: [Int] {
        parts.flatMap { part -> [Int] in
            if case .text(let ids) = part { ids } else { [] }
        }
    }
    /// Ids before the first picture; all of them where there is none.
    public var before: [Int] {
        guard case .text(let ids) = parts.first else { return [] }
        return ids
    }
    /// Ids behind the last picture; none if there is no picture.
    public var after: [Int] {
        guard pictures > 0, case .text(let ids) = parts.last else { return [] }
        return ids
    }
    /// What stands before `after`: text and pictures up to the last picture; everything where there is no picture.
    public var beginning: ArraySlice<PromptPart> { after.isEmpty ? parts[...] : parts.dropLast() }

    /// The prompt as transformers' processor writes it: one image token for each row of a picture; `rows` holds their number
    /// for each picture.
    public func expanded(imageToken: Int, rows: [Int]) -> [Int] {
        parts.flatMap { part -> [Int] in
            switch part {
            case .text(let ids): ids
            case .picture(let picture): Array(repeating: imageToken, count: rows[picture])
            }
        }
    }
}
