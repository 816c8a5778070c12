private import CHDF5

/// The lengths of a dataset's or attribute's dimensions.
enum Extent {
    /// Makes a dataspace of this shape; the empty shape is one value without dimensions.
    static func space(_ shape: [Int], for name: String) throws(HDF5Error) -> Handle {
        let lengths = shape.map { UInt64($0) }
        return try Handle("describe the shape of", name, release: H5Sclose) {
            lengths.isEmpty
                ? H5Screate(H5S_SCALAR)
                : H5Screate_simple(Int32(lengths.count), lengths, nil)
        }
    }

    /// The shape of a dataspace, or an error where a dimension is beyond what a program can count.
    static func shape(of space: borrowing Handle, named name: String) throws(HDF5Error) -> [Int] {
        // An empty ("null") dataspace holds no value at all.
        if H5Sget_simple_extent_type(space.id) == H5S_NULL { return [0] }
        let rank = try check("read the shape of", name, otherwise: .corrupt) {
            H5Sget_simple_extent_ndims(space.id)
        }
        var lengths = [UInt64](repeating: 0, count: Int(rank))
        if rank > 0 {
            try check("read the shape of", name, otherwise: .corrupt) {
                H5Sget_simple_extent_dims(space.id, &lengths, nil)
            }
        }
        let shape = lengths.compactMap { Int(exactly: $0) }
        guard shape.count == lengths.count, byteCount(of: shape, each: 1) != nil else {
            throw HDF5Error(code: .refused, message: "\(name) claims \(lengths) values, which is beyond any limit")
        }
        return shape
    }

    /// The bytes that values of this shape take, or nil if that overflows.
    static func byteCount(of shape: [Int], each bytes: Int) -> Int? {
        var total = bytes
        for length in shape {
            let (product, overflow) = total.multipliedReportingOverflow(by: length)
            if overflow { return nil }
            total = product
        }
        return total
    }
}
