public import Foundation

/// A question to the ids that CLIP's text tower reads, exactly as Hugging Face's `CLIPTokenizerFast` does it.
///
/// The rule: bring the text into form NFC, make every run of white space one space, lower the case; cut it at the two
/// markers; cut the rest into words, see ``CLIPWords``; write each word as bytes of which the last one carries `</w>`,
/// and merge neighbours in the order of `merges.txt` (Sennrich, Haddow and Birch 2016). `<|startoftext|>` goes before the
/// whole and `<|endoftext|>` behind it. The slow `CLIPTokenizer` differs: it repairs text with ftfy where that is
/// installed.
///
/// A tokenizer never changes, so that threads may share it.
public struct CLIPTokenizer: Sendable {
    /// The id of `<|startoftext|>`.
    public let beginning: Int
    /// The id of `<|endoftext|>`, which also stands for bytes that the vocabulary lacks.
    public let end: Int
    /// Rows that an embedding of all ids has.
    public let vocabularySize: Int

    private let markers: TextSegments
    private let merges: CLIPMerges

    /// The files that a folder must hold.
    public static let files = ["vocab.json", "merges.txt"]

    /// Reads `vocab.json` and `merges.txt` of a CLIP checkpoint's folder.
    public init(directory: URL) throws(TokenizerError) {
        let vocabularyFile = directory.appendingPathComponent(Self.files[0])
        let mergesFile = directory.appendingPathComponent(Self.files[1])
        let vocabulary = try Self.vocabulary(vocabularyFile)
        func marker(_ text: String) throws(TokenizerError) -> Int {
            guard let id = vocabulary[text] else {
                throw TokenizerError(
                    .unsupported, "there is no \(text); this is not the vocabulary of CLIP", file: vocabularyFile.path)
            }
            return id
        }
        beginning = try marker("<|startoftext|>")
        end = try marker("<|endoftext|>")
        vocabularySize = (vocabulary.values.max() ?? 0) + 1
        markers = TextSegments(["<|startoftext|>": beginning, "<|endoftext|>": end])
        merges = try CLIPMerges(
            Self.read(mergesFile), vocabulary: vocabulary, unknown: end, file: mergesFile.path)
    }

    /// The ids of a text between the two markers, however many they are.
    public func encode(_ text: String) -> [Int] {
        var ids = [beginning]
        for segment in markers.split(Self.normalized(text)) {
            switch segment {
            case .token(let id): ids.append(id)
            case .text(let text): for word in CLIPWords(text) { ids += merges.encode(word) }
            }
        }
        return ids + [end]
    }

    /// The ids of a text in pieces of `length` for a tower with that many positions; the last piece may be shorter.
    ///
    /// Only the first piece starts with the one marker, and only the last ends with the other.
    public func encode(_ text: String, inPiecesOf length: Int) -> [[Int]] {
        let ids = encode(text)
        return stride(from: 0, to: ids.count, by: length).map { Array(ids[$0..<min($0 + length, ids.count)]) }
    }

    /// NFC, white space as single spaces, lower case; character by character, so that a final sigma is an ordinary one.
    private static func normalized(_ text: String) -> String {
        var result = "", afterSpace = false
        for scalar in text.precomposedStringWithCanonicalMapping.unicodeScalars {
            let isSpace = scalar.properties.isWhitespace
            if !isSpace {
                result += scalar.properties.lowercaseMapping
            } else if !afterSpace {
                result += " "
            }
            afterSpace = isSpace
        }
        return result
    }

    private static func vocabulary(_ file: URL) throws(TokenizerError) -> [String: Int] {
        let data = try read(file)
        let vocabulary: [String: Int]
        do {
            vocabulary = try JSONDecoder().decode([String: Int].self, from: data)
        } catch {
            throw TokenizerError(.damaged, "is not a list of tokens with their ids; download it again", file: file.path)
        }
        guard vocabulary.values.allSatisfy({ (0..<10_000_000).contains($0) }) else {
            throw TokenizerError(.damaged, "has ids that are not possible; download it again", file: file.path)
        }
        return vocabulary
    }

    private static func read(_ file: URL) throws(TokenizerError) -> Data {
        do {
            return try Data(contentsOf: file)
        } catch {
            throw TokenizerError(
                .unreadable,
                "cannot be read (\(error.localizedDescription)); CLIP's text tower needs its vocab.json and merges.txt",
                file: file.path)
        }
    }
}
