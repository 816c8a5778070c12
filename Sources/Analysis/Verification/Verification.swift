internal import Foundation
internal import JobModel
public import JobStore
public import ResultFiles

/// Every row of a results folder read back, against its checksums and against what the job store says.
public struct Verification: Sendable {
    /// What can be wrong.
    public enum Kind: String, Sendable, Hashable, CaseIterable {
        /// A shard that cannot be read, or is not the one that was reported.
        case damaged
        /// A job whose row is nowhere.
        case missing
        /// A row that the job store knows nothing of: its worker never got to report it.
        case orphaned
        /// A row of a job whose result is another row.
        case superseded
    }

    /// One thing that was found.
    public struct Finding: Sendable, Hashable {
        /// What it is.
        public var kind: Kind
        /// The job, where it is about one.
        public var job: String
        /// The shard, relative to the results folder, where there is one.
        public var shard: String
        /// The row of the shard; nil where the whole shard is meant.
        public var row: Int?
        /// What was found.
        public var reason: String
    }

    /// Shards that were read.
    public private(set) var shards = 0
    /// Rows that are somebody's result and read back well.
    public private(set) var visible = 0
    /// Rows of jobs that have not ended yet.
    public private(set) var undecided = 0
    /// What was found, shards first.
    public private(set) var findings: [Finding] = []

    /// Jobs whose rows are gone, by item id.
    public var missing: [String] { findings.filter { $0.kind == .missing }.map(\.job) }
    /// Whether every job that ended has its row, and every shard can be read.
    public var isSound: Bool { !findings.contains { $0.kind == .missing || $0.kind == .damaged } }
    /// How many findings there are of a kind.
    public func count(_ kind: Kind) -> Int { findings.count { $0.kind == kind } }

    /// Reads a folder; `results` is what its job store says, `expected` the items of the batch where there is no store.
    ///
    /// - Parameter progress: Called after each shard with how many are done, of how many.
    public init(
        _ folder: ResultsFolder, results: StoredResults?, expected: [String]? = nil,
        progress: (_ done: Int, _ total: Int) -> Void = { _, _ in }
    ) throws {
        var tally = Tally(results: results)
        let paths = try folder.shards()
        for (index, path) in paths.enumerated() {
            do {
                let reader = try ShardReader("\(folder.path)/\(path)")
                try tally.checkDigest(reader, path)
                let rows = try reader.verify()
                let origins = try reader.origins()
                tally.add(rows, origins.map(\.identity), path)
                shards += 1
            } catch {
                tally.findings.append(Finding(kind: .damaged, job: "", shard: path, row: nil, reason: "\(error)"))
            }
            progress(index + 1, paths.count)
        }
        let outcome = tally.outcome(expected: expected)
        visible = outcome.visible
        undecided = outcome.undecided
        findings = outcome.findings
    }
}

extension Verification {
    /// Moves damaged shards to `damaged/`, where no reader meets them: for after their jobs were put back.
    ///
    /// They are moved and not deleted, since what is left in them may be wanted.
    ///
    /// - Returns: The shards that were moved.
    public func setDamagedAside(in folder: ResultsFolder) throws -> [String] {
        let shards = findings.filter { $0.kind == .damaged }.map(\.shard)
        guard !shards.isEmpty else { return [] }
        let place = "\(folder.path)/damaged"
        try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
        for shard in shards {
            let name = shard.split(separator: "/").last.map(String.init) ?? shard
            var target = "\(place)/\(name)"
            if FileManager.default.fileExists(atPath: target) { target += ".\(UUID().uuidString)" }
            try FileManager.default.moveItem(atPath: "\(folder.path)/\(shard)", toPath: target)
        }
        return shards
    }
}

/// The rows that were read, until all of them are and each can be judged.
private struct Tally {
    struct Place {
        let job: String
        let attempt: UInt64
        let identity: RowIdentity
        let shard: String
        let row: Int
    }

    let results: StoredResults?
    var findings: [Verification.Finding] = []
    private var places: [Place] = []
    private let digests: [String: [UInt8]]

    init(results: StoredResults?) {
        self.results = results
        digests = Dictionary(
            (results?.shards ?? [:]).map { (CommittedRows.name(of: $0.key), $0.value) },
            uniquingKeysWith: { first, _ in first })
    }

    /// A reported shard must be the very file that was reported.
    func checkDigest(_ reader: ShardReader, _ path: String) throws {
        guard let reported = digests[CommittedRows.name(of: path)], reader.sha256 != reported else { return }
        throw AnalysisError(
            .badRequest, "\(path) is not the file that its worker reported; restore it from a copy or requeue its jobs")
    }

    mutating func add(_ rows: [ResultRow], _ identities: [RowIdentity], _ shard: String) {
        for (index, row) in rows.enumerated() {
            places.append(
                Place(job: row.id, attempt: row.attempt, identity: identities[index], shard: shard, row: index))
        }
    }

    func outcome(expected: [String]?) -> (visible: Int, undecided: Int, findings: [Verification.Finding]) {
        let committed = results.map(CommittedRows.init)
        let last = lastAttempts()
        var findings = findings
        var seen: Set<RowIdentity> = []
        var seenJobs: Set<String> = []
        var undecided = 0
        for place in places {
            func note(_ kind: Verification.Kind, _ reason: String) {
                findings.append(
                    Verification.Finding(kind: kind, job: place.job, shard: place.shard, row: place.row, reason: reason)
                )
            }
            let verdict =
                committed?.verdict(on: place.identity, of: place.job)
                ?? (last[place.job] == place.identity ? .visible : .superseded)
            switch verdict {
            case .visible:
                seenJobs.insert(place.job)
                if !seen.insert(place.identity).inserted { note(.superseded, "a copy of a row that was merged") }
            case .superseded: note(.superseded, "attempt \(place.attempt); another row is the job's result")
            case .orphaned: note(.orphaned, "attempt \(place.attempt) was never reported")
            case .undecided: undecided += 1
            }
        }
        if let results {
            for job in results.jobs {
                guard let identity = CommittedRows.identity(of: job), !seen.contains(identity) else { continue }
                let row = job.row.map { " row \($0)" } ?? ""
                findings.append(
                    Verification.Finding(
                        kind: .missing, job: job.item, shard: job.shard ?? "", row: job.row,
                        reason: "its result should be\(row) of \(job.shard ?? "")"))
            }
        } else {
            for item in expected ?? [] where !seenJobs.contains(item) {
                findings.append(
                    Verification.Finding(
                        kind: .missing, job: item, shard: "", row: nil, reason: "no shard holds a row of it"))
            }
        }
        return (seen.count, undecided, findings)
    }

    /// Without a job store the last attempt at a job made its result.
    private func lastAttempts() -> [String: RowIdentity] {
        var last: [String: Place] = [:]
        for place in places {
            if let other = last[place.job],
                (other.attempt, other.identity.shard) >= (place.attempt, place.identity.shard)
            {
                continue
            }
            last[place.job] = place
        }
        return last.mapValues(\.identity)
    }
}
