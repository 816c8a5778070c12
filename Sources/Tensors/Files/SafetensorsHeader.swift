import FoundationEssentials

/// The table of contents of a safetensors file: what each tensor is called and where its bytes are.
///
/// A file is an 8-byte little-endian length, that many bytes of JSON, then the numbers. The entries must cover the
/// numbers exactly, without holes or overlaps, as the format demands.
struct SafetensorsHeader: Sendable {
    /// One tensor of the file.
    struct Entry: Sendable {
        let name: String
        /// As written in the file: "F16", "I64", …
        let dtype: String
        let shape: [Int]
        /// Bytes, counted from the start of the file.
        let bytes: Range<Int>
    }

    /// The file's tensors in the order of their bytes.
    let entries: [Entry]
    /// What the writer of the file says of it.
    let metadata: [String: String]

    /// The format's own bound, so that a damaged length does not make us read a whole checkpoint as JSON.
    static let longest = 100_000_000
    /// Checkpoints of this kind have at most four dimensions.
    static let mostDimensions = 8

    /// Parses and checks the header of the mapped `file`.
    init(_ file: MappedFile) throws(TensorError) {
        let path = file.path
        func malformed(_ what: String) -> TensorError {
            TensorError(
                .malformedFile, "\(what); the file is damaged or no safetensors file: download it again", at: path)
        }
        guard file.byteCount >= 8 else { throw malformed("\(file.byteCount) bytes cannot hold a safetensors header") }
        let length = UInt64(littleEndian: file.bytes.loadUnaligned(as: UInt64.self))
        guard length <= Self.longest else { throw malformed("a header of \(length) bytes exceeds the 100 MB allowed") }
        let start = 8 + Int(length)
        guard start <= file.byteCount else {
            throw malformed("a header of \(length) bytes does not fit in a file of \(file.byteCount) bytes")
        }
        let json = UnsafeRawBufferPointer(rebasing: file.bytes[8..<start])
        // A NUL byte would let the decoder guess UTF-16.
        guard json.first == UInt8(ascii: "{"), !json.contains(0) else { throw malformed("the header is not JSON") }
        let raw: RawHeader
        do {
            raw = try JSONDecoder().decode(RawHeader.self, from: Data(json))
        } catch {
            throw malformed("the header cannot be read: \(explanation(error))")
        }
        let keys = Self.topLevelStrings(json)
        guard keys.count == raw.keyCount else {
            var seen = Set<String>()
            let twice = keys.first { !seen.insert($0).inserted }
            throw malformed("the header names \(twice.map { "tensor \"\($0)\"" } ?? "a tensor") twice")
        }
        var entries: [Entry] = []
        entries.reserveCapacity(raw.entries.count)
        for (name, entry) in raw.entries {
            do throws(Flaw) {
                entries.append(try entry.checked(name: name, start: start, room: file.byteCount - start))
            } catch {
                throw malformed("tensor \"\(name)\" \(error.what)")
            }
        }
        entries.sort { ($0.bytes.lowerBound, $0.bytes.upperBound) < ($1.bytes.lowerBound, $1.bytes.upperBound) }
        var covered = start
        for entry in entries {
            guard entry.bytes.lowerBound >= covered else {
                throw malformed("tensor \"\(entry.name)\" overlaps the tensor before it")
            }
            guard entry.bytes.lowerBound == covered else {
                throw malformed(
                    "\(entry.bytes.lowerBound - covered) bytes before \"\(entry.name)\" belong to no tensor")
            }
            covered = entry.bytes.upperBound
        }
        guard covered == file.byteCount else {
            throw malformed("\(file.byteCount - covered) bytes at the end belong to no tensor")
        }
        self.entries = entries
        metadata = raw.metadata
    }

    /// The strings directly inside the outermost object of valid JSON, as written: its keys, where all its values are
    /// objects. Dictionaries keep one of two equal keys silently; this is how we notice.
    private static func topLevelStrings(_ json: UnsafeRawBufferPointer) -> [String] {
        var result: [String] = []
        var depth = 0, index = 0
        while index < json.count {
            switch json[index] {
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
            case UInt8(ascii: "\""):
                let first = index + 1
                index = first
                while index < json.count, json[index] != UInt8(ascii: "\"") {
                    index += json[index] == UInt8(ascii: "\\") ? 2 : 1
                }
                if depth == 1 { result.append(String(decoding: json[first..<min(index, json.count)], as: UTF8.self)) }
            default: break
            }
            index += 1
        }
        return result
    }
}

/// What is wrong with one entry.
private struct Flaw: Error {
    let what: String
}

/// The header as decoded from JSON.
private struct RawHeader: Decodable {
    var entries: [(String, RawEntry)] = []
    var metadata: [String: String] = [:]
    let keyCount: Int

    private struct Name: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }
        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Name.self)
        keyCount = container.allKeys.count
        for key in container.allKeys {
            if key.stringValue == "__metadata__" {
                metadata = try container.decode([String: String].self, forKey: key)
            } else {
                entries.append((key.stringValue, try container.decode(RawEntry.self, forKey: key)))
            }
        }
    }
}

private struct RawEntry: Decodable {
    let dtype: String
    let shape: [Int]
    let offsets: [Int]

    private enum CodingKeys: String, CodingKey {
        case dtype, shape
        case offsets = "data_offsets"
    }

    /// This entry with offsets counted from the start of the file, if everything about it is possible.
    func checked(name: String, start: Int, room: Int) throws(Flaw) -> SafetensorsHeader.Entry {
        guard shape.count <= SafetensorsHeader.mostDimensions else {
            throw Flaw(what: "has \(shape.count) dimensions; at most \(SafetensorsHeader.mostDimensions) are allowed")
        }
        guard shape.allSatisfy({ $0 >= 0 }) else { throw Flaw(what: "has a negative extent: \(shape)") }
        guard offsets.count == 2 else { throw Flaw(what: "has \(offsets.count) data offsets instead of 2") }
        guard offsets[0] >= 0, offsets[0] <= offsets[1], offsets[1] <= room else {
            throw Flaw(what: "lies at bytes \(offsets[0])..<\(offsets[1]) of \(room) bytes of data")
        }
        // Even beside a zero the other extents must multiply: rows and widths are computed from parts of a shape.
        var extent = 16
        for dimension in shape where dimension > 0 {
            let (product, overflow) = extent.multipliedReportingOverflow(by: dimension)
            guard !overflow else { throw Flaw(what: "has an impossible shape: \(shape)") }
            extent = product
        }
        if let type = ElementType(safetensors: dtype) {
            let expected = shape.reduce(1, *) * type.size
            guard expected == offsets[1] - offsets[0] else {
                throw Flaw(what: "has \(offsets[1] - offsets[0]) bytes where \(dtype) \(shape) needs \(expected)")
            }
        }
        return SafetensorsHeader.Entry(
            name: name, dtype: dtype, shape: shape, bytes: start + offsets[0]..<start + offsets[1])
    }
}

extension ElementType {
    /// The type that safetensors writes so; nil for those no weight here is stored in, such as I64.
    init?(safetensors name: String) {
        switch name {
        case "F64": self = .float64
        case "F32": self = .float32
        case "BF16": self = .bfloat16
        case "F16": self = .float16
        default: return nil
        }
    }

    /// The type's name in safetensors files.
    var safetensorsName: String {
        switch self {
        case .float64: "F64"
        case .float32: "F32"
        case .bfloat16: "BF16"
        case .float16: "F16"
        }
    }
}

/// What a decoder found wrong, with the place.
func explanation(_ error: any Error) -> String {
    guard let error = error as? DecodingError else { return "it is not JSON" }
    let (what, context): (String, DecodingError.Context) =
        switch error {
        case .keyNotFound(let key, let context): ("\"\(key.stringValue)\" is missing", context)
        case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
            (context.debugDescription, context)
        @unknown default: ("it is not as expected", DecodingError.Context(codingPath: [], debugDescription: ""))
        }
    let place = context.codingPath.map(\.stringValue).joined(separator: ", ")
    return place.isEmpty ? what : "\(what) (at \(place))"
}
