internal import HDF5

/// A file that is complete, durable and never changed again; what a worker reports to the coordinator.
public struct SealedShard: Sendable, Hashable {
    /// Path relative to the results folder, such as `shards/3f/01J….h5`: where the file is, or will be once it counts.
    public let path: String
    /// SHA-256 of the file, 32 bytes.
    public let sha256: [UInt8]
    /// Size of the file.
    public let bytes: Int
    /// The ids of the jobs in the order of the rows.
    public let jobs: [String]
}

/// Collects finished jobs in memory and writes them as one sealed shard.
///
/// A row becomes visible with its whole shard or not at all: the file is built in memory, written under a temporary
/// name, synced and closed, then linked under its final name, and the folder is synced.
public struct ShardWriter: Sendable {
    /// Where a sealed shard goes.
    public enum Destination: Sendable, Hashable {
        /// Into `shards/`: its rows count.
        case shards
        /// Into `pending/`, until a coordinator says that its rows count and moves it.
        case pending
    }

    /// When a shard is worth sealing; whichever is reached first.
    public struct Limits: Sendable, Hashable {
        /// Finished jobs.
        public var rows: Int
        /// Bytes in memory.
        public var bytes: Int
        /// Time since the first job came in.
        public var age: Duration

        /// 1,024 rows, 64 MiB and 10 seconds unless told otherwise.
        public init(rows: Int = 1024, bytes: Int = 64 << 20, age: Duration = .seconds(10)) {
            self.rows = rows
            self.bytes = bytes
            self.age = age
        }
    }

    /// What all rows share.
    public let header: ShardHeader
    /// The rows that wait, in the order they will have in the shard.
    public private(set) var rows: [ResultRow] = []
    /// Bytes that the rows take.
    public private(set) var byteCount = 0

    private let folder: ResultsFolder
    private let limits: Limits
    private var firstAdded: ContinuousClock.Instant?

    /// A writer without rows, for a folder that has been prepared.
    public init(folder: ResultsFolder, header: ShardHeader, limits: Limits = Limits()) {
        self.folder = folder
        self.header = header
        self.limits = limits
    }

    /// Takes a finished job, unless it contradicts itself; then the writer is as before and the error names the job.
    public mutating func add(_ row: ResultRow, at now: ContinuousClock.Instant) throws(ResultFileError) {
        try row.check(against: header)
        if rows.isEmpty { firstAdded = now }
        rows.append(row)
        byteCount += row.byteCount
    }

    /// Whether it is time to seal.
    public func isDue(at now: ContinuousClock.Instant) -> Bool {
        guard let deadline else { return false }
        return rows.count >= limits.rows || byteCount >= limits.bytes || now >= deadline
    }

    /// When the rows become due by their age; nil without rows.
    public var deadline: ContinuousClock.Instant? { firstAdded?.advanced(by: limits.age) }

    /// Writes the rows as the shard `id`, and is empty afterwards.
    ///
    /// Where it throws, nothing is visible and the rows are still here: seal again under a new id, or take them back.
    ///
    /// - Parameters:
    ///   - destination: Where the file goes.
    ///   - reached: Called at each step on the way.
    public mutating func seal(
        as id: ULID, into destination: Destination = .shards, reached: (SealingStep) -> Void = { _ in }
    ) throws(ResultFileError) -> SealedShard {
        let image: FileImage
        do {
            image = try ShardContents(header: header, id: id, rows: rows).image()
        } catch {
            throw ResultFileError(.writeFailed, "cannot build the shard \(id): \(error)", cause: error)
        }
        let name = ShardName(id)
        let part = try PartFile(writing: image, to: "\(folder.path)/\(name.partPath)", reached: reached)
        do throws(ResultFileError) {
            let place = destination == .shards ? name.path : name.pendingPath
            try part.publish(as: "\(folder.path)/\(place)", reached: reached)
        } catch {
            part.discard()
            throw error
        }
        let sealed = SealedShard(
            path: name.path, sha256: part.sha256, bytes: part.bytes, jobs: rows.map(\.id))
        removeAll()
        return sealed
    }

    /// Drops the rows as if they were the shard `id`, which does not exist: for measuring everything but files.
    public mutating func sealWithoutFile(as id: ULID) -> SealedShard {
        let jobs = removeAll().map(\.id)
        return SealedShard(
            path: ShardName(id).path, sha256: [UInt8](repeating: 0, count: 32), bytes: 0, jobs: jobs)
    }

    /// Forgets all rows and returns them.
    @discardableResult
    public mutating func removeAll() -> [ResultRow] {
        defer {
            rows = []
            byteCount = 0
            firstAdded = nil
        }
        return rows
    }
}
