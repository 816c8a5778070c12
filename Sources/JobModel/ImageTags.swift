/// What `<image>` in the prompts of a batch is, and whether a prompt agrees with it.
///
/// A prompt that is whole, without a template, says with an `<image>` for each picture where it goes. Under a template the
/// pictures go before the user's text, and an `<image>` in that text may be either: a place, or a word about HTML. Only
/// the batch knows, so it has to say.
struct ImageTags {
    private static let tag = PromptTemplate.imageTag

    let template: PromptTemplate
    let meaning: ImageTag?

    /// What is wrong with a prompt, and how to go on; nil if nothing is.
    func problem(of prompt: String, pictures: Int) -> String? {
        let count = Self.count(in: prompt)
        switch (template, meaning) {
        case (.none, _):
            guard pictures > 0 else { return pictureless(count) }
            guard count != pictures else { return nil }
            return pictures == 1
                ? "the prompt has \(count) \(Self.tag); with 'template: none' exactly one says where the picture goes"
                : "the prompt has \(count) \(Self.tag) and the item \(pictures) pictures; with 'template: none' one for each "
                    + "says where it goes"
        case (_, nil):
            return count == 0
                ? nil
                : "the prompt holds \(Self.tag): write 'image_tag: place' into the batch file where it says where the "
                    + "picture goes, or 'image_tag: text' where it is ordinary text; --image-tag says the same"
        case (_, .place):
            guard pictures > 0 else { return pictureless(count) }
            guard count > 0, count != pictures else { return nil }
            return pictures == 1
                ? "the prompt has \(count) \(Self.tag) and the item one picture; leave one"
                : "the prompt has \(count) \(Self.tag) and the item \(pictures) pictures; write one for each, or none"
        case (_, .text): return nil
        }
    }

    private func pictureless(_ count: Int) -> String? {
        count == 0 ? nil : "the prompt has \(Self.tag) and the item no picture; give one, or leave \(Self.tag) out"
    }

    private static func count(in prompt: String) -> Int {
        var rest = prompt.utf8[...], count = 0
        while let start = rest.firstIndex(of: UInt8(ascii: "<")) {
            let isTag = rest[start...].starts(with: tag.utf8)
            rest = rest[start...].dropFirst(isTag ? tag.utf8.count : 1)
            if isTag { count += 1 }
        }
        return count
    }
}
