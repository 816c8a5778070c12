internal import Glibc
internal import JobModel
internal import JobVocabulary
internal import ResultFiles

/// How a sealed shard comes into `shards/`, where readers look.
///
/// A worker leaves it in `pending/` and reports it. The coordinator moves it into `shards/` and then commits its rows; in
/// between, a mark in `pending/` says so. `shards/` therefore holds no row that does not count, and whoever finds a mark
/// after a crash knows which shard to look up in the job store.
enum PublishedShards {
    /// Why a shard is not in `shards/` although its rows would count.
    enum Failure: Error {
        /// The folder is the batch's, and the shard is not in it: its writer has another disk there.
        case absent(String)
        /// The shard cannot be checked or named just now.
        case unavailable(String)

        /// Why, in words.
        var reason: String {
            switch self {
            case .absent(let reason), .unavailable(let reason): reason
            }
        }
    }

    /// Moves a reported shard into `shards/`, durably.
    ///
    /// - Parameters:
    ///   - shard: its name.
    ///   - bytes: the size that was reported.
    ///   - token: the token of the folder, where the batch has one.
    static func publish(
        _ shard: ShardName, bytes: UInt64, in folder: String, token: String?
    ) throws(Failure) {
        let final = "\(folder)/\(shard.path)", pending = "\(folder)/\(shard.pendingPath)"
        guard try size(final) == nil else { throw .absent("shard \(shard) was reported before, with other rows") }
        guard let size = try size(pending) else {
            if let token, let reason = ResultsToken.mismatch(token, in: folder) { throw .unavailable(reason) }
            throw .absent("shard \(shard) is not in the results folder \(folder) that the coordinator sees")
        }
        guard size == bytes else { throw .absent("shard \(shard) has \(size) bytes and was reported with \(bytes)") }
        let parent = "\(folder)/\(shard.folder)"
        if mkdir(parent, 0o777) == 0 {
            try sync("\(folder)/\(ResultsLayout.shards)")
        } else if errno != EEXIST {
            throw trouble("make the folder", parent)
        }
        let mark = open(pending + ResultsLayout.movedSuffix, O_WRONLY | O_CREAT | O_CLOEXEC, 0o666)
        guard mark >= 0 else { throw trouble("make", pending + ResultsLayout.movedSuffix) }
        close(mark)
        do throws(Failure) {
            // The mark is on the disk before the shard is in its place.
            try sync("\(folder)/\(ResultsLayout.pending)")
            guard rename(pending, final) == 0 else { throw trouble("move a shard to", final) }
            try sync(parent)
        } catch {
            withdraw(shard, in: folder)
            throw error
        }
    }

    /// A shard's rows are committed: the mark is not needed any more.
    static func settle(_ shard: ShardName, in folder: String) {
        unlink("\(folder)/\(shard.pendingPath)\(ResultsLayout.movedSuffix)")
    }

    /// Takes a shard whose rows were not committed out of `shards/` again.
    static func withdraw(_ shard: ShardName, in folder: String) {
        let pending = "\(folder)/\(shard.pendingPath)"
        guard rename("\(folder)/\(shard.path)", pending) == 0 || errno == ENOENT else { return }
        unlink(pending + ResultsLayout.movedSuffix)
    }

    /// Shards with a mark, because a coordinator ended between moving them and committing their rows.
    static func unsettled(in folder: String) throws(Failure) -> [ShardName] {
        let pending = "\(folder)/\(ResultsLayout.pending)"
        guard let directory = opendir(pending) else {
            guard errno == ENOENT else { throw trouble("list", pending) }
            return []
        }
        defer { closedir(directory) }
        var found: [ShardName] = []
        errno = 0
        while let entry = readdir(directory) {
            let file = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            guard file.hasSuffix(ResultsLayout.movedSuffix),
                let name = ShardName(file: String(file.dropLast(ResultsLayout.movedSuffix.count)))
            else { continue }
            found.append(name)
        }
        guard errno == 0 else { throw trouble("list", pending) }
        return found.sorted { $0.id < $1.id }
    }

    /// The size of a regular file; nil if there is no such file.
    private static func size(_ path: String) throws(Failure) -> UInt64? {
        var information = stat()
        guard lstat(path, &information) == 0 else {
            guard errno == ENOENT else { throw trouble("look for", path) }
            return nil
        }
        guard information.st_mode & S_IFMT == S_IFREG else { throw .absent("\(path) is not a regular file") }
        return UInt64(information.st_size)
    }

    private static func sync(_ folder: String) throws(Failure) {
        let directory = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard directory >= 0 else { throw trouble("open", folder) }
        defer { close(directory) }
        guard fsync(directory) == 0 else { throw trouble("sync", folder) }
    }

    /// A failed system call; `errno` is read here.
    private static func trouble(_ call: String, _ path: String) -> Failure {
        .unavailable(
            "the coordinator cannot \(call) \(path): \(String(cString: strerror(errno))). Check the disk, its mount and "
                + "the rights of this user")
    }
}
