private import CHDF5
private import Glibc

/// An HDF5 file: an existing one being read, or a new one being built in memory.
///
/// Every file that is read counts as untrusted: see ``Group`` and ``Dataset`` for what is refused. Lives inside of
/// ``HDF5Library/run(_:)``.
///
/// New files are built in memory and written in one go, because the library does not recover from a failed write: it
/// keeps objects of a file that is gone, and later files collide with them.
public struct File: ~Copyable {
    /// The top group.
    public let root: Group
    private let handle: Handle
    private let path: String

    /// Builds a file in memory; nothing of it touches the disk.
    ///
    /// Formats of HDF5 1.8 to 1.10 (metadata carries checksums), and no times of objects, so that equal content gives
    /// equal bytes. `name` stands in error messages only.
    public static func image(_ name: String, _ body: (borrowing File) throws -> Void) throws -> FileImage {
        let image = FileImage()
        return try withExtendedLifetime(image) {
            try HDF5Library.run { () throws in
                let file = try create(name, in: image)
                try body(file)
                try file.close()
            }
            try image.finish(name)
            return image
        }
    }

    /// Builds a file and writes it to `path`, which must not exist; if it throws, nothing is there.
    public static func writing(_ path: String, _ body: (borrowing File) throws -> Void) throws {
        try ExclusiveFile.write(try image(path, body), to: path)
    }

    /// Builds a file on the disk, at a path where nothing may be yet, for files that memory should not hold.
    ///
    /// After a failed write the library is not to be used again in this process: only for programs that then end.
    public static func streaming(_ path: String, _ body: (borrowing File) throws -> Void) throws {
        try HDF5Library.run { () throws in
            let access = try Handle("create", path, release: H5Pclose) { H5Pcreate(ch5_file_access()) }
            try check("create", path) { H5Pset_libver_bounds(access.id, H5F_LIBVER_V18, H5F_LIBVER_V110) }
            try check("create", path) { H5Pset_fclose_degree(access.id, H5F_CLOSE_STRONG) }
            // A child process that is started meanwhile would inherit the lock, and keep the file from being read back.
            try check("create", path) { H5Pset_file_locking(access.id, false, true) }
            let creation = try Handle("create", path, release: H5Pclose) { H5Pcreate(ch5_file_creation()) }
            try check("create", path) { H5Pset_obj_track_times(creation.id, false) }
            let handle = try Handle("create", path, release: H5Fclose) {
                H5Fcreate(path, ch5_exclusive(), creation.id, access.id)
            }
            let file = try File(handle, path: path, ceiling: Int.max, checksIndex: false)
            try body(file)
            try file.close()
        }
    }

    private static func create(_ name: String, in image: FileImage) throws(HDF5Error) -> File {
        let access = try Handle("create", name, release: H5Pclose) { H5Pcreate(ch5_file_access()) }
        try check("create", name) { H5Pset_libver_bounds(access.id, H5F_LIBVER_V18, H5F_LIBVER_V110) }
        try check("create", name) { H5Pset_fclose_degree(access.id, H5F_CLOSE_STRONG) }
        try image.receive(from: access, name: name)
        let creation = try Handle("create", name, release: H5Pclose) { H5Pcreate(ch5_file_creation()) }
        try check("create", name) { H5Pset_obj_track_times(creation.id, false) }
        // The library first looks for a file of the name that it is given; nothing can be below a device.
        let handle = try Handle("create", name, release: H5Fclose) {
            H5Fcreate("/dev/null/image", ch5_exclusive(), creation.id, access.id)
        }
        return try File(handle, path: name, ceiling: Int.max, checksIndex: false)
    }

    /// Opens an existing file from any source, hands it to `body` and closes it, all in one turn of the library.
    public static func reading<Result>(
        _ path: String, limits: ReadLimits = ReadLimits(), _ body: (borrowing File) throws -> Result
    ) throws -> Result {
        try HDF5Library.run { () throws in
            CrashMessage.note(path)
            defer { CrashMessage.note(nil) }
            let file = try open(path, limits: limits)
            let result = try body(file)
            try file.close()
            return result
        }
    }

    private static func open(_ path: String, limits: ReadLimits) throws(HDF5Error) -> File {
        // A pipe or a device would block or answer without end.
        var information = stat()
        if stat(path, &information) == 0, information.st_mode & S_IFMT != S_IFREG {
            throw HDF5Error(code: .refused, message: "\(path) is not a regular file; give the path of an HDF5 file")
        }
        let access = try Handle("open", path, release: H5Pclose) { H5Pcreate(ch5_file_access()) }
        try check("open", path) { H5Pset_fclose_degree(access.id, H5F_CLOSE_STRONG) }
        // Reading needs no lock, and some network disks give none. Whoever opens a file to write to it locks it all the same.
        try check("open", path) { H5Pset_file_locking(access.id, false, true) }
        let handle = try Handle("open", path, otherwise: .corrupt, release: H5Fclose) {
            H5Fopen(path, ch5_read_only(), access.id)
        }
        var bytes: UInt64 = 0
        try check("measure", path) { H5Fget_filesize(handle.id, &bytes) }
        return try File(
            handle, path: path, ceiling: limits.ceiling(forFileOf: Int(clamping: bytes)),
            checksIndex: !limits.isIntact)
    }

    private init(
        _ handle: consuming Handle, path: String, ceiling: Int, checksIndex: Bool
    ) throws(HDF5Error) {
        let id = handle.id
        let root = try Handle("open", path, otherwise: .corrupt, release: H5Gclose) {
            H5Gopen2(id, "/", ch5_default())
        }
        self.root = Group(root, name: path + ":", ceiling: ceiling, checksIndex: checksIndex)
        self.handle = handle
        self.path = path
    }

    /// Closes the file; an object of it that is still open is an error, since its data may be missing.
    private consuming func close() throws(HDF5Error) {
        let path = path
        try root.close()
        let open = H5Fget_obj_count(handle.id, ch5_objects_of_file())
        try handle.close("close", path)
        guard open == 1 else {
            throw HDF5Error(code: .other, message: "\(path) was closed while \(open - 1) of its objects were open")
        }
    }
}
