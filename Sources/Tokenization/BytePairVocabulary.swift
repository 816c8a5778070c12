/// The vocabulary of a `tokenizer.json` that merges pairs: SentencePiece's pieces in one of the forms that libraries save, or
/// bytes (Llama 3, Qwen 2).
struct BytePairVocabulary: Vocabulary {
    let decoding: Decoding
    let markers: [Int: String] = [:]
    private let model: BytePairModel
    private let normalizer: [NormalizerStep]
    private let division: WordDivision
    private let decoder: PieceDecoder
    private let decoded: [Piece]

    /// A vocabulary of these steps.
    init(model: BytePairModel, normalizer: [NormalizerStep], division: WordDivision, decoder: PieceDecoder) {
        self.model = model
        self.normalizer = normalizer
        self.division = division
        self.decoder = decoder
        decoding = decoder.decoding
        decoded = model.pieces.map { decoder.piece(String(decoding: $0.bytes, as: UTF8.self)) }
    }

    var count: Int { decoded.count }

    func id(of piece: String) -> Int? { model.id(of: piece) }

    func normalized(_ text: String) -> String { normalizer.reduce(text) { $1.apply($0) } }

    func encode(_ text: String, isFirst: Bool) -> [Int] {
        switch division {
        case .none: return model.encode(text.unicodeScalars)
        case .metaspace(let scheme):
            var text = text.replacingScalars(" ", with: "\u{2581}")
            let isWanted = scheme == .always || scheme == .first && isFirst
            if isWanted, text.unicodeScalars.first != "\u{2581}" { text = "\u{2581}" + text }
            return model.encode(text.unicodeScalars)
        case .byteLevel(let pattern):
            let scalars = Array(text.unicodeScalars)
            return pattern.words(of: scalars).flatMap { word in
                model.encode(
                    scalars[word].flatMap { UTF8.encode($0).map(Array.init) ?? [] }.map { ByteLetters.letters[Int($0)] }
                )
            }
        }
    }

    func piece(_ id: Int) -> Piece { decoded[id] }

    func piece(added text: String) -> Piece { decoder.piece(text) }
}

/// What the `decoder` of a `tokenizer.json` makes of single tokens.
struct PieceDecoder: Equatable, Sendable {
    /// Texts that are written for others in every token: usually a space for `▁`.
    var replacements: [NormalizerStep] = []
    /// Whether `<0x…>` stands for a byte.
    var hasByteFallback = false
    /// Whether tokens are written in ``ByteLetters``.
    var isByteLevel = false
    /// How many spaces are dropped at the start of a text.
    var droppedSpaces = 0

    /// How the tokens become a text.
    var decoding: Decoding { isByteLevel ? .joinedBytes : .byteRuns(dropping: droppedSpaces) }

    /// What a token stands for.
    func piece(_ token: String) -> Piece {
        if isByteLevel { return .text(ByteLetters.bytes(of: token)) }
        let text = replacements.reduce(token) { $1.apply($0) }
        if hasByteFallback, text.utf8.count == 6, text.hasPrefix("<0x"), text.hasSuffix(">"),
            let byte = UInt8(text.dropFirst(3).dropLast(), radix: 16)
        {
            return .byte(byte)
        }
        return .text(Array(text.utf8))
    }
}
