private import CHDF5

extension Group {
    /// Creates a dataset of numbers that must not exist yet; every value must then be written.
    public func createDataset<Value: Element>(
        _ child: String, of _: Value.Type, shape: [Int], layout: DatasetLayout = .contiguous
    ) throws(HDF5Error) -> Dataset {
        try create(child, type: Value.elementType.identifier, element: Value.elementType, shape: shape, layout: layout)
    }

    /// Creates a dataset of numbers, writes all of its values in row-major order, and closes it.
    ///
    /// Without a `shape` it has one dimension.
    public func write<Value: Element>(
        _ values: [Value], to child: String, shape: [Int]? = nil, layout: DatasetLayout = .contiguous,
        attributes: KeyValuePairs<String, Attribute> = [:]
    ) throws(HDF5Error) {
        let dataset = try createDataset(child, of: Value.self, shape: shape ?? [values.count], layout: layout)
        try dataset.write(values)
        try dataset.close(with: attributes)
    }

    /// Creates a column of codes that stand for names, and closes it: code `i` is `names[i]`.
    public func write(
        codes: [UInt8], named names: [String], to child: String, layout: DatasetLayout = .contiguous,
        attributes: KeyValuePairs<String, Attribute> = [:]
    ) throws(HDF5Error) {
        precondition(names.count <= 256, "an enumeration of bytes has at most 256 names")
        let name = "\(name)/\(child)"
        let type = try Handle("create dataset", name, release: H5Tclose) { H5Tenum_create(ch5_uint8()) }
        for (code, text) in names.enumerated() {
            var code = UInt8(code)
            try check("create dataset", name) { H5Tenum_insert(type.id, text, &code) }
        }
        let dataset = try create(child, type: type.id, element: .uint8, shape: [codes.count], layout: layout)
        try dataset.write(codes, rows: nil, memoryType: type.id)
        try dataset.close(with: attributes)
    }

    func create(
        _ child: String, type: Int64, element: ElementType, shape: [Int], layout: DatasetLayout
    ) throws(HDF5Error) -> Dataset {
        let name = "\(name)/\(child)"
        let parent = handle.id
        let space = try Extent.space(shape, for: name)
        let creation = try layout.properties(for: shape, element: element, name: name)
        let access = try layout.access(for: shape, element: element, name: name)
        let handle = try Handle("create dataset", name, release: H5Dclose) {
            H5Dcreate2(parent, child, type, space.id, ch5_default(), creation.id, access.id)
        }
        return try Dataset(opened: handle, name: name, ceiling: ceiling, checksIndex: checksIndex)
    }
}

extension Dataset {
    /// Writes all values, in row-major order; their number must be that of the shape.
    public func write<Value: Element>(_ values: [Value]) throws(HDF5Error) {
        try write(values, rows: nil, memoryType: Value.elementType.identifier)
    }

    /// Writes whole rows beginning at `row`, in row-major order.
    public func write<Value: Element>(_ values: [Value], atRow row: Int) throws(HDF5Error) {
        guard !values.isEmpty else { return }
        let width = shape.dropFirst().reduce(1, *)
        precondition(width > 0 && values.count.isMultiple(of: width), "whole rows are written")
        try write(
            values, rows: row..<(row + values.count / width), memoryType: Value.elementType.identifier)
    }

    /// Adds attributes and closes the dataset.
    consuming func close(with attributes: KeyValuePairs<String, Attribute>) throws(HDF5Error) {
        for (attribute, value) in attributes { try set(attribute, to: value) }
        try close()
    }

    fileprivate func write<Value: Element>(
        _ values: [Value], rows: Range<Int>?, memoryType: Int64
    ) throws(HDF5Error) {
        let selection = try Selection(of: self, rows: rows, each: MemoryLayout<Value>.stride)
        guard selection.count == values.count else {
            throw HDF5Error(
                code: .typeMismatch,
                message: "\(name) takes \(selection.count) values and was given \(values.count)")
        }
        if values.isEmpty { return }
        try check("write", name) {
            values.withUnsafeBufferPointer {
                H5Dwrite(
                    handle.id, memoryType, selection.memory.id, selection.file.id, ch5_default(), $0.baseAddress)
            }
        }
    }
}
