private import CHDF5

extension Dataset {
    /// All values in row-major order.
    ///
    /// Integers must fit: reading a wider type, a signed type as unsigned or a float as an integer is an error. Floats
    /// are rounded to the float type that is asked for.
    public func read<Value: Element>(_: Value.Type = Value.self) throws(HDF5Error) -> [Value] {
        try read(Value.self, rows: nil)
    }

    /// The values of some rows (indices of the first dimension), in row-major order.
    public func read<Value: Element>(
        _: Value.Type = Value.self, rows: Range<Int>
    ) throws(HDF5Error) -> [Value] {
        try read(Value.self, rows: .some(rows))
    }

    private func read<Value: Element>(_: Value.Type, rows: Range<Int>?) throws(HDF5Error) -> [Value] {
        let wanted = Value.elementType
        precondition(MemoryLayout<Value>.stride == wanted.byteCount, "\(Value.self) is not \(wanted)")
        guard elementType.isReadable(as: wanted) else {
            throw HDF5Error(
                code: .typeMismatch,
                message: "\(name) holds \(elementType) where \(wanted) is expected; store it as \(wanted)")
        }
        let selection = try Selection(of: self, rows: rows, each: max(wanted.byteCount, elementType.byteCount))
        if selection.count == 0 { return [] }
        try checkIndex(rows)
        var failure: HDF5Error?
        let values = [Value](unsafeUninitializedCapacity: selection.count) { buffer, initialized in
            do throws(HDF5Error) {
                try check("read", name, otherwise: .corrupt) {
                    H5Dread(
                        handle.id, wanted.identifier, selection.memory.id, selection.file.id, ch5_default(),
                        buffer.baseAddress)
                }
                initialized = selection.count
            } catch { failure = error }
        }
        if let failure { throw failure }
        return values
    }

    /// Checks the index of the chunks that hold some rows, or all, unless the whole file is known to be intact.
    func checkIndex(_ rows: Range<Int>?) throws(HDF5Error) {
        guard checksIndex else { return }
        try layout.checkIndex(
            of: handle.id, shape: shape, rows: rows ?? 0..<(shape.first ?? 0), each: H5Tget_size(type.handle.id),
            name: name)
    }

    /// The names of an enumeration's codes; empty for other types.
    public func enumerationNames() throws(HDF5Error) -> [Int64: String] { try type.enumerationNames(of: name) }
}

/// Some rows of a dataset, checked against its shape and the read limits.
struct Selection: ~Copyable {
    let file: Handle
    let memory: Handle
    /// The number of values.
    let count: Int

    /// Selects `rows` of the first dimension, or everything.
    init(of dataset: borrowing Dataset, rows: Range<Int>?, each bytes: Int) throws(HDF5Error) {
        let name = dataset.name
        var shape = dataset.shape
        if let rows {
            guard let length = shape.first, rows.lowerBound >= 0, rows.upperBound <= length else {
                throw HDF5Error(
                    code: .typeMismatch, message: "\(name) has shape \(shape) and so no rows \(rows); ask for fewer")
            }
            shape[0] = rows.count
        }
        guard let total = Extent.byteCount(of: shape, each: bytes), total <= dataset.ceiling else {
            throw HDF5Error(
                code: .refused,
                message: "reading \(shape) values of \(name) takes more than the limit of \(dataset.ceiling) bytes "
                    + "for this file; read fewer rows, or raise the limit if the file can be trusted")
        }
        let id = dataset.handle.id
        let file = try Handle("select rows of", name, release: H5Sclose) { H5Dget_space(id) }
        if let rows {
            let start = [UInt64(rows.lowerBound)] + [UInt64](repeating: 0, count: shape.count - 1)
            let counts = shape.map { UInt64($0) }
            try check("select rows of", name) {
                rows.isEmpty
                    ? H5Sselect_none(file.id)
                    : H5Sselect_hyperslab(file.id, H5S_SELECT_SET, start, nil, counts, nil)
            }
        }
        memory = try Extent.space(shape, for: name)
        self.file = file
        count = total / bytes
    }
}
