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

    /// Results by item id.
    private let rows: [String: RowIdentity]
    private let unfinished: Set<String>

    /// Takes over what a store says.
    public init(_ results: StoredResults) {
        rows = Dictionary(
            results.jobs.compactMap { job in
                guard let shard = job.shard, let row = job.row else { return nil }
                return (job.item, RowIdentity(shard: Self.name(of: shard), row: row))
            }, uniquingKeysWith: { first, _ in first })
        unfinished = Set(results.jobs.filter { !$0.state.isFinal }.map(\.item))
    }

    /// What the store says about a row of a job.
    public func verdict(on identity: RowIdentity, of item: String) -> Verdict {
        if unfinished.contains(item) { return .undecided }
        guard let row = rows[item] else { return .orphaned }
        return row == identity ? .visible : .superseded
    }

    /// The name of a shard, a ULID, from its path.
    static func name(of path: String) -> String {
        let file = path.split(separator: "/").last.map(String.init) ?? path
        return file.hasSuffix(".h5") ? String(file.dropLast(3)) : file
    }
}
