public import Foundation

/// Text to token ids and back, exactly as Hugging Face's tokenizer of a LLaVA-1.5 checkpoint does it.
///
/// The rule: cut the text at added tokens (`<s>`, `</s>`, `<unk>`, `<image>`, `<pad>`), encode every stretch between them
/// on its own, with SentencePiece's space in front of each, and put one `<s>` before the whole. A tokenizer never changes,
/// so that threads may share it.
public struct Tokenizer: Sendable {
    /// The `tokenizer.model` this was read from.
    public let file: String
    /// How many pieces the SentencePiece model has; ids from here on are added tokens.
    public let pieceCount: Int
    /// The id of `<s>`, which starts every prompt.
    public let beginning: Int
    /// The id of `</s>`, with which an answer ends.
    public let end: Int
    /// The id of `<image>`.
    public let image: Int
    /// The text that stands for a picture, usually `<image>`.
    public let imageText: String

    private let model: SentencePieceModel
    private let addsBeginning: Bool
    private let segments: TextSegments
    /// The text of each marker and added token, and whether it is special.
    private let markers: [Int: (text: String, isSpecial: Bool)]

    /// Reads the tokenizer of a checkpoint folder.
    ///
    /// A `liuhaotian` folder knows no `<image>`: it is added with the id `imageID`, or with the first free id. Where the
    /// folder does know it and `imageID` says otherwise, tokenizer and model don't belong together, and that is an error.
    public init(directory: URL, imageText: String = "<image>", imageID: Int? = nil) throws(TokenizerError) {
        let url = directory.appendingPathComponent("tokenizer.model")
        let bytes: [UInt8]
        do {
            bytes = [UInt8](try Data(contentsOf: url))
        } catch {
            let why = error.localizedDescription
            throw TokenizerError(
                .unreadable, "cannot be read (\(why)); the model's folder needs its tokenizer.model",
                file: url.path)
        }
        let model = try SentencePieceModel(bytes, file: url.path)
        guard let beginning = model.beginning, let end = model.end else {
            throw TokenizerError(
                .unsupported, "the model has no begin and end markers; LLaVA-1.5's has <s> and </s>", file: url.path)
        }
        var added = try AddedTokens(directory: directory)
        try added.checkPieces(model)
        let known = added.tokens[imageText]?.id
        let free = max(model.pieces.count, (added.tokens.values.map(\.id).max() ?? 0) + 1)
        let image = imageID ?? known ?? free
        guard known == nil || known == image else {
            throw TokenizerError(
                .vocabularyMismatch,
                "the tokenizer doesn't match the vocabulary: \(imageText) is token \(known ?? image) here, but the model's "
                    + "config.json says \(image); take both from one checkpoint", file: url.path)
        }
        guard image >= model.pieces.count else {
            throw TokenizerError(
                .vocabularyMismatch,
                "the tokenizer doesn't match the vocabulary: token \(image) should be \(imageText), but is an ordinary "
                    + "piece; take tokenizer and config.json from one checkpoint", file: url.path)
        }
        try added.add(imageText, AddedTokens.Token(id: image, isSpecial: true, file: url.path))

        var markers: [Int: (text: String, isSpecial: Bool)] = [:]
        for (id, piece) in model.pieces.enumerated() {
            if case .marker(let text) = piece { markers[id] = (text, true) }
        }
        for (text, token) in added.tokens { markers[token.id] = (text, token.isSpecial) }
        file = url.path
        pieceCount = model.pieces.count
        self.beginning = beginning
        self.end = end
        self.image = image
        self.imageText = imageText
        self.model = model
        addsBeginning = added.addsBeginning
        segments = TextSegments(Dictionary(markers.map { ($1.text, $0) }, uniquingKeysWith: min))
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
                    + "\(embeddingRows) tokens; take tokenizer.model and the weights from one checkpoint", file: file)
        }
    }

    /// The ids of a text; `<s>` first unless `addingBeginning` is false.
    ///
    /// - Parameter pictures: How many `<image>`, from the first on, stand for pictures; later ones are text.
    public func encode(
        _ text: String, addingBeginning: Bool = true, pictures: Int = .max
    ) throws(TokenizerError) -> [Int] {
        var ids = addingBeginning && addsBeginning ? [beginning] : []
        for segment in segments.split(text, limiting: image, to: pictures) {
            switch segment {
            case .text(let text): ids += try model.encode(text)
            case .token(let id): ids.append(id)
            }
        }
        return ids
    }

    /// The text of ids; ids that stand for nothing are passed over.
    ///
    /// SentencePiece's own decoder differs from Hugging Face's where bytes don't make up a character, so this is the
    /// latter's rule: a run of byte tokens becomes its text if the whole run is valid UTF-8 and one U+FFFD per byte if not;
    /// special tokens are taken out before runs are formed; one space at the very start is dropped.
    public func decode(_ ids: some Sequence<Int>, skippingSpecialTokens: Bool = true) -> String {
        var text = ""
        var run: [UInt8] = []
        func endRun() {
            text += String(validating: run, as: UTF8.self) ?? String(repeating: "\u{FFFD}", count: run.count)
            run = []
        }
        for id in ids {
            if let marker = markers[id] {
                if marker.isSpecial, skippingSpecialTokens { continue }
                endRun()
                text += marker.text
            } else if model.pieces.indices.contains(id) {
                switch model.pieces[id] {
                case .byte(let byte): run.append(byte)
                case .text(let piece), .marker(let piece):
                    endRun()
                    text += piece
                }
            }
        }
        endRun()
        return text.unicodeScalars.first == " " ? String(text.unicodeScalars.dropFirst()) : text
    }
}

extension AddedTokens {
    /// Refuses added tokens that stand where the SentencePiece model has another piece.
    fileprivate func checkPieces(_ model: SentencePieceModel) throws(TokenizerError) {
        for (content, token) in tokens where token.id < model.pieces.count {
            let piece =
                switch model.pieces[token.id] {
                case .text(let text), .marker(let text): text
                case .byte: ""
                }
            guard piece == content else {
                throw TokenizerError(
                    .damaged,
                    "token \(token.id) is \"\(content)\" here, but \"\(piece)\" in tokenizer.model; the files belong to "
                        + "different checkpoints", file: token.file)
            }
        }
    }
}
