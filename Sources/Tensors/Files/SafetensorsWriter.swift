import FoundationEssentials
import Glibc

/// Writes a safetensors file tensor by tensor: a 5 GB shard needs memory for its largest tensor only.
///
/// Declare every tensor first, append them in that order, then `finish()`. A file that was not finished is too short
/// for its header, which its reader notices.
public struct SafetensorsWriter: ~Copyable {
    /// A tensor that is going to be written.
    public struct Declaration: Sendable {
        let name: String
        let shape: [Int]
        let type: ElementType

        /// A tensor of `shape` stored as `type`.
        public init(_ name: String, shape: [Int], type: ElementType) {
            self.name = name
            self.shape = shape
            self.type = type
        }
    }

    private let path: String
    private var descriptor: Int32
    private var waiting: ArraySlice<Declaration>

    /// Creates the file, or replaces it, and writes its header; throws `cannotOpen`.
    public init(path: String, declaring tensors: [Declaration]) throws(TensorError) {
        let header = Self.header(tensors)
        let opened = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard opened >= 0 else {
            throw TensorError(.cannotOpen, "\(systemError()); check that its folder exists and is writable", at: path)
        }
        guard withUnsafeBytes(of: UInt64(header.count).littleEndian, { put($0, to: opened) }),
            header.withUnsafeBytes({ put($0, to: opened) })
        else {
            let failure = cannotWrite(path)
            close(opened)
            throw failure
        }
        self.path = path
        descriptor = opened
        waiting = tensors[...]
    }

    /// Writes the next declared tensor; throws `cannotWrite`, on a full disk for instance.
    public mutating func append(_ tensor: Tensor) throws(TensorError) {
        guard let next = waiting.popFirst() else { preconditionFailure("every declared tensor has been written") }
        precondition(
            tensor.shape == next.shape && tensor.type == next.type,
            "\(next.name) was declared as \(next.type) \(next.shape), not \(tensor.type) \(tensor.shape)")
        let descriptor = descriptor
        guard tensor.withUnsafeBytes({ put($0, to: descriptor) }) else { throw cannotWrite(path) }
    }

    /// Closes the file after the last tensor.
    public consuming func finish() throws(TensorError) {
        precondition(waiting.isEmpty, "\(waiting.count) declared tensors have not been written")
        let closed = close(descriptor)
        descriptor = -1
        if closed != 0 { throw cannotWrite(path) }
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// Writes a whole file at once.
    public static func write(_ tensors: [(name: String, tensor: Tensor)], to path: String) throws(TensorError) {
        var writer = try SafetensorsWriter(
            path: path,
            declaring: tensors.map { Declaration($0.name, shape: $0.tensor.shape, type: $0.tensor.type) })
        for (_, tensor) in tensors { try writer.append(tensor) }
        try writer.finish()
    }

    /// The JSON, padded with spaces so that the numbers start at a multiple of 8.
    private static func header(_ tensors: [Declaration]) -> [UInt8] {
        var end = 0
        let entries = tensors.map { tensor in
            let start = end
            end += tensor.shape.reduce(1, *) * tensor.type.size
            let shape = tensor.shape.map(String.init).joined(separator: ",")
            return """
                \(quotedJSON(tensor.name)):{"dtype":"\(tensor.type.safetensorsName)","shape":[\(shape)],\
                "data_offsets":[\(start),\(end)]}
                """
        }
        var json = Array("{\(entries.joined(separator: ","))}".utf8)
        json.append(contentsOf: repeatElement(UInt8(ascii: " "), count: (8 - json.count % 8) % 8))
        return json
    }
}

/// A string as JSON writes it.
func quotedJSON(_ text: String) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .withoutEscapingSlashes
    guard let json = try? encoder.encode(text) else { preconditionFailure("a string is always JSON") }
    return String(decoding: json, as: UTF8.self)
}

/// Writes all of `bytes`; false if the system refuses.
func put(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) -> Bool {
    var rest = bytes[...]
    while !rest.isEmpty {
        // One call takes at most about 2 GB.
        let written = write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
        if written < 0 && errno == EINTR { continue }
        guard written > 0 else { return false }
        rest = rest.dropFirst(written)
    }
    return true
}

func cannotWrite(_ path: String) -> TensorError {
    TensorError(.cannotWrite, "cannot be written: \(systemError()); is the disk full?", at: path)
}
