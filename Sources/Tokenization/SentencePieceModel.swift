private import CSentencePiece

/// The pieces of a `tokenizer.model` and the library that cuts text into them.
///
/// libsentencepiece is used for encoding only; what a piece means when decoding is kept here.
final class SentencePieceModel: Sendable {
    /// What an id stands for.
    enum Piece: Equatable, Sendable {
        /// Text; SentencePiece's U+2581 is a space here already.
        case text(String)
        /// One byte of a character that has no piece of its own.
        case byte(UInt8)
        /// A marker such as `<s>`.
        case marker(String)
    }

    /// All pieces; the index is the id.
    let pieces: [Piece]
    /// The id of `<s>`, nil where the model has none.
    let beginning: Int?
    /// The id of `</s>`, nil where the model has none.
    let end: Int?
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
            pieces.append(Piece(String(decoding: bytes, as: UTF8.self), kind: kind))
        }
        guard count > 0 else {
            throw TokenizerError(.damaged, "the file holds no pieces; copy or download it again", file: file)
        }
        self.pieces = pieces
        self.file = file
        self.handle = handle
        let bos = Int(csp_bos(handle.processor)), eos = Int(csp_eos(handle.processor))
        beginning = pieces.indices.contains(bos) ? bos : nil
        end = pieces.indices.contains(eos) ? eos : nil
    }

    /// The ids of one stretch of text that holds no added token. A space is put in front, as the model was trained.
    func encode(_ text: String) throws(TokenizerError) -> [Int] {
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

extension SentencePieceModel.Piece {
    fileprivate init(_ text: String, kind: Int32) {
        switch UInt32(kind) {
        case CSP_UNKNOWN.rawValue, CSP_CONTROL.rawValue: self = .marker(text)
        case CSP_BYTE.rawValue:
            // <0x0A>
            let digits = text.dropFirst(3).dropLast()
            self = UInt8(digits, radix: 16).map(Self.byte) ?? .text(text)
        default:
            self = .text(String(String.UnicodeScalarView(text.unicodeScalars.map { $0 == "\u{2581}" ? " " : $0 })))
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
