/// The records of a zip archive that are stored as they are, found through its central directory (PKWARE's APPNOTE 6.3.10).
///
/// That is the form in which PyTorch saves: nothing is compressed, and archives beyond 4 GiB have ZIP64 records.
struct StoredArchive {
    /// Where each record's bytes lie in the file.
    let records: [String: Range<Int>]

    /// Whether bytes begin as an archive does.
    static func isArchive(_ bytes: UnsafeRawBufferPointer) -> Bool { bytes.starts(with: [0x50, 0x4B, 0x03, 0x04]) }

    /// Reads the directory of a file; throws `malformedFile` for what is cut, overlaps, is named twice, compressed or encrypted.
    init(_ file: MappedFile) throws(TensorError) {
        let reader = ByteReader(file.bytes)
        func broken(_ why: String) -> TensorError {
            TensorError(.malformedFile, "not a whole archive: \(why.brief); download it again", at: file.path)
        }
        guard let directory = Self.directory(reader) else { throw broken("its directory is missing") }
        guard directory.start >= 0, directory.bytes >= 0, directory.start <= reader.count - directory.bytes else {
            throw broken("its directory lies beyond its end")
        }
        var records: [String: Range<Int>] = [:], taken: [Range<Int>] = []
        var at = directory.start
        let end = directory.start + directory.bytes
        while at < end {
            guard let entry = Entry(reader, at: at, before: end) else { throw broken("its directory is damaged") }
            at = entry.next
            guard entry.isStored else {
                throw TensorError(
                    .malformedFile,
                    "record \"\(entry.name.brief)\" is compressed or encrypted, which PyTorch never does; is this a checkpoint?",
                    at: file.path)
            }
            guard let bytes = entry.bytes(reader), bytes.upperBound <= directory.start else {
                throw broken("record \"\(entry.name)\" lies beyond its end")
            }
            guard records.updateValue(bytes, forKey: entry.name) == nil else {
                throw broken("record \"\(entry.name)\" is there twice")
            }
            taken.append(entry.start..<bytes.upperBound)
        }
        taken.sort { $0.lowerBound < $1.lowerBound }
        for (one, next) in zip(taken, taken.dropFirst()) where one.upperBound > next.lowerBound {
            throw broken("two records overlap")
        }
        self.records = records
    }

    /// Where the central directory is, by the record at the end of the archive, or the ZIP64 one ahead of it.
    private static func directory(_ reader: ByteReader) -> (start: Int, bytes: Int)? {
        let shortest = 22, longestComment = 0xFFFF
        guard reader.count >= shortest else { return nil }
        let first = max(0, reader.count - shortest - longestComment)
        for at in stride(from: reader.count - shortest, through: first, by: -1) {
            guard reader.u32(at) == 0x0605_4B50, let comment = reader.u16(at + 20),
                at + shortest + comment == reader.count
            else { continue }
            if reader.u32(at - 20) == 0x0706_4B50, let place = reader.u64(at - 12), reader.u32(place) == 0x0606_4B50 {
                guard let bytes = reader.u64(place + 40), let start = reader.u64(place + 48) else { return nil }
                return (start, bytes)
            }
            guard let bytes = reader.u32(at + 12), let start = reader.u32(at + 16) else { return nil }
            return (start, bytes)
        }
        return nil
    }

    /// One entry of the central directory.
    private struct Entry {
        let name: String
        let isStored: Bool
        /// Where the record's own header begins.
        let start: Int
        /// Where the next entry begins.
        let next: Int
        private let size: Int

        init?(_ reader: ByteReader, at: Int, before end: Int) {
            guard reader.u32(at) == 0x0201_4B50, let flags = reader.u16(at + 8), let method = reader.u16(at + 10),
                var packed = reader.u32(at + 20), var size = reader.u32(at + 24), let nameBytes = reader.u16(at + 28),
                let extraBytes = reader.u16(at + 30), let commentBytes = reader.u16(at + 32),
                var start = reader.u32(at + 42), let name = reader.text(at + 46, nameBytes)
            else { return nil }
            // Numbers that do not fit stand in the extra field of ZIP64, in this order, and only those.
            var extra = at + 46 + nameBytes
            let extraEnd = extra + extraBytes
            while extra + 4 <= extraEnd, let id = reader.u16(extra), let bytes = reader.u16(extra + 2) {
                var place = extra + 4
                extra = place + bytes
                guard id == 1, extra <= extraEnd else { continue }
                func wide(_ number: inout Int) -> Bool {
                    guard number == 0xFFFF_FFFF else { return true }
                    guard place + 8 <= extra, let value = reader.u64(place) else { return false }
                    number = value
                    place += 8
                    return true
                }
                guard wide(&size), wide(&packed), wide(&start) else { return nil }
            }
            next = extraEnd + commentBytes
            guard next <= end else { return nil }
            self.name = name
            self.start = start
            self.size = size
            isStored = method == 0 && flags & 1 == 0 && packed == size
        }

        /// The record's bytes, behind its own header, whose name and extra field may have other lengths than the directory's.
        func bytes(_ reader: ByteReader) -> Range<Int>? {
            guard reader.u32(start) == 0x0403_4B50, let name = reader.u16(start + 26),
                let extra = reader.u16(start + 28)
            else { return nil }
            let first = start + 30 + name + extra
            guard size <= reader.count, first <= reader.count - size else { return nil }
            return first..<first + size
        }
    }
}

/// Little-endian numbers at places of a buffer; nil beyond its ends.
struct ByteReader {
    private let bytes: UnsafeRawBufferPointer

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    var count: Int { bytes.count }

    func u8(_ at: Int) -> Int? { number(at, as: UInt8.self) }
    func u16(_ at: Int) -> Int? { number(at, as: UInt16.self) }
    func u32(_ at: Int) -> Int? { number(at, as: UInt32.self) }
    func u64(_ at: Int) -> Int? { number(at, as: UInt64.self) }
    func i32(_ at: Int) -> Int? { number(at, as: Int32.self) }

    /// Bytes as UTF-8 text.
    func text(_ at: Int, _ count: Int) -> String? {
        guard holds(at, count) else { return nil }
        return String(validating: bytes[at..<at + count], as: UTF8.self)
    }

    private func holds(_ at: Int, _ count: Int) -> Bool { at >= 0 && count >= 0 && at <= bytes.count - count }

    private func number<Number: FixedWidthInteger & BitwiseCopyable>(_ at: Int, as _: Number.Type) -> Int? {
        guard holds(at, MemoryLayout<Number>.size) else { return nil }
        return Int(exactly: Number(littleEndian: bytes.loadUnaligned(fromByteOffset: at, as: Number.self)))
    }
}
