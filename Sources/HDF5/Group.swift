private import CHDF5

/// A folder inside an HDF5 file.
///
/// Paths are followed one name at a time and through hard links only: soft and external links can lead out of the file
/// and are refused.
public struct Group: ~Copyable {
    let handle: Handle
    /// The file and the path inside of it, as error messages show it.
    public let name: String
    let ceiling: Int
    /// Whether nothing vouches for the indexes of chunks.
    let checksIndex: Bool

    init(_ handle: consuming Handle, name: String, ceiling: Int, checksIndex: Bool) {
        self.handle = handle
        self.name = name
        self.ceiling = ceiling
        self.checksIndex = checksIndex
    }

    /// Creates a group that must not exist yet.
    public func createGroup(_ child: String) throws(HDF5Error) -> Group {
        let name = "\(name)/\(child)"
        let id = handle.id
        let creation = try Handle("create group", name, release: H5Pclose) { H5Pcreate(ch5_group_creation()) }
        try check("create group", name) { H5Pset_obj_track_times(creation.id, false) }
        let handle = try Handle("create group", name, release: H5Gclose) {
            H5Gcreate2(id, child, ch5_default(), creation.id, ch5_default())
        }
        return Group(handle, name: name, ceiling: ceiling, checksIndex: checksIndex)
    }

    /// Opens a group below this one; `path` may have several names separated by slashes.
    public func group(_ path: String) throws(HDF5Error) -> Group {
        let (first, rest) = Self.split(path)
        guard rest.isEmpty else { return try group(first).group(rest) }
        try requireHardLink(first)
        let name = "\(name)/\(first)"
        let id = handle.id
        let handle = try Handle("open group", name, otherwise: .corrupt, release: H5Gclose) {
            H5Gopen2(id, first, ch5_default())
        }
        return Group(handle, name: name, ceiling: ceiling, checksIndex: checksIndex)
    }

    /// Opens a dataset below this group; `path` may have several names separated by slashes.
    public func dataset(_ path: String) throws(HDF5Error) -> Dataset {
        let (first, rest) = Self.split(path)
        guard rest.isEmpty else { return try group(first).dataset(rest) }
        try requireHardLink(first)
        let name = "\(name)/\(first)"
        let id = handle.id
        let handle = try Handle("open dataset", name, otherwise: .corrupt, release: H5Dclose) {
            H5Dopen2(id, first, ch5_default())
        }
        return try Dataset(opened: handle, name: name, ceiling: ceiling, checksIndex: checksIndex)
    }

    /// Whether a hard link of this name is there; other links don't count.
    public func contains(_ path: String) throws(HDF5Error) -> Bool {
        let (first, rest) = Self.split(path)
        let isThere = try kind(ofLink: first) == H5L_TYPE_HARD
        return rest.isEmpty || !isThere ? isThere : try group(first).contains(rest)
    }

    /// The names in this group, sorted by their bytes.
    public func names() throws(HDF5Error) -> [String] {
        var names: [String] = []
        try withUnsafeMutablePointer(to: &names) { names throws(HDF5Error) in
            _ = try check("list", name, otherwise: .corrupt) {
                H5Literate(
                    handle.id, H5_INDEX_NAME, H5_ITER_INC, nil,
                    { _, name, _, context in
                        guard let name, let context else { return -1 }
                        context.assumingMemoryBound(to: [String].self).pointee.append(String(cString: name))
                        return 0
                    }, names)
            }
        }
        return names
    }

    /// Closes the group and reports what that reveals.
    public consuming func close() throws(HDF5Error) {
        let name = name
        try handle.close("close", name)
    }

    private static func split(_ path: String) -> (first: String, rest: String) {
        let parts = path.split(separator: "/", maxSplits: 1)
        return (parts.first.map(String.init) ?? "", parts.count > 1 ? String(parts[1]) : "")
    }

    private func kind(ofLink child: String) throws(HDF5Error) -> H5L_type_t? {
        // "." would be this group again, and a zero byte would end the name early.
        guard !child.isEmpty, child != ".", !child.utf8.contains(0) else { return nil }
        let name = "\(name)/\(child)"
        let isThere = try check("look up", name, otherwise: .corrupt) { H5Lexists(handle.id, child, ch5_default()) }
        guard isThere > 0 else { return nil }
        var information = H5L_info_t()
        try check("look up", name, otherwise: .corrupt) {
            H5Lget_info(handle.id, child, &information, ch5_default())
        }
        return information.type
    }

    private func requireHardLink(_ child: String) throws(HDF5Error) {
        switch try kind(ofLink: child) {
        case H5L_TYPE_HARD: return
        case nil:
            throw HDF5Error(
                code: .notFound, message: "\(name)/\(child) does not exist; h5ls shows what the file holds")
        default:
            throw HDF5Error(
                code: .refused,
                message: "\(name)/\(child) is a soft or external link, which could lead out of the file; "
                    + "copy what it points to into the file")
        }
    }
}
