internal import GRDB
internal import JobModel

/// The names of workers in the store, and those among them that nothing refers to any more.
///
/// Jobs refer to their workers by number. Allocations and containers name their workers anew each time, so a store would
/// collect names for ever. Attempts and shards hold names themselves and need none of these.
struct WorkerNames {
    /// Jobs that one piece of a search covers.
    private static let jobsOfAPiece = 20_000
    /// Names that one piece removes.
    private static let namesOfAPiece = 1_000

    /// Numbers of workers that are known to be in the store.
    private(set) var numbers: [WorkerName: Int64] = [:]
    /// Whether to look for names that nothing refers to. Their jobs and batches may have gone before the store was opened.
    var isSearchDue = true
    /// Numbers to which no job refers among those that were looked at; nil while nobody looks.
    private var unused: Set<Int64>?
    /// The last job that was looked at.
    private var lastJob: Int64 = 0

    /// Notes the number of a worker, to which a job refers from here on.
    mutating func use(_ number: Int64, of worker: WorkerName) {
        unused?.remove(number)
        guard numbers[worker] == nil else { return }
        // Names of workers may be made up at each start; the memory for them is bounded.
        if numbers.count >= 10_000 { numbers = [:] }
        numbers[worker] = number
    }

    /// Forgets which numbers are in the store, after changes of it were undone.
    mutating func distrust() { numbers = [:] }

    /// Looks at some more jobs, or removes some names to which none refers; false if nothing is left to do.
    mutating func removePiece(_ database: Database) throws -> Bool {
        guard let unused else {
            guard isSearchDue else { return false }
            isSearchDue = false
            lastJob = 0
            self.unused = Set(try Int64.fetchAll(database, sql: "SELECT id FROM worker"))
            return true
        }
        if !unused.isEmpty, let end = try endOfPiece(database) {
            let used = try Int64.fetchAll(
                database.cachedStatement(
                    sql: "SELECT DISTINCT worker FROM job WHERE id > ? AND id <= ? AND worker IS NOT NULL"),
                arguments: [lastJob, end])
            self.unused?.subtract(used)
            lastJob = end
            return true
        }
        let piece = Array(unused.prefix(Self.namesOfAPiece))
        for number in piece {
            try database.cachedStatement(sql: "DELETE FROM worker WHERE id = ?").execute(arguments: [number])
        }
        numbers = [:]
        self.unused = piece.count < unused.count ? unused.subtracting(piece) : nil
        return true
    }

    /// The last job of the next piece; nil after the last job.
    private func endOfPiece(_ database: Database) throws -> Int64? {
        try Int64.fetchOne(
            database.cachedStatement(
                sql: "SELECT MAX(id) FROM (SELECT id FROM job WHERE id > ? ORDER BY id LIMIT ?)"),
            arguments: [lastJob, Self.jobsOfAPiece])
    }
}
