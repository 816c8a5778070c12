private import CHDF5

/// An array of numbers or text in an HDF5 file.
///
/// Opening one refuses virtual datasets, external storage and every filter but shuffle, deflate and fletcher32, before
/// anything is read.
public struct Dataset: ~Copyable {
    let handle: Handle
    let type: StoredType
    let ceiling: Int
    /// The file and the path inside of it, as error messages show it.
    public let name: String
    /// The length of each dimension.
    public let shape: [Int]

    /// What the values are.
    public var elementType: ElementType { type.element }

    /// Checks what the file claims about the dataset.
    init(opened handle: consuming Handle, name: String, ceiling: Int) throws(HDF5Error) {
        let id = handle.id
        // The layout comes first: asking a virtual dataset for its shape would open other files.
        try Self.requirePlainStorage(id, name: name)
        let type = try StoredType(of: name) { H5Dget_type(id) }
        let space = try Handle("read the shape of", name, otherwise: .corrupt, release: H5Sclose) { H5Dget_space(id) }
        let shape = try Extent.shape(of: space, named: name)
        try Self.requireModestChunks(id, bytes: Int(H5Tget_size(type.handle.id)), name: name, ceiling: ceiling)
        self.handle = handle
        self.type = type
        self.ceiling = ceiling
        self.name = name
        self.shape = shape
    }

    /// Closes the dataset and reports what that reveals: written data may reach the disk only now.
    public consuming func close() throws(HDF5Error) {
        let name = name
        try handle.close("close", name)
    }

    private static func requirePlainStorage(_ id: Int64, name: String) throws(HDF5Error) {
        let list = try creationList(id, name: name)
        switch H5Pget_layout(list.id) {
        case H5D_COMPACT, H5D_CONTIGUOUS, H5D_CHUNKED: break
        default:
            throw HDF5Error(
                code: .refused,
                message: "\(name) is a virtual dataset, which reads other files; materialise it with h5repack -l CONTI")
        }
        guard try check("examine", name, otherwise: .corrupt, { H5Pget_external_count(list.id) }) == 0 else {
            throw HDF5Error(
                code: .refused,
                message: "\(name) keeps its data in another file; copy it with h5repack so that the file is complete")
        }
        let count = try check("examine", name, otherwise: .corrupt) { H5Pget_nfilters(list.id) }
        for index in 0..<count {
            var flags: UInt32 = 0
            var parameters = 0
            let filter = try check("examine", name, otherwise: .corrupt) {
                H5Pget_filter2(list.id, UInt32(index), &flags, &parameters, nil, 0, nil, nil)
            }
            switch filter {
            case H5Z_FILTER_SHUFFLE, H5Z_FILTER_DEFLATE, H5Z_FILTER_FLETCHER32: continue
            default:
                throw HDF5Error(
                    code: .filterMissing,
                    message: "\(name) is packed with filter \(filter); repack the file with h5repack -f GZIP=1")
            }
        }
    }

    private static func requireModestChunks(
        _ id: Int64, bytes: Int, name: String, ceiling: Int
    ) throws(HDF5Error) {
        let list = try creationList(id, name: name)
        guard H5Pget_layout(list.id) == H5D_CHUNKED else { return }
        var lengths = [UInt64](repeating: 0, count: 32)
        let rank = try check("examine", name, otherwise: .corrupt) { H5Pget_chunk(list.id, 32, &lengths) }
        let chunk = lengths.prefix(Int(rank)).map { Int(clamping: $0) }
        guard let total = Extent.byteCount(of: chunk, each: bytes), total <= ceiling else {
            throw HDF5Error(
                code: .refused,
                message: "\(name) has chunks of \(chunk) values, more than the limit of \(ceiling) bytes for this file")
        }
    }

    private static func creationList(_ id: Int64, name: String) throws(HDF5Error) -> Handle {
        try Handle("examine", name, otherwise: .corrupt, release: H5Pclose) { H5Dget_create_plist(id) }
    }
}
