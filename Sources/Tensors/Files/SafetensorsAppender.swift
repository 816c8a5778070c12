import FoundationEssentials
import Glibc

/// Writes a safetensors file whose tensors are not known beforehand: each is written as it comes, the header last, into
/// room that was left for it.
public struct SafetensorsAppender: ~Copyable {
    private let path: String
    private var descriptor: Int32
    private var entries: [String]
    private var end: Int
    private let room: Int

    /// Creates the file, which must not exist, with `room` bytes for its header; throws `cannotOpen` or `cannotWrite`.
    public init(path: String, room: Int = 1 << 20) throws(TensorError) {
        let opened = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
        guard opened >= 0 else {
            throw TensorError(.cannotOpen, "\(systemError()); check that its folder exists and is writable", at: path)
        }
        guard lseek(opened, off_t(room), SEEK_SET) == off_t(room) else {
            let failure = cannotWrite(path)
            close(opened)
            throw failure
        }
        self.path = path
        self.room = room
        (entries, end) = ([], 0)
        descriptor = opened
    }

    /// Writes a tensor as it is.
    public mutating func append(_ name: String, _ tensor: Tensor) throws(TensorError) {
        let descriptor = descriptor
        guard tensor.withUnsafeBytes({ put($0, to: descriptor) }) else { throw cannotWrite(path) }
        declare(name, tensor.type.safetensorsName, tensor.shape, tensor.byteCount)
    }

    /// Writes packed weights as bytes.
    public mutating func append(_ name: String, _ weights: PackedWeights) throws(TensorError) {
        let descriptor = descriptor
        guard weights.withUnsafeBytes({ put($0, to: descriptor) }) else { throw cannotWrite(path) }
        declare(name, "U8", [weights.byteCount], weights.byteCount)
    }

    private mutating func declare(_ name: String, _ dtype: String, _ shape: [Int], _ bytes: Int) {
        let extents = shape.map(String.init).joined(separator: ",")
        entries.append(
            """
            \(quotedJSON(name)):{"dtype":"\(dtype)","shape":[\(extents)],"data_offsets":[\(end),\(end + bytes)]}
            """)
        end += bytes
    }

    /// Writes the header, syncs the file and closes it.
    public consuming func finish(metadata: [String: String]) throws(TensorError) {
        let pairs = metadata.sorted { $0.key < $1.key }.map { "\(quotedJSON($0.key)):\(quotedJSON($0.value))" }
        let all = ["\"__metadata__\":{\(pairs.joined(separator: ","))}"] + entries
        var json = Array("{\(all.joined(separator: ","))}".utf8)
        guard json.count <= room - 8 else {
            throw TensorError(
                .cannotWrite, "a header of \(json.count) bytes does not fit the \(room) left for it", at: path)
        }
        json.append(contentsOf: repeatElement(UInt8(ascii: " "), count: room - 8 - json.count))
        let descriptor = descriptor
        let isWritten =
            lseek(descriptor, 0, SEEK_SET) == 0
            && withUnsafeBytes(of: UInt64(json.count).littleEndian) { put($0, to: descriptor) }
            && json.withUnsafeBytes { put($0, to: descriptor) } && fsync(descriptor) == 0
        let isClosed = close(descriptor) == 0
        self.descriptor = -1
        guard isWritten, isClosed else { throw cannotWrite(path) }
    }

    deinit { if descriptor >= 0 { close(descriptor) } }
}
