import Foundation

/// A ZIP archive without compression (APPNOTE 6.3.10), the container of a spreadsheet.
struct StoredArchive {
    private var body = Data()
    private var directory = Data()
    private var count: UInt16 = 0

    /// Adds a file; its path has forward slashes.
    mutating func add(_ path: String, _ contents: Data) {
        let name = Data(path.utf8), offset = UInt32(body.count)
        var header = Data()
        // Version 2.0, names in UTF-8, stored, 1 January 1980.
        for number: UInt16 in [20, 0x0800, 0, 0, 0x0021] { header.append(littleEndian: number) }
        header.append(littleEndian: Self.checksum(contents))
        header.append(littleEndian: UInt32(contents.count))
        header.append(littleEndian: UInt32(contents.count))
        header.append(littleEndian: UInt16(name.count))
        header.append(littleEndian: UInt16(0))
        body += Data([0x50, 0x4B, 0x03, 0x04]) + header + name + contents
        directory += Data([0x50, 0x4B, 0x01, 0x02, 20, 0]) + header
        for number: UInt16 in [0, 0, 0] { directory.append(littleEndian: number) }
        directory.append(littleEndian: UInt32(0))
        directory.append(littleEndian: offset)
        directory += name
        count += 1
    }

    /// The archive.
    func file() -> Data {
        var end = Data([0x50, 0x4B, 0x05, 0x06])
        for number: UInt16 in [0, 0, count, count] { end.append(littleEndian: number) }
        end.append(littleEndian: UInt32(directory.count))
        end.append(littleEndian: UInt32(body.count))
        end.append(littleEndian: UInt16(0))
        return body + directory + end
    }

    /// CRC-32 as ZIP counts it: polynomial 0xEDB88320, reflected.
    private static func checksum(_ data: Data) -> UInt32 {
        ~data.reduce(~0) { crc, byte in table[Int((crc ^ UInt32(byte)) & 0xFF)] ^ (crc >> 8) }
    }

    private static let table: [UInt32] = (0..<256).map { number in
        (0..<8).reduce(UInt32(number)) { value, _ in value & 1 == 1 ? 0xEDB8_8320 ^ (value >> 1) : value >> 1 }
    }
}

extension Data {
    fileprivate mutating func append(littleEndian number: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: number.littleEndian) { append(contentsOf: $0) }
    }
}
