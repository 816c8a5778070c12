internal import Foundation
internal import JobModel
public import JobStore
internal import JobVocabulary
public import ResultFiles

/// Reads every row of a results folder back and checks it against its checksums and the job store.
public struct Verification: Sendable {
    /// What can be wrong.
    public enum Kind: String, Sendable, Hashable, CaseIterable {
        /// What cannot be read just now, or not by this program, and a job whose row may be there. It may be whole.
        case unavailable
        /// A shard that can be read and is wrong, or is not the one that was reported.
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
        /// The row of the shard; nil for the whole shard.
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
    public var isSound: Bool { !findings.contains { [.missing, .damaged, .unavailable].contains($0.kind) } }
    /// Whether everything could be looked at, so that what was not found is not there.
    public var isComplete: Bool { !findings.contains { $0.kind == .unavailable } }
    /// How many findings there are of a kind.
    public func count(_ kind: Kind) -> Int { findings.count { $0.kind == kind } }

    /// Reads a folder; `results` is what its job store says, `expected` the items of the batch where there is no store.
    ///
    /// - Parameters:
    ///   - takesAbsenceAsLoss: Whether shards are lost also where all of them are gone, rather than not mounted.
    ///   - progress: Called after each shard with how many are done, of how many.
    public init(
        _ folder: ResultsFolder, results: StoredResults?, expected: [String]? = nil, takesAbsenceAsLoss: Bool = false,
        progress: (_ done: Int, _ total: Int) -> Void = { _, _ in }
    ) throws {
        var tally = Tally(results: results)
        let paths: [String]
        do throws(ResultFileError) {
            paths = try folder.shards()
        } catch {
            // Without a store nobody knows that there should be anything.
            guard error.code == .unavailable || results != nil else { throw error }
            paths = []
            if error.code == .unavailable { tally.note(error, of: ResultsLayout.shards) }
        }
        if let results, !takesAbsenceAsLoss, let reason = Self.absence(of: results, in: folder, found: paths) {
            tally.findings.append(
                Finding(kind: .unavailable, job: "", shard: ResultsLayout.shards, row: nil, reason: reason))
        }
        for (index, path) in paths.enumerated() {
            do throws(ResultFileError) {
                let reader = try ShardReader("\(folder.path)/\(path)")
                if let reason = tally.otherDigest(reader, path) {
                    tally.findings.append(Finding(kind: .damaged, job: "", shard: path, row: nil, reason: reason))
                } else {
                    let rows = try reader.verify()
                    let origins = try reader.origins()
                    tally.add(rows, origins.map(\.identity), path)
                    shards += 1
                }
            } catch {
                tally.note(error, of: path)
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
    /// Why the folder may not be the one that the batch wrote to, or only a part of it; nil where it is the one.
    private static func absence(of results: StoredResults, in folder: ResultsFolder, found: [String]) -> String? {
        guard !Set(results.shards.keys).isSubset(of: found) else { return nil }
        if let token = results.token { return ResultsToken.mismatch(token, in: folder.path) }
        guard found.isEmpty, !results.shards.isEmpty else { return nil }
        return "none of the \(results.shards.count) shards that the job store knows is there: is their disk mounted?"
    }

    /// Moves damaged shards to `damaged/`, where no reader meets them: for after their jobs were put back.
    ///
    /// They are moved and not deleted, since what is left in them may be wanted.
    ///
    /// - Returns: The shards that were moved.
    public func setDamagedAside(in folder: ResultsFolder) throws -> [String] {
        let shards = findings.filter { $0.kind == .damaged }.map(\.shard)
        guard !shards.isEmpty else { return [] }
        let place = "\(folder.path)/\(ResultsLayout.damaged)"
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

/// Collects rows until all are read and each can be judged.
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

    /// A reported shard must be the very file that was reported; why it is not, or nil.
    func otherDigest(_ reader: ShardReader, _ path: String) -> String? {
        guard let reported = digests[CommittedRows.name(of: path)], reader.sha256 != reported else { return nil }
        return "\(path) is not the file that its worker reported; restore it from a copy or requeue its jobs"
    }

    /// Notes a shard, or the folder of all of them, that could not be read: only what can be read can be damaged.
    mutating func note(_ error: ResultFileError, of shard: String) {
        let kind: Verification.Kind = error.code == .corrupt ? .damaged : .unavailable
        findings.append(Verification.Finding(kind: kind, job: "", shard: shard, row: nil, reason: "\(error)"))
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
        // What was not found may be in what could not be read.
        let absence: Verification.Kind = findings.contains { $0.kind == .unavailable } ? .unavailable : .missing
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
                        kind: absence, job: job.item, shard: job.shard ?? "", row: job.row,
                        reason: "its result should be\(row) of \(job.shard ?? "")"))
            }
        } else {
            for item in expected ?? [] where !seenJobs.contains(item) {
                findings.append(
                    Verification.Finding(
                        kind: absence, job: item, shard: "", row: nil,
                        reason: "no shard that was read holds a row of it"))
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
