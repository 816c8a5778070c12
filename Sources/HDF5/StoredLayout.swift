private import CHDF5

/// How the values of an existing dataset lie in its file, checked before anything is read.
///
/// Virtual datasets, external storage and every filter but shuffle, deflate and fletcher32 are refused.
struct StoredLayout {
    /// The length of a chunk in each dimension; nil if the values are one piece.
    private(set) var chunk: [Int]?
    /// What each chunk went through, in order.
    private var filters: [H5Z_filter_t] = []
    /// Whether values that were never written read as something defined.
    private var hasFillValue = true

    /// Whether every chunk carries a checksum.
    var isChecksummed: Bool { filters.contains(H5Z_FILTER_FLETCHER32) }

    init(of dataset: Int64, name: String) throws(HDF5Error) {
        let list = try Handle("examine", name, otherwise: .corrupt, release: H5Pclose) { H5Dget_create_plist(dataset) }
        let layout = H5Pget_layout(list.id)
        guard layout == H5D_COMPACT || layout == H5D_CONTIGUOUS || layout == H5D_CHUNKED else {
            throw HDF5Error(
                code: .refused,
                message: "\(name) is a virtual dataset, which reads other files; materialise it with h5repack -l CONTI")
        }
        guard try check("examine", name, otherwise: .corrupt, { H5Pget_external_count(list.id) }) == 0 else {
            throw HDF5Error(
                code: .refused,
                message: "\(name) keeps its data in another file; copy it with h5repack so that the file is complete")
        }
        guard layout == H5D_CHUNKED else { return }
        filters = try Self.filters(list, name: name)
        var lengths = [UInt64](repeating: 0, count: 32)
        let rank = try check("examine", name, otherwise: .corrupt) { H5Pget_chunk(list.id, 32, &lengths) }
        chunk = lengths.prefix(Int(rank)).map { Int(clamping: $0) }
        var time = H5D_FILL_TIME_IFSET
        try check("examine", name, otherwise: .corrupt) { H5Pget_fill_time(list.id, &time) }
        hasFillValue = time != H5D_FILL_TIME_NEVER
    }

    private static func filters(_ list: borrowing Handle, name: String) throws(HDF5Error) -> [H5Z_filter_t] {
        let count = try check("examine", name, otherwise: .corrupt) { H5Pget_nfilters(list.id) }
        var filters: [H5Z_filter_t] = []
        for index in 0..<UInt32(count) {
            var flags: UInt32 = 0
            var parameters = 0
            let filter = try check("examine", name, otherwise: .corrupt) {
                H5Pget_filter2(list.id, index, &flags, &parameters, nil, 0, nil, nil)
            }
            guard [H5Z_FILTER_SHUFFLE, H5Z_FILTER_DEFLATE, H5Z_FILTER_FLETCHER32].contains(filter) else {
                throw HDF5Error(
                    code: .filterMissing,
                    message: "\(name) is packed with filter \(filter); repack the file with h5repack -f GZIP=1")
            }
            filters.append(filter)
        }
        return filters
    }

    /// Checks what the index of the chunks says about the given rows (indices of the first dimension).
    ///
    /// The index that formats of HDF5 1.8 use has no checksum. A chunk that it loses would read as whatever is in
    /// memory, and one whose filters it skips as its packed bytes.
    func checkIndex(of dataset: Int64, shape: [Int], rows: Range<Int>, each bytes: Int, name: String) throws(HDF5Error)
    {
        guard let chunk, chunk.count == shape.count, chunk.allSatisfy({ $0 > 0 }), !rows.isEmpty else { return }
        var ranges = zip(shape, chunk).map { 0..<(($0 + $1 - 1) / $1) }
        ranges[0] = (rows.lowerBound / chunk[0])..<((rows.upperBound - 1) / chunk[0] + 1)
        guard !ranges.contains(where: \.isEmpty) else { return }
        let whole = UInt64(Extent.byteCount(of: chunk, each: bytes) ?? 0)
        var place = ranges.map(\.lowerBound)
        while true {
            let offset = zip(place, chunk).map { UInt64($0 * $1) }
            var skipped: UInt32 = 0
            var address: haddr_t = 0
            var stored: UInt64 = 0
            try check("look up a chunk of", name, otherwise: .corrupt) {
                H5Dget_chunk_info_by_coord(dataset, offset, &skipped, &address, &stored)
            }
            guard stored == 0 ? hasFillValue : isPlausible(skipped: skipped, stored: stored, whole: whole) else {
                throw HDF5Error(
                    code: .corrupt,
                    message: "cannot read \(name): its index of chunks is damaged; make the file again from its source")
            }
            // The next place, the last dimension fastest.
            var dimension = place.count - 1
            while dimension >= 0, place[dimension] + 1 == ranges[dimension].upperBound {
                place[dimension] = ranges[dimension].lowerBound
                dimension -= 1
            }
            guard dimension >= 0 else { return }
            place[dimension] += 1
        }
    }

    /// Deflate alone may be skipped, for data that it does not shorten; the chunk is then as long as its values.
    private func isPlausible(skipped: UInt32, stored: UInt64, whole: UInt64) -> Bool {
        let checksum: UInt64 = filters.contains(H5Z_FILTER_FLETCHER32) ? 4 : 0
        if skipped == 0 { return true }
        let deflate = filters.indices.reduce(0 as UInt32) { filters[$1] == H5Z_FILTER_DEFLATE ? $0 | 1 << $1 : $0 }
        return skipped & ~deflate == 0 && stored == whole + checksum
    }
}
