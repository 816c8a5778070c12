internal import Failpoints
private import Glibc
internal import HDF5

/// A shard that is complete and durable but not visible yet: it is then linked under its final name.
struct PartFile {
    private let path: String

    /// Writes a new file and waits until it is on the disk; where it throws, there is no such file.
    init(writing image: FileImage, sealedWith seal: ShardSeal, to path: String) throws(ResultFileError) {
        let file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
        guard file >= 0 else { throw ResultFileError(system: "create", path) }
        do throws(ResultFileError) {
            try image.withUnsafeBytes { bytes throws(ResultFileError) in try Self.write(bytes, file, path) }
            Failpoint.reach("shard.written")
            try seal.bytes.withUnsafeBufferPointer { bytes throws(ResultFileError) in
                try Self.write(UnsafeRawBufferPointer(bytes), file, path)
            }
            guard !Failpoint.fails("shard.sync"), fsync(file) == 0 else { throw ResultFileError(system: "sync", path) }
        } catch {
            close(file)
            unlink(path)
            throw error
        }
        guard close(file) == 0 else {
            let error = ResultFileError(system: "close", path)
            unlink(path)
            throw error
        }
        Failpoint.reach("shard.closed")
        self.path = path
    }

    private static func write(
        _ bytes: UnsafeRawBufferPointer, _ file: Int32, _ path: String
    ) throws(ResultFileError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            guard !Failpoint.fails("shard.write") else { throw ResultFileError(system: "write", path) }
            let count = Glibc.write(file, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw ResultFileError(system: "write", path) }
            rest = rest.dropFirst(count)
        }
    }

    /// Links the file into `folder` (made if absent) as `name`, never over another, and removes the part.
    ///
    /// The name is durable when this returns; where it throws, there is no such name.
    func publish(in folder: String, as name: String) throws(ResultFileError) {
        let parent = String(folder[..<(folder.lastIndex(of: "/") ?? folder.endIndex)])
        if mkdir(folder, 0o777) == 0 {
            try Self.syncDirectory(parent)
        } else if errno != EEXIST {
            throw ResultFileError(system: "make the folder", folder)
        }
        let target = "\(folder)/\(name)"
        guard !Failpoint.fails("shard.publish"), link(path, target) == 0 else {
            throw ResultFileError(system: "publish the shard as", target)
        }
        do throws(ResultFileError) {
            guard unlink(path) == 0 else { throw ResultFileError(system: "remove", path) }
            try Self.syncDirectory(folder)
        } catch {
            unlink(target)
            throw error
        }
        Failpoint.reach("shard.published")
    }

    /// Removes the file, if it is there.
    func discard() { unlink(path) }

    private static func syncDirectory(_ path: String) throws(ResultFileError) {
        let directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard directory >= 0 else { throw ResultFileError(system: "open", path) }
        defer { close(directory) }
        guard fsync(directory) == 0 else { throw ResultFileError(system: "sync", path) }
    }
}
