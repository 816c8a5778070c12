import Foundation

/// Byte-pair encoding of words: which two neighbouring tokens become one, the most frequent pair of the training text
/// first (Sennrich, Haddow and Birch 2016).
struct BytePairMerges: Sendable {
    private struct Pair: Hashable {
        let left: Int
        let right: Int
    }

    private struct Merge {
        let rank: Int
        let id: Int
    }

    private let merges: [Pair: Merge]
    /// The token of each byte inside a word, and of a byte that ends one.
    private let inner: [Int]
    private let last: [Int]

    /// CLIP's vocabulary is 512 bytes, so many merges, and two markers; transformers reads no more lines than that.
    private static let most = 49152 - 256 - 2

    /// The merges in the lines of `data`, the first of which is a heading, in tokens of `vocabulary`.
    init(_ data: Data, vocabulary: [String: Int], unknown: Int, file: String) throws(TokenizerError) {
        var merges: [Pair: Merge] = [:]
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
            let pair = Pair(left: left, right: right)
            if merges[pair] == nil { merges[pair] = Merge(rank: rank, id: id) }
        }
        self.merges = merges
        inner = Self.letters.map { vocabulary[$0] ?? unknown }
        last = Self.letters.map { vocabulary[$0 + "</w>"] ?? unknown }
    }

    /// The tokens of a word.
    func encode(_ word: [UInt8]) -> [Int] {
        guard let end = word.last else { return [] }
        var tokens = word.dropLast().map { inner[Int($0)] } + [last[Int(end)]]
        while let (pair, merge) = first(in: tokens) {
            var merged: [Int] = []
            merged.reserveCapacity(tokens.count)
            var place = 0
            while place < tokens.count {
                if place + 1 < tokens.count, tokens[place] == pair.left, tokens[place + 1] == pair.right {
                    merged.append(merge.id)
                    place += 2
                } else {
                    merged.append(tokens[place])
                    place += 1
                }
            }
            tokens = merged
        }
        return tokens
    }

    /// The pair of neighbours that is merged before all others.
    private func first(in tokens: [Int]) -> (Pair, Merge)? {
        var best: (Pair, Merge)?
        for (left, right) in zip(tokens, tokens.dropFirst()) {
            let pair = Pair(left: left, right: right)
            if let merge = merges[pair], merge.rank < best?.1.rank ?? .max { best = (pair, merge) }
        }
        return best
    }

    /// How the files write each byte: as itself where it prints in Latin-1, the others in their order from U+0100 on.
    private static let letters: [String] = {
        let printing: [ClosedRange<UInt32>] = [33...126, 161...172, 174...255]
        var next: UInt32 = 256
        return (UInt32(0)..<256).compactMap { (byte: UInt32) -> String? in
            var code = byte
            if !printing.contains(where: { $0.contains(byte) }) {
                code = next
                next += 1
            }
            return Unicode.Scalar(code).map { String($0) }
        }
    }()
}
