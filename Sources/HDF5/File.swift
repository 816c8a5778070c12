private import CHDF5
private import Glibc

/// An open HDF5 file: a new one being written, or an existing one being read.
///
/// Every file that is read counts as a stranger's: see ``Group`` and ``Dataset`` for what is refused. Lives inside of
/// ``HDF5Library/run(_:)``.
public struct File: ~Copyable {
    /// The top group.
    public let root: Group
    private let handle: Handle
    private let path: String

    /// Creates a file that must not exist yet.
    ///
    /// Formats of HDF5 1.8 to 1.10 (metadata carries checksums), and no times of objects, so that equal content gives
    /// equal bytes.
    public static func create(_ path: String) throws(HDF5Error) -> File {
        let access = try Handle("create", path, release: H5Pclose) { H5Pcreate(ch5_file_access()) }
        try check("create", path) { H5Pset_libver_bounds(access.id, H5F_LIBVER_V18, H5F_LIBVER_V110) }
        try check("create", path) { H5Pset_fclose_degree(access.id, H5F_CLOSE_STRONG) }
        let creation = try Handle("create", path, release: H5Pclose) { H5Pcreate(ch5_file_creation()) }
        try check("create", path) { H5Pset_obj_track_times(creation.id, false) }
        let handle = try Handle("create", path, release: H5Fclose) {
            H5Fcreate(path, ch5_exclusive(), creation.id, access.id)
        }
        return try File(handle, path: path, ceiling: Int.max)
    }

    /// Opens an existing file for reading, whoever wrote it.
    public static func open(_ path: String, limits: ReadLimits = ReadLimits()) throws(HDF5Error) -> File {
        // A pipe or a device would block or answer without end.
        var information = stat()
        if stat(path, &information) == 0, information.st_mode & S_IFMT != S_IFREG {
            throw HDF5Error(code: .refused, message: "\(path) is not a regular file; give the path of an HDF5 file")
        }
        let access = try Handle("open", path, release: H5Pclose) { H5Pcreate(ch5_file_access()) }
        try check("open", path) { H5Pset_fclose_degree(access.id, H5F_CLOSE_STRONG) }
        let handle = try Handle("open", path, otherwise: .corrupt, release: H5Fclose) {
            H5Fopen(path, ch5_read_only(), access.id)
        }
        var bytes: UInt64 = 0
        try check("measure", path) { H5Fget_filesize(handle.id, &bytes) }
        return try File(handle, path: path, ceiling: limits.ceiling(forFileOf: Int(clamping: bytes)))
    }

    /// Opens a file, hands it to `body` and closes it, all in one turn of the library.
    public static func reading<Result>(
        _ path: String, limits: ReadLimits = ReadLimits(), _ body: (borrowing File) throws -> Result
    ) throws -> Result {
        try HDF5Library.run { () throws in
            let file = try open(path, limits: limits)
            let result = try body(file)
            try file.close()
            return result
        }
    }

    /// Creates a file, hands it to `body` and closes it, all in one turn of the library.
    ///
    /// Where `body` throws, the unfinished file stays; whoever chose its name removes it.
    public static func writing<Result>(
        _ path: String, _ body: (borrowing File) throws -> Result
    ) throws -> Result {
        try HDF5Library.run { () throws in
            let file = try create(path)
            let result = try body(file)
            try file.close()
            return result
        }
    }

    private init(_ handle: consuming Handle, path: String, ceiling: Int) throws(HDF5Error) {
        let id = handle.id
        let root = try Handle("open", path, otherwise: .corrupt, release: H5Gclose) {
            H5Gopen2(id, "/", ch5_default())
        }
        self.root = Group(root, name: path + ":", ceiling: ceiling)
        self.handle = handle
        self.path = path
    }

    /// Closes the file and reports what that reveals: written data may reach the disk only now.
    ///
    /// An object of the file that is still open is an error, since its data would not be in the file.
    public consuming func close() throws(HDF5Error) {
        let path = path
        try root.close()
        let open = H5Fget_obj_count(handle.id, ch5_objects_of_file())
        try handle.close("close", path)
        guard open == 1 else {
            throw HDF5Error(code: .other, message: "\(path) was closed while \(open - 1) of its objects were open")
        }
    }
}
