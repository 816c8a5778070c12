private import CHDF5

/// How the values of a new dataset lie in the file.
public struct DatasetLayout: Sendable, Hashable {
    /// The largest chunk in each dimension, or nil for one piece without checksums; cut to the shape when used.
    public var chunk: [Int]?
    /// Whether the values are packed with shuffle and gzip 1: for indices and masks, not for features.
    public var isCompressed: Bool

    /// One piece without checksums.
    public static let contiguous = DatasetLayout(chunk: nil, isCompressed: false)

    /// Chunks with a checksum (fletcher32) each, packed or not.
    public static func chunked(_ chunk: [Int], compressed: Bool = false) -> DatasetLayout {
        DatasetLayout(chunk: chunk, isCompressed: compressed)
    }

    /// The property list for a dataset of this shape.
    func properties(for shape: [Int], element: ElementType, name: String) throws(HDF5Error) -> Handle {
        let list = try Handle("describe the storage of", name, release: H5Pclose) { H5Pcreate(ch5_dataset_creation()) }
        try check("describe the storage of", name) { H5Pset_obj_track_times(list.id, false) }
        if element != .string {
            // Every value is written; filling first would write everything twice.
            try check("describe the storage of", name) { H5Pset_fill_time(list.id, H5D_FILL_TIME_NEVER) }
        }
        guard let chunk, !shape.isEmpty else { return list }
        precondition(chunk.count == shape.count, "a chunk has as many dimensions as its dataset")
        let lengths = zip(chunk, shape).map { UInt64(max(1, min($0, $1))) }
        try check("set the chunks of", name) { H5Pset_chunk(list.id, Int32(lengths.count), lengths) }
        if isCompressed {
            try check("set the filters of", name) { H5Pset_shuffle(list.id) }
            try check("set the filters of", name) { H5Pset_deflate(list.id, 1) }
        }
        try check("set the filters of", name) { H5Pset_fletcher32(list.id) }
        return list
    }

    /// The access list for a dataset of this shape: rows that end inside a chunk wait in a cache that holds a few.
    func access(for shape: [Int], element: ElementType, name: String) throws(HDF5Error) -> Handle {
        let list = try Handle("describe the access to", name, release: H5Pclose) { H5Pcreate(ch5_dataset_access()) }
        if let chunk {
            let lengths = zip(chunk, shape).map { max(1, min($0, $1)) }
            let bytes = Extent.byteCount(of: lengths, each: element.byteCount) ?? 0
            try check("describe the access to", name) {
                H5Pset_chunk_cache(list.id, 521, max(1 << 20, min(4 * bytes, 64 << 20)), 1)
            }
        }
        return list
    }
}
