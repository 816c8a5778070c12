import Foundation

/// The words of CLIP as tokens: the bytes of a word, the last of which carries `</w>`, merged in the order of `merges.txt`.
struct CLIPMerges: Sendable {
    private var merges = PairMerges()
    /// The token of each byte inside a word, and of a byte that ends one.
    private let inner: [Int32]
    private let last: [Int32]

    /// CLIP's vocabulary is 512 bytes, so many merges, and two markers; transformers reads no more lines than that.
    private static let most = 49152 - 256 - 2

    /// The merges in the lines of `data`, the first of which is a heading, in tokens of `vocabulary`.
    init(_ data: Data, vocabulary: [String: Int], unknown: Int, file: String) throws(TokenizerError) {
        for (rank, line) in data.split(separator: UInt8(ascii: "\n")).dropFirst().prefix(Self.most).enumerated() {
            let parts = line.split { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\r") }
            guard !parts.isEmpty else { continue }
            let texts = parts.map { String(decoding: $0, as: UTF8.self) }
            guard texts.count == 2, let left = vocabulary[texts[0]], let right = vocabulary[texts[1]],
                let id = vocabulary[texts[0] + texts[1]]
            else {
                throw TokenizerError(
                    .damaged,
                    "line \(rank + 2) does not merge two tokens of vocab.json to a third; take both files from one "
                        + "checkpoint", file: file)
            }
            merges.append(left, right, to: id)
        }
        inner = ByteLetters.letters.map { Int32(vocabulary[String($0)] ?? unknown) }
        last = ByteLetters.letters.map { Int32(vocabulary["\($0)</w>"] ?? unknown) }
    }

    /// The tokens of a word.
    func encode(_ word: [UInt8]) -> [Int] {
        guard let end = word.last else { return [] }
        return merges.merge(word.dropLast().map { inner[Int($0)] } + [last[Int(end)]])
    }
}
