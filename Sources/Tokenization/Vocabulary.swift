/// What a tokenizer knows apart from its added tokens: how the text between them becomes ids, and what each id stands for.
///
/// `tokenizer.model` and the forms of `tokenizer.json` are the same to ``Tokenizer`` behind this.
protocol Vocabulary: Sendable {
    /// How many pieces there are; their ids are 0 ..< count.
    var count: Int { get }
    /// Pieces that a text's own characters never become, such as `<s>`, by id; added tokens stand apart from them.
    var markers: [Int: String] { get }
    /// How pieces become a text.
    var decoding: Decoding { get }

    /// The id of the piece with exactly this text as the file writes it.
    func id(of piece: String) -> Int?
    /// A text as those added tokens see it that are looked for behind the normaliser.
    func normalized(_ text: String) -> String
    /// The ids of a normalised text without added tokens.
    ///
    /// - Parameter isFirst: Whether it starts where the whole text starts.
    func encode(_ text: String, isFirst: Bool) throws(TokenizerError) -> [Int]
    /// What the piece of an id from 0 ..< count stands for.
    func piece(_ id: Int) -> Piece
    /// What an added token stands for in a decoded text.
    func piece(added text: String) -> Piece
}

/// What an id stands for when a text is put together.
enum Piece: Equatable, Sendable {
    /// Text as UTF-8, or in a byte-level vocabulary any bytes.
    case text([UInt8])
    /// One byte of a character that has no piece of its own.
    case byte(UInt8)
}

/// How pieces become a text.
enum Decoding: Equatable, Sendable {
    /// Runs of byte pieces become characters, and so many spaces are dropped at the start of the whole.
    case byteRuns(dropping: Int)
    /// The bytes of all pieces are one UTF-8 text.
    case joinedBytes

    /// The text of pieces, as Hugging Face's decoders make it.
    ///
    /// A run of byte pieces becomes its text if the whole run is valid UTF-8, and one U+FFFD per byte if not; joined bytes
    /// have one U+FFFD for each part that cannot be UTF-8.
    func text(of pieces: [Piece]) -> String {
        var text: [UInt8] = []
        switch self {
        case .joinedBytes:
            for case .text(let bytes) in pieces { text += bytes }
            return String(decoding: text, as: UTF8.self)
        case .byteRuns(let dropping):
            var run: [UInt8] = []
            func endRun() {
                if String(validating: run, as: UTF8.self) != nil {
                    text += run
                } else {
                    for _ in run { text += "\u{FFFD}".utf8 }
                }
                run = []
            }
            for piece in pieces {
                switch piece {
                case .byte(let byte): run.append(byte)
                case .text(let bytes):
                    endRun()
                    text += bytes
                }
            }
            endRun()
            let spaces = text.prefix(dropping).prefix { $0 == UInt8(ascii: " ") }.count
            return String(decoding: text.dropFirst(spaces), as: UTF8.self)
        }
    }
}
