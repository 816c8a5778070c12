private import FileLocks
internal import Foundation
internal import GRDB
internal import JobModel
internal import JobVocabulary
public import ResultFiles

/// `catalogue.sqlite`: the scalars of every visible row of a results folder, with the shard and row that hold the rest.
///
/// It is made from the shards and can be made anew from them at any time. A job store says which row of a job was
/// committed. Without one the last attempt's counts, which may be another where jobs were run a second time.
public final class Catalogue {
    /// What a catalogue holds.
    public struct Summary: Sendable, Hashable {
        /// Shards that were read.
        public var shards: Int
        /// Visible rows.
        public var jobs: Int
        /// What could not be read, a sentence each: shards, and rows that count and are in none.
        public var unreadable: [String]

        /// The summary of an empty catalogue.
        public static let none = Summary(shards: 0, jobs: 0, unreadable: [])
    }

    /// The results folder.
    public let folder: ResultsFolder
    /// Counts of the catalogue's shards and rows.
    public private(set) var summary = Summary.none
    let queue: DatabaseQueue
    /// The shards that jobs were read from.
    let shards: OpenedShards

    private static func url(_ folder: ResultsFolder) -> URL {
        URL(fileURLWithPath: folder.path).appendingPathComponent(ResultsLayout.catalogue)
    }

    /// Makes the catalogue of a folder from its shards alone, or from what a job store says about them.
    public static func rebuild(_ folder: ResultsFolder, committed: CommittedRows? = nil) throws -> Summary {
        let shards = try folder.shards()
        try check(shards, hold: committed, in: folder)
        return try make(folder, of: shards, committed: committed)
    }

    /// Throws if a folder has no shards at all though rows in them count: a good catalogue is not to give way to an empty one.
    private static func check(
        _ shards: [String], hold committed: CommittedRows?, in folder: ResultsFolder
    ) throws {
        guard shards.isEmpty, let count = committed?.count, count > 0 else { return }
        throw AnalysisError(
            .catalogue,
            "\(folder.path)/\(ResultsLayout.shards) holds no shard, and \(count) rows in it count, as the job store says: is it mounted? "
                + "'winnow results verify' lists what is missing")
    }

    /// Puts a new catalogue of some shards in the place of the old one.
    private static func make(
        _ folder: ResultsFolder, of shards: [String], committed: CommittedRows?
    ) throws -> Summary {
        let final = url(folder)
        sweepLeftovers(folder)
        let fresh = final.deletingLastPathComponent().appendingPathComponent(
            ".\(ResultsLayout.catalogue)-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: fresh) }
        // Shows other processes that this one is at work and was not killed.
        let claim = try? FileLock(.file(fresh.path), waits: false)
        defer { withExtendedLifetime(claim) {} }
        var summary = Summary.none
        try wrapping(final.path) {
            var configuration = Configuration()
            configuration.prepareDatabase { database in
                // Nothing is lost with a file that is not there yet. Large pages make a scan of one column quicker.
                try database.execute(
                    sql: "PRAGMA page_size = 32768; PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF")
            }
            let queue = try DatabaseQueue(path: fresh.path, configuration: configuration)
            try queue.write { database in
                try CatalogueSchema.create(database, decidedBy: CatalogueSchema.Decider(committed))
                var additions = CatalogueAdditions(folder: folder, committed: committed)
                for shard in shards { try additions.add(shard, to: database) }
                summary = try additions.summary(database, of: shards)
            }
            try queue.close()
            try CatalogueLock.holding(folder.path) {
                // What a killed writer left of the old file would be rolled back into the new one.
                for suffix in ["-journal", "-wal", "-shm"] { unlink(final.path + suffix) }
                // Readers of the old file continue to read it.
                guard rename(fresh.path, final.path) == 0 else {
                    throw AnalysisError(
                        .catalogue, "\(final.path) cannot be replaced: \(String(cString: strerror(errno)))")
                }
            }
        }
        return summary
    }

    /// Deletes what making a catalogue left behind when it was killed: files that nobody holds. On a file system without
    /// locks, where that cannot be told, an hour is longer than any takes.
    private static func sweepLeftovers(_ folder: ResultsFolder) {
        let files = FileManager.default
        for name in (try? files.contentsOfDirectory(atPath: folder.path)) ?? []
        where name.hasPrefix(".\(ResultsLayout.catalogue)-") {
            let path = "\(folder.path)/\(name)"
            let attributes = try? files.attributesOfItem(atPath: path)
            // Between its making and its lock a file is nobody's for a moment.
            guard let written = attributes?[.modificationDate] as? Date, written.timeIntervalSinceNow < -10,
                written.timeIntervalSinceNow < -3600 || !FileLock.isHeld(path)
            else { continue }
            try? files.removeItem(atPath: path)
        }
    }

    /// Opens the catalogue of a folder after adding what is new there; makes it where it is absent or of another version.
    ///
    /// A catalogue that was made without a job store is made anew where there is one: a last attempt that was never
    /// committed would stay visible.
    ///
    /// - Parameter committed: What a job store says; asked for only where that matters.
    public init(_ folder: ResultsFolder, committed: () throws -> CommittedRows? = { nil }) throws {
        self.folder = folder
        shards = OpenedShards(folder, reading: .rows)
        if let current = try Self.refresh(folder, committed) {
            (queue, summary) = current
            return
        }
        // A folder without shards gets no catalogue.
        let listed = try folder.shards(), decided = try committed()
        try Self.check(listed, hold: decided, in: folder)
        // Begun with nothing in it, so that what was added stays however often this is killed.
        _ = try Self.make(folder, of: [], committed: decided)
        guard let fresh = try Self.refresh(folder, { decided }) else {
            throw AnalysisError(
                .catalogue, "\(Self.url(folder).path) is changed by somebody else at the same time; try again")
        }
        (queue, summary) = fresh
    }

    /// Opens an existing catalogue and adds what is new; nil if it has to be made anew.
    private static func refresh(
        _ folder: ResultsFolder, _ committed: () throws -> CommittedRows?
    ) throws -> (queue: DatabaseQueue, summary: Summary)? {
        let path = url(folder).path
        // Opening a pipe would wait for somebody to write to it.
        guard isFile(path), let queue = try? open(path),
            (try? queue.read(CatalogueSchema.isCurrent)) == true
        else { return nil }
        let shards = try folder.shards()
        return try wrapping(path) {
            let decider = try queue.read(CatalogueSchema.decider)
            if decider == .shards, try committed() != nil { return nil }
            let known = try queue.read { database in
                try Row.fetchAll(database, sql: "SELECT path, settled FROM shards").map { row in
                    (
                        path: String.fromDatabaseValue(row["path"] as DatabaseValue) ?? "",
                        isSettled: Bool.fromDatabaseValue(row["settled"] as DatabaseValue) ?? false
                    )
                }
            }
            let gone = Set(known.map(\.path)).subtracting(shards)
            // If a shard has gone, rows that it superseded may count again; a shard without visible rows superseded none.
            guard try gone.isEmpty || gone.isDisjoint(with: queue.read(Self.shardsWithRows)) else { return nil }
            let settled = Set(known.filter(\.isSettled).map(\.path))
            let damage = try queue.read { try CatalogueAdditions.knownDamage(in: folder, $0) }
            let unreadable = shards.compactMap { damage[$0] }
            let new = shards.filter { !settled.contains($0) && damage[$0] == nil }
            let hasNews = !new.isEmpty || !gone.isEmpty
            // What was missing may be there by now, or not count any more.
            let isAsked = try hasNews || queue.read(CatalogueSchema.missingRows) > 0
            let decided = isAsked ? try committed() : nil
            guard hasNews || decided != nil else {
                return (queue, try queue.read { try CatalogueAdditions.summary($0, unreadable: unreadable) })
            }
            let summary = try CatalogueLock.holding(folder.path) {
                var configuration = Configuration()
                configuration.busyMode = .timeout(10)
                let writer = try DatabaseQueue(path: path, configuration: configuration)
                var additions = CatalogueAdditions(folder: folder, committed: decided, unreadable: unreadable)
                try writer.write { database in
                    try CatalogueSchema.note(CatalogueSchema.Decider(decided), database)
                    for path in gone {
                        try database.execute(sql: "DELETE FROM shards WHERE path = ?", arguments: [path])
                    }
                }
                var summary = Summary.none
                for start in stride(from: 0, to: max(1, new.count), by: shardsOfATransaction) {
                    let end = min(start + shardsOfATransaction, new.count)
                    try writer.write { database in
                        for shard in new[start..<end] { try additions.add(shard, to: database) }
                        // Until the last shard is in, rows are missing, for which the folder would be listed each time.
                        if end == new.count { summary = try additions.summary(database, of: shards) }
                    }
                }
                try writer.close()
                return summary
            }
            return (queue, summary)
        }
    }

    /// Shards that are added at once: what a process adds before it is killed need not be added again.
    private static let shardsOfATransaction = 64

    /// The shards that hold visible rows.
    private static func shardsWithRows(_ database: Database) throws -> Set<String> {
        try Set(String.fetchAll(database, sql: "SELECT DISTINCT shard FROM jobs"))
    }

    /// A connection that cannot change the file, and that runs no code from its author.
    private static func open(_ path: String) throws -> DatabaseQueue {
        var configuration = Configuration()
        configuration.readonly = true
        configuration.busyMode = .timeout(10)
        configuration.prepareDatabase {
            try $0.execute(
                sql: "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA mmap_size = 2147418112")
        }
        return try DatabaseQueue(path: path, configuration: configuration)
    }

    static func wrapping<Value>(_ path: String, _ body: () throws -> Value) throws -> Value {
        do {
            return try body()
        } catch let error as DatabaseError {
            throw AnalysisError(error, ofCatalogue: path)
        }
    }
}
