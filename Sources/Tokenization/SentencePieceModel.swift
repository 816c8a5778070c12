private import CSentencePiece

/// The pieces of a `tokenizer.model` and the library that cuts text into them.
///
/// libsentencepiece is used for encoding only; what a piece means when decoding is kept here.
final class SentencePieceModel: Vocabulary {
    /// All pieces; the index is the id.
    private let pieces: [Piece]
    /// Pieces such as `<s>` by id.
    let markers: [Int: String]
    /// The id of `<s>`, nil if the model has none.
    let beginning: Int?
    private let file: String
    private let handle: Handle

    /// Reads a model from its bytes; `file` is where they came from, for messages.
    init(_ bytes: [UInt8], file: String) throws(TokenizerError) {
        guard !bytes.isEmpty else {
            throw TokenizerError(.damaged, "the file is empty; copy or download it again", file: file)
        }
        let handle = try Handle(bytes, file: file)
        let count = Int(csp_piece_count(handle.processor))
        var pieces: [Piece] = []
        var markers: [Int: String] = [:]
        pieces.reserveCapacity(count)
        for id in 0..<count {
            var text: UnsafePointer<CChar>?
            var length = 0
            var kind: Int32 = 0
            guard csp_piece(handle.processor, Int32(id), &text, &length, &kind) == 0, let text else {
                throw TokenizerError(
                    .damaged, "piece \(id) cannot be read; copy or download the file again", file: file)
            }
            let bytes = UnsafeRawBufferPointer(start: text, count: length)
            let piece = String(decoding: bytes, as: UTF8.self)
            if [CSP_UNKNOWN.rawValue, CSP_CONTROL.rawValue].contains(UInt32(kind)) { markers[id] = piece }
            pieces.append(Piece(piece, isByte: UInt32(kind) == CSP_BYTE.rawValue))
        }
        guard count > 0 else {
            throw TokenizerError(.damaged, "the file holds no pieces; copy or download it again", file: file)
        }
        self.pieces = pieces
        self.markers = markers
        self.file = file
        self.handle = handle
        let bos = Int(csp_bos(handle.processor))
        beginning = pieces.indices.contains(bos) ? bos : nil
    }

    var count: Int { pieces.count }

    /// Hugging Face's form of such a file drops the space that it puts in front.
    var decoding: Decoding { .byteRuns(dropping: 1) }

    /// The library puts its space in front while it encodes.
    func normalized(_ text: String) -> String { text }

    func piece(_ id: Int) -> Piece { pieces[id] }

    func piece(added text: String) -> Piece { .text(Array(text.utf8)) }

    func id(of piece: String) -> Int? { markers.first { $0.value == piece }?.key }

    /// The text of a piece; empty for a byte.
    func text(of id: Int) -> String {
        if case .text(let bytes) = pieces[id] { String(decoding: bytes, as: UTF8.self) } else { "" }
    }

    /// The ids of one stretch of text that holds no added token. A space is put in front, as the model was trained.
    func encode(_ text: String, isFirst: Bool) throws(TokenizerError) -> [Int] {
        var text = text
        var ids: UnsafeMutablePointer<Int32>?
        var count = 0
        var reason = csp_reason()
        let status = text.withUTF8 { utf8 in
            utf8.withMemoryRebound(to: CChar.self) {
                csp_encode(handle.processor, $0.baseAddress, $0.count, &ids, &count, &reason)
            }
        }
        defer { csp_release_ids(ids) }
        guard status == 0 else {
            throw TokenizerError(
                .encodingFailed, "a text cannot be encoded (\(words(of: reason))); check its length", file: file)
        }
        return UnsafeBufferPointer(start: ids, count: count).map(Int.init)
    }
}

extension Piece {
    /// A piece as the file writes it: `<0x0A>` for a byte, U+2581 for a space.
    fileprivate init(_ text: String, isByte: Bool) {
        if isByte, let byte = UInt8(text.dropFirst(3).dropLast(), radix: 16) {
            self = .byte(byte)
        } else {
            self = .text(Array(text.replacingScalars("\u{2581}", with: " ").utf8))
        }
    }
}

/// Owns the library's object. The library changes nothing in it after loading, so that threads may share it.
private final class Handle: @unchecked Sendable {
    let processor: OpaquePointer

    init(_ bytes: [UInt8], file: String) throws(TokenizerError) {
        var made: OpaquePointer?
        var reason = csp_reason()
        let status = bytes.withUnsafeBytes { csp_make($0.baseAddress, $0.count, &made, &reason) }
        guard status == 0, let made else {
            let why = words(of: reason)
            throw TokenizerError(
                .damaged,
                "this is not a SentencePiece model\(why.isEmpty ? "" : " (\(why))"); copy or download it again",
                file: file)
        }
        processor = made
    }

    deinit { csp_release(processor) }
}

private func words(of reason: csp_reason) -> String {
    withUnsafeBytes(of: reason.text) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
}
