/// The `model` of a `tokenizer.json`: pieces, the order in which neighbours are merged, and what becomes of characters
/// without a piece.
struct BytePairModel: Sendable {
    /// A piece as the file writes it, compared byte by byte: Swift's texts are equal where they are canonically equivalent.
    struct Key: Hashable, Sendable {
        let bytes: [UInt8]

        func hash(into hasher: inout Hasher) { bytes.withUnsafeBytes { hasher.combine(bytes: $0) } }
    }

    /// The settings that are obeyed.
    struct Settings: Sendable {
        /// The piece of characters that have none; nil drops them.
        var unknown: String?
        /// Whether neighbouring characters without a piece become one unknown piece.
        var fusesUnknown = false
        /// Whether a character without a piece becomes the pieces `<0x…>` of its bytes.
        var hasByteFallback = false
        /// Whether a word that is itself a piece is taken at once.
        var ignoresMerges = false
    }

    /// The pieces by id.
    let pieces: [Key]
    private let ids: [Key: Int32]
    private let merges: PairMerges
    private let settings: Settings
    /// The piece of each single character, by its value.
    private let characters: [UInt32: Int32]
    private let byteIDs: [Int32?]
    private let unknown: Int32?

    /// A model of pieces by id; `merges` holds left and right part of each merge.
    init(
        ids: [Key: Int32], merges parts: [(Key, Key)], settings: Settings, file: String
    ) throws(TokenizerError) {
        var pieces = [Key?](repeating: nil, count: ids.count)
        for (key, id) in ids {
            let text = String(decoding: key.bytes, as: UTF8.self)
            guard pieces.indices.contains(Int(id)) else {
                throw TokenizerError(
                    .damaged,
                    "the piece \"\(text)\" has the id \(id), but there are only \(ids.count) pieces; ids must be "
                        + "0 ..< \(ids.count): download the file again", file: file)
            }
            guard pieces[Int(id)] == nil else {
                throw TokenizerError(
                    .damaged, "two pieces have the id \(id), one is \"\(text)\"; download the file again", file: file)
            }
            pieces[Int(id)] = key
        }
        var merges = PairMerges()
        merges.reserveCapacity(parts.count)
        for (left, right) in parts {
            guard let leftID = ids[left], let rightID = ids[right], let id = ids[Key(bytes: left.bytes + right.bytes)]
            else {
                throw TokenizerError(
                    .damaged,
                    "the merge of \"\(String(decoding: left.bytes, as: UTF8.self))\" and "
                        + "\"\(String(decoding: right.bytes, as: UTF8.self))\" names a piece that the vocabulary lacks; "
                        + "download the file again", file: file)
            }
            merges.append(Int(leftID), Int(rightID), to: Int(id))
        }
        if let name = settings.unknown {
            guard let id = ids[Key(bytes: Array(name.utf8))] else {
                throw TokenizerError(
                    .damaged,
                    "the unk_token \"\(name)\" is no piece of the vocabulary; download the file again", file: file)
            }
            unknown = id
        } else {
            unknown = nil
        }
        var characters: [UInt32: Int32] = [:]
        for (key, id) in ids where key.bytes.count <= 4 {
            let scalars = String(decoding: key.bytes, as: UTF8.self).unicodeScalars
            if scalars.count == 1, let scalar = scalars.first { characters[scalar.value] = id }
        }
        byteIDs = (0..<256).map { byte in
            let digits = String(byte, radix: 16, uppercase: true)
            return ids[Key(bytes: Array("<0x\(byte < 16 ? "0" : "")\(digits)>".utf8))]
        }
        self.pieces = pieces.compactMap(\.self)
        self.ids = ids
        self.merges = merges
        self.settings = settings
        self.characters = characters
    }

    /// The id of the piece with exactly this text.
    func id(of piece: String) -> Int? { ids[Key(bytes: Array(piece.utf8))].map(Int.init) }

    /// The ids of a word.
    func encode(_ word: some Sequence<Unicode.Scalar>) -> [Int] {
        if settings.ignoresMerges {
            let text = String(String.UnicodeScalarView(word))
            if let id = id(of: text) { return [id] }
        }
        var tokens: [Int32] = []
        // Unknown characters wait for the next known one: bytes go before them, as in Hugging Face's library.
        var waiting = 0
        for scalar in word {
            if let id = characters[scalar.value] {
                if let unknown { tokens += Array(repeating: unknown, count: waiting) }
                waiting = 0
                tokens.append(id)
                continue
            }
            if settings.hasByteFallback {
                let bytes = UTF8.encode(scalar)?.compactMap { byteIDs[Int($0)] } ?? []
                if bytes.count == UTF8.width(scalar) {
                    tokens += bytes
                    continue
                }
            }
            guard let unknown else { continue }
            if waiting == 1 {
                if settings.fusesUnknown { continue }
                tokens.append(unknown)
            }
            waiting = 1
        }
        if let unknown, waiting > 0 { tokens.append(unknown) }
        return merges.merge(tokens)
    }
}
