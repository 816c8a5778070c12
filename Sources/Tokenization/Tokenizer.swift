public import Foundation

/// Text to token ids and back, exactly as Hugging Face's fast tokenizer of a LLaVA checkpoint does it.
///
/// The rule: cut the text at added tokens such as `<s>`, `<image>` or `<|im_start|>`, encode every stretch between them on
/// its own, and put the beginning token, if there is one, before the whole. How a stretch is encoded `tokenizer.json`
/// says; a folder that has only a `tokenizer.model` gets SentencePiece's pieces with a space in front of each stretch. A
/// tokenizer never changes, so that threads may share it.
public struct Tokenizer: Sendable {
    /// The `tokenizer.json` or `tokenizer.model` this was read from.
    public let file: String
    /// How many pieces the vocabulary has; ids from here on are added tokens.
    public let pieceCount: Int
    /// The id that starts every prompt, such as that of `<s>`; nil if the tokenizer puts nothing in front.
    public let beginning: Int?
    /// The id of `<image>`.
    public let image: Int
    /// The text that stands for a picture, usually `<image>`.
    public let imageText: String

    private let vocabulary: any Vocabulary
    private let cleansSpaces: Bool
    /// Added tokens that are looked for in the text itself, and those that are looked for behind the normaliser.
    private let segments: TextSegments
    private let normalizedSegments: TextSegments
    /// What markers and added tokens stand for, and whether they are special.
    private let markers: [Int: (piece: Piece, isSpecial: Bool)]

    /// Reads the tokenizer of a checkpoint folder.
    ///
    /// A folder of the authors' layout knows no `<image>`: it is added with the id `imageID`, or with the first free id. Where
    /// the folder does know it and `imageID` says otherwise, tokenizer and model don't belong together, and that is an error.
    public init(directory: URL, imageText: String = "<image>", imageID: Int? = nil) throws(TokenizerError) {
        let source = try TokenizerSource(directory: directory)
        let vocabulary = source.vocabulary
        var added = source.added
        let known = added.tokens[imageText]?.id
        let image = imageID ?? known ?? added.free(vocabulary)
        guard known == nil || known == image else {
            throw TokenizerError(
                .vocabularyMismatch,
                "the tokenizer doesn't match the vocabulary: \(imageText) is token \(known ?? image) here, but the model's "
                    + "config.json says \(image); take both from one checkpoint", file: source.file)
        }
        guard known != nil || image >= vocabulary.count else {
            throw TokenizerError(
                .vocabularyMismatch,
                "the tokenizer doesn't match the vocabulary: token \(image) should be \(imageText), but is an ordinary "
                    + "piece; take tokenizer and config.json from one checkpoint", file: source.file)
        }
        try added.add(imageText, AddedTokens.Token(id: image, isSpecial: true, file: source.file))

        var markers = vocabulary.markers.mapValues { (piece: vocabulary.piece(added: $0), isSpecial: true) }
        var raw = Dictionary(
            vocabulary.markers.map { ($1, TextSegments.Token(id: $0)) }, uniquingKeysWith: { $0.id < $1.id ? $0 : $1 })
        var normalized: [String: TextSegments.Token] = [:]
        for (text, token) in added.tokens {
            markers[token.id] = (vocabulary.piece(added: text), token.isSpecial)
            let found = TextSegments.Token(
                id: token.id, takesSpaceBefore: token.takesSpaceBefore, takesSpaceBehind: token.takesSpaceBehind,
                isWholeWord: token.isWholeWord)
            if token.isNormalized {
                normalized[vocabulary.normalized(text)] = found
            } else {
                raw[text] = found
            }
        }
        file = source.file
        pieceCount = vocabulary.count
        beginning = source.beginning
        self.image = image
        self.imageText = imageText
        self.vocabulary = vocabulary
        cleansSpaces = source.cleansSpaces
        segments = TextSegments(raw)
        normalizedSegments = TextSegments(normalized)
        self.markers = markers
    }

    /// The largest id this tokenizer can produce.
    public var largestID: Int { max(pieceCount - 1, markers.keys.max() ?? 0) }

    /// Refuses a model whose embedding table is too short for the ids of this tokenizer.
    public func check(embeddingRows: Int) throws(TokenizerError) {
        guard largestID < embeddingRows else {
            throw TokenizerError(
                .vocabularyMismatch,
                "the tokenizer doesn't match the vocabulary: its ids go up to \(largestID), but the model embeds only "
                    + "\(embeddingRows) tokens; take tokenizer and weights from one checkpoint", file: file)
        }
    }

    /// The ids of a text; the beginning token, if the tokenizer has one, first unless `addingBeginning` is false.
    ///
    /// - Parameter pictures: How many `<image>`, from the first on, stand for pictures; later ones are text.
    public func encode(
        _ text: String, addingBeginning: Bool = true, pictures: Int = .max
    ) throws(TokenizerError) -> [Int] {
        var ids = addingBeginning ? beginning.map { [$0] } ?? [] : []
        var left = pictures
        var isFirst = true
        for segment in segments.split(text, limiting: image, to: &left) {
            switch segment {
            case .token(let id): ids.append(id)
            case .text(let text):
                for part in normalizedSegments.split(vocabulary.normalized(text), limiting: image, to: &left) {
                    switch part {
                    case .token(let id): ids.append(id)
                    case .text(let text): ids += try vocabulary.encode(text, isFirst: isFirst)
                    }
                    isFirst = false
                }
            }
            isFirst = false
        }
        return ids
    }

    /// The text of ids; ids that stand for nothing are passed over.
    ///
    /// Special tokens are taken out before pieces become a text, as Hugging Face's decoders do it: bytes on both sides of one
    /// may be one character. Ids in the midst of a character give U+FFFD.
    public func decode(_ ids: some Sequence<Int>, skippingSpecialTokens: Bool = true) -> String {
        var pieces: [Piece] = []
        for id in ids {
            if let marker = markers[id] {
                if !(marker.isSpecial && skippingSpecialTokens) { pieces.append(marker.piece) }
            } else if (0..<pieceCount).contains(id) {
                pieces.append(vocabulary.piece(id))
            }
        }
        let text = vocabulary.decoding.text(of: pieces)
        guard cleansSpaces else { return text }
        return Self.contractions.reduce(text) { $0.replacingScalars($1.spaced, with: $1.clean) }
    }

    /// What `clean_up_tokenization_spaces` writes for what, one after another.
    private static let contractions: [(spaced: String, clean: String)] = [
        (" .", "."), (" ?", "?"), (" !", "!"), (" ,", ","), (" ' ", "'"), (" n't", "n't"), (" 'm", "'m"), (" 's", "'s"),
        (" 've", "'ve"), (" 're", "'re"),
    ]
}
