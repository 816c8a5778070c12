private import CHDF5
private import Glibc

extension Group {
    /// Creates a column of UTF-8 text and closes it; a zero byte, which HDF5 cannot hold, becomes U+FFFD.
    ///
    /// In a contiguous layout each text takes its own length. The library cannot checksum or pack such text, so in a
    /// chunked layout all texts are padded with zero bytes to the longest one; readers strip the padding.
    public func write(
        _ values: [String], to child: String, layout: DatasetLayout = .contiguous,
        attributes: KeyValuePairs<String, Attribute> = [:]
    ) throws(HDF5Error) {
        if layout.chunk == nil {
            try write(ofOwnLength: values, to: child, attributes: attributes)
        } else {
            try write(padded: values, to: child, layout: layout, attributes: attributes)
        }
    }

    private func write(
        ofOwnLength values: [String], to child: String, attributes: KeyValuePairs<String, Attribute>
    ) throws(HDF5Error) {
        let type = ElementType.string.identifier
        let dataset = try create(child, type: type, element: .string, shape: [values.count], layout: .contiguous)
        if !values.isEmpty {
            let id = dataset.handle.id
            let name = dataset.name
            try CStrings(values).withPointers { pointers throws(HDF5Error) in
                _ = try check("write", name) {
                    H5Dwrite(id, type, ch5_whole(), ch5_whole(), ch5_default(), pointers)
                }
            }
        }
        try dataset.close(with: attributes)
    }

    private func write(
        padded values: [String], to child: String, layout: DatasetLayout,
        attributes: KeyValuePairs<String, Attribute>
    ) throws(HDF5Error) {
        let texts = values.map { Array($0.withoutZeros.utf8) }
        let width = max(1, texts.map(\.count).max() ?? 1)
        let type = try Handle("create dataset", "\(name)/\(child)", release: H5Tclose) { ch5_make_padded_text(width) }
        let dataset = try create(child, type: type.id, element: .string, shape: [values.count], layout: layout)
        if !values.isEmpty {
            var bytes = [UInt8](repeating: 0, count: width * texts.count)
            for (index, text) in texts.enumerated() {
                bytes.replaceSubrange((index * width)..<(index * width + text.count), with: text)
            }
            try check("write", dataset.name) {
                H5Dwrite(dataset.handle.id, type.id, ch5_whole(), ch5_whole(), ch5_default(), bytes)
            }
        }
        try dataset.close(with: attributes)
    }
}

extension String {
    fileprivate var withoutZeros: String {
        utf8.contains(0) ? String(map { $0 == "\0" ? "\u{FFFD}" : $0 }) : self
    }
}

extension Dataset {
    /// All texts; invalid UTF-8 is repaired with U+FFFD.
    public func strings() throws(HDF5Error) -> [String] { try strings(in: nil) }

    /// The texts of some rows; invalid UTF-8 is repaired with U+FFFD.
    public func strings(rows: Range<Int>) throws(HDF5Error) -> [String] { try strings(in: rows) }

    private func strings(in rows: Range<Int>?) throws(HDF5Error) -> [String] {
        guard let text = type.text else {
            throw HDF5Error(code: .typeMismatch, message: "\(name) holds \(elementType) where text is expected")
        }
        let selection = try Selection(of: self, rows: rows, each: text.slotBytes)
        if selection.count > 0 { try checkIndex(rows) }
        return try text.decode(count: selection.count, type: type.handle.id, name: name, ceiling: ceiling) {
            (type, transfer, buffer) in
            H5Dread(handle.id, type, selection.memory.id, selection.file.id, transfer, buffer)
        } reclaim: { (type, transfer, buffer) in
            H5Dvlen_reclaim(type, selection.memory.id, transfer, buffer)
        }
    }
}

extension StoredType.Text {
    /// Bytes of one text in the buffer that the library fills: a pointer, or the text itself.
    var slotBytes: Int {
        switch self {
        case .variable: MemoryLayout<UnsafePointer<CChar>?>.stride
        case .fixed(let bytes): bytes
        }
    }

    /// Reads `count` texts with `read`, which is given the type in memory, a transfer list and the buffer.
    ///
    /// The library believes the lengths in the file; what it allocates for them stays below `ceiling`.
    func decode(
        count: Int, type: Int64, name: String, ceiling: Int,
        read: (Int64, Int64, UnsafeMutableRawPointer) -> Int32,
        reclaim: (Int64, Int64, UnsafeMutableRawPointer) -> Int32
    ) throws(HDF5Error) -> [String] {
        if count == 0 { return [] }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: count * slotBytes, alignment: 16)
        defer { buffer.deallocate() }
        guard let base = buffer.baseAddress else { return [] }
        memset(base, 0, buffer.count)
        switch self {
        case .fixed(let bytes):
            try check("read", name, otherwise: .corrupt) { read(type, ch5_default(), base) }
            return (0..<count).map { index in
                let slot = buffer[(index * bytes)..<((index + 1) * bytes)]
                let isSpacePadded = H5Tget_strpad(type) == H5T_STR_SPACEPAD
                let end = isSpacePadded ? nil : slot.firstIndex(of: 0)
                var text = slot[slot.startIndex..<(end ?? slot.endIndex)]
                while isSpacePadded, text.last == UInt8(ascii: " ") { text.removeLast() }
                return String(decoding: text, as: UTF8.self)
            }
        case .variable(let utf8):
            let memory = try Handle("read", name, release: H5Tclose) { ch5_make_text(utf8 ? 1 : 0) }
            let transfer = try Handle("read", name, release: H5Pclose) { H5Pcreate(ch5_transfer()) }
            let budget = Budget(bytes: ceiling)
            let context = Unmanaged.passUnretained(budget).toOpaque()
            try check("read", name) {
                H5Pset_vlen_mem_manager(
                    transfer.id, Budget.allocate, context, { block, _ in free(block) }, context)
            }
            let pointers = buffer.bindMemory(to: UnsafePointer<CChar>?.self)
            do throws(HDF5Error) {
                try check("read", name, otherwise: .corrupt) { read(memory.id, transfer.id, base) }
            } catch {
                // Texts read before the failure are ours to free; the slots were zero before.
                for pointer in pointers { free(UnsafeMutableRawPointer(mutating: pointer)) }
                throw error
            }
            let texts = pointers.map { $0.map { String(cString: $0) } ?? "" }
            try check("read", name) { reclaim(memory.id, transfer.id, base) }
            withExtendedLifetime(budget) {}
            return texts
        }
    }
}

/// What the library may still allocate for texts of one read.
private final class Budget {
    private var bytes: Int

    init(bytes: Int) { self.bytes = bytes }

    static let allocate: @convention(c) (Int, UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = {
        size, context in
        guard let context else { return nil }
        let budget = Unmanaged<Budget>.fromOpaque(context).takeUnretainedValue()
        guard size >= 0, size <= budget.bytes else { return nil }
        budget.bytes -= size
        return malloc(size)
    }
}

/// Texts as C sees them, in one block of memory.
struct CStrings {
    private var bytes: [CChar] = []
    private var offsets: [Int] = []

    init(_ values: [String]) {
        offsets.reserveCapacity(values.count)
        for value in values {
            offsets.append(bytes.count)
            bytes.append(contentsOf: value.withoutZeros.utf8.lazy.map { CChar(bitPattern: $0) })
            bytes.append(0)
        }
    }

    /// Calls `body` with an array of pointers, one for each text.
    func withPointers<Result>(
        _ body: (UnsafePointer<UnsafePointer<CChar>?>?) throws(HDF5Error) -> Result
    ) throws(HDF5Error) -> Result {
        try bytes.withUnsafeBufferPointer { bytes throws(HDF5Error) in
            let pointers = offsets.map { offset in bytes.baseAddress.map { $0 + offset } }
            return try pointers.withUnsafeBufferPointer { pointers throws(HDF5Error) in
                try body(pointers.baseAddress)
            }
        }
    }
}
