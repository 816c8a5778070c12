internal import SwiftProtobuf

/// A report as a file: a checksum, so that one that was not written to its end is found out, and the message.
extension WireShardReport {
    /// The bytes to keep.
    public func kept() throws -> [UInt8] {
        let body: [UInt8] = try serializedBytes()
        return Self.checksum(body[...]) + body
    }

    /// A report that was kept; nil if the bytes are not all of one.
    public init?(kept bytes: [UInt8]) {
        let body = bytes.dropFirst(8)
        guard Array(bytes.prefix(8)) == Self.checksum(body),
            let report = try? WireShardReport(serializedBytes: Array(body))
        else { return nil }
        self = report
    }

    /// FNV-1a, little-endian.
    private static func checksum(_ body: ArraySlice<UInt8>) -> [UInt8] {
        let sum = body.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
        return (0..<8).map { UInt8(truncatingIfNeeded: sum >> (8 * $0)) }
    }
}
