internal import JobModel
public import JobStore
public import ResultFiles

/// Which row of which shard is the result of each job, as the job store says.
public struct CommittedRows: Sendable {
    /// What the store says about a row.
    public enum Verdict: Sendable, Hashable {
        /// It is the job's result.
        case visible
        /// The job's result is another row.
        case superseded
        /// The store knows no such job, or the job ended without a row.
        case orphaned
        /// The job has not ended.
        case undecided
    }

    /// Every row that is a result; items that share a job share its row, which bears the id of one of them.
    private let rows: Set<RowIdentity>
    private let finished: Set<String>
    private let unfinished: Set<String>

    /// Takes over what a store says.
    public init(_ results: StoredResults) {
        rows = Set(results.jobs.compactMap(Self.identity))
        finished = Set(results.jobs.filter { $0.shard != nil }.map(\.item))
        unfinished = Set(results.jobs.filter { !$0.state.isFinal }.map(\.item))
    }

    /// What the store says about a row of a job.
    public func verdict(on identity: RowIdentity, of item: String) -> Verdict {
        if rows.contains(identity) { return .visible }
        if unfinished.contains(item) { return .undecided }
        return finished.contains(item) ? .superseded : .orphaned
    }

    /// Where a worker wrote the row of a job; nil where it has none.
    static func identity(of job: StoredResults.Job) -> RowIdentity? {
        guard let shard = job.shard, let row = job.row else { return nil }
        return RowIdentity(shard: name(of: shard), row: row)
    }

    /// The name of a shard, a ULID, from its path.
    static func name(of path: String) -> String {
        let file = path.split(separator: "/").last.map(String.init) ?? path
        return file.hasSuffix(".h5") ? String(file.dropLast(3)) : file
    }
}
