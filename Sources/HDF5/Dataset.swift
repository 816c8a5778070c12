private import CHDF5

/// An array of numbers or text in an HDF5 file.
///
/// Opening one refuses virtual datasets, external storage and every filter but shuffle, deflate and fletcher32; reading
/// refuses more than the limits of its file.
public struct Dataset: ~Copyable {
    let handle: Handle
    let type: StoredType
    let layout: StoredLayout
    let ceiling: Int
    let checksIndex: Bool
    /// The file and the path inside of it, as error messages show it.
    public let name: String
    /// The length of each dimension.
    public let shape: [Int]

    /// What the values are.
    public var elementType: ElementType { type.element }

    /// Whether every chunk of the values carries a checksum.
    public var isChecksummed: Bool { layout.isChecksummed }

    /// Checks what the file claims about the dataset.
    init(opened handle: consuming Handle, name: String, ceiling: Int, checksIndex: Bool) throws(HDF5Error) {
        let id = handle.id
        // The layout comes first: asking a virtual dataset for its shape would open other files.
        let layout = try StoredLayout(of: id, name: name)
        let type = try StoredType(of: name) { H5Dget_type(id) }
        let space = try Handle("read the shape of", name, otherwise: .corrupt, release: H5Sclose) { H5Dget_space(id) }
        let shape = try Extent.shape(of: space, named: name)
        let bytes = H5Tget_size(type.handle.id)
        guard let chunk = Extent.byteCount(of: layout.chunk ?? [], each: bytes), chunk <= ceiling else {
            throw HDF5Error(
                code: .refused,
                message: "\(name) has chunks larger than the limit of \(ceiling) bytes for this file")
        }
        self.handle = handle
        self.type = type
        self.layout = layout
        self.ceiling = ceiling
        self.checksIndex = checksIndex
        self.name = name
        self.shape = shape
    }

    /// Closes the dataset and reports what that reveals: written data may reach the disk only now.
    public consuming func close() throws(HDF5Error) {
        let name = name
        try handle.close("close", name)
    }
}
