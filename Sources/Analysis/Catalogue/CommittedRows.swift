internal import JobModel
public import JobStore
internal import JobVocabulary
public import ResultFiles

/// Which row of which shard is the result of each job, as the job store says.
public struct CommittedRows: Sendable {
    /// What the store says about a row.
    public enum Verdict: Sendable, Hashable {
        /// The row is its job's result.
        case visible
        /// The job's result is another row.
        case superseded
        /// The store knows no such job, or the job ended without a row.
        case orphaned
        /// The job has not ended.
        case undecided
    }

    /// The item whose result each row is: a row with another id belongs to no job.
    private let rows: [RowIdentity: String]
    private let finished: Set<String>
    private let unfinished: Set<String>

    /// Takes over what a store says.
    public init(_ results: StoredResults) {
        var rows: [RowIdentity: String] = [:]
        for job in results.jobs {
            if let identity = Self.identity(of: job) { rows[identity] = job.item }
        }
        self.rows = rows
        finished = Set(results.jobs.filter { $0.shard != nil }.map(\.item))
        unfinished = Set(results.jobs.filter { !$0.state.isFinal }.map(\.item))
    }

    /// The number of rows that are results.
    var count: Int { rows.count }

    /// What the store says about a row of a job.
    public func verdict(on identity: RowIdentity, of item: String) -> Verdict {
        if rows[identity] == item { return .visible }
        if unfinished.contains(item) { return .undecided }
        return finished.contains(item) ? .superseded : .orphaned
    }

    /// Where a worker wrote the row of a job; nil if it has none.
    static func identity(of job: StoredResults.Job) -> RowIdentity? {
        guard let shard = job.shard, let row = job.row else { return nil }
        return RowIdentity(shard: name(of: shard), row: row)
    }

    /// The name of a shard, a ULID, from its path.
    static func name(of path: String) -> String {
        let file = path.split(separator: "/").last.map(String.init) ?? path
        return file.hasSuffix(ResultsLayout.shardSuffix) ? String(file.dropLast(ResultsLayout.shardSuffix.count)) : file
    }
}
