/// The ids of a prompt, cut at the place where the picture goes, if it has one.
public struct MultimodalPrompt: Sendable, Hashable {
    /// Ids before the picture; all of them where there is none.
    public let before: [Int]
    /// Ids after the picture.
    public let after: [Int]
    /// Whether a picture goes between them.
    public let hasPicture: Bool
    /// What the user asks, without the picture's place and the template; nil where only ids are known.
    public let question: String?

    /// Cuts `ids` at the image token.
    ///
    /// As all versions of transformers together do, takes one image token for the picture, or exactly `visualTokens` of
    /// them in a row.
    public init(ids: [Int], imageToken: Int, visualTokens: Int, question: String? = nil) throws(ModelError) {
        guard let first = ids.firstIndex(of: imageToken), let last = ids.lastIndex(of: imageToken) else {
            throw ModelError(.malformedPrompt, "the prompt has no <image>; say where the picture goes")
        }
        let run = ids[first...last]
        guard run.allSatisfy({ $0 == imageToken }), run.count == 1 || run.count == visualTokens else {
            let count = ids.count { $0 == imageToken }
            throw ModelError(.malformedPrompt, "the prompt has \(count) <image>; a job has one picture, so leave one")
        }
        before = Array(ids[..<first])
        after = Array(ids[(last + 1)...])
        hasPicture = true
        self.question = question
    }

    /// A prompt about no picture.
    public init(textIDs ids: [Int], imageToken: Int) throws(ModelError) {
        guard !ids.contains(imageToken) else {
            throw ModelError(
                .malformedPrompt,
                "the prompt has an <image>, and there is no picture; give one, or leave <image> out")
        }
        guard !ids.isEmpty else { throw ModelError(.malformedPrompt, "the prompt is empty; write one") }
        before = ids
        after = []
        hasPicture = false
        question = nil
    }

    /// The prompt as transformers' processor writes it: one image token for each visual token.
    public func expanded(imageToken: Int, visualTokens: Int) -> [Int] {
        before + Array(repeating: imageToken, count: hasPicture ? visualTokens : 0) + after
    }
}
