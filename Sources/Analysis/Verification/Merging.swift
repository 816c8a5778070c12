internal import Foundation
public import ResultFiles

/// Turns many shards of a results folder into a few large ones with the same visible rows.
///
/// It can be killed and started again at any time. A merged shard says of each row where it was first written, so a row
/// that is in two files is still one row; a shard goes only when no visible row is left in it, that is after the one
/// that took its rows was read back and is durable.
public struct Merging {
    /// What was done.
    public struct Summary: Sendable, Hashable {
        /// Shards before.
        public var shardsBefore = 0
        /// Shards after.
        public var shardsAfter = 0
        /// Shards that were written.
        public var written: [String] = []
        /// Visible rows, before and after.
        public var rows = 0
    }

    /// The results folder.
    public let folder: ResultsFolder
    /// What the job store says; nil where nobody writes here any more and there is none.
    public let committed: CommittedRows?
    /// About the bytes of a merged shard.
    public let targetBytes: Int
    /// The machine and the program, for the shards that are written.
    public let host: String
    /// The program and its version.
    public let software: String

    /// A merge of a folder in which no worker writes any more.
    public init(
        _ folder: ResultsFolder, committed: CommittedRows?, targetBytes: Int = 1 << 30, host: String, software: String
    ) {
        self.folder = folder
        self.committed = committed
        self.targetBytes = targetBytes
        self.host = host
        self.software = software
    }

    /// Merges; `step` is called before each file is written or removed, so that tests can end the process there.
    public func run(_ step: (_ what: String) -> Void = { _ in }) throws -> Summary {
        var summary = Summary()
        try folder.prepare()
        // Nobody writes here any more, so these are what workers and merges left that were killed.
        _ = folder.sweepStaleParts(now: Date(), olderThan: .zero)
        summary.shardsBefore = try folder.shards().count
        let before = try Catalogue.rebuild(folder, committed: committed)
        guard before.unreadable.isEmpty else {
            throw AnalysisError(
                .badRequest,
                "\(before.unreadable.count) shards cannot be read, the first: \(before.unreadable[0]). "
                    + "'winnow results verify' lists them; nothing was merged.")
        }
        summary.rows = before.jobs
        let shards = OpenedShards(folder, reading: .everything)
        for group in try groups(visible: removingEmptyShards(step), shards) {
            summary.written.append(try write(group, shards, step))
        }
        let after = try Catalogue(folder) { committed }.summary
        guard after.jobs == before.jobs, after.unreadable.isEmpty else {
            throw AnalysisError(
                .badRequest,
                "there were \(before.jobs) rows before and \(after.jobs) after; run 'winnow results verify'")
        }
        _ = try removingEmptyShards(step)
        let final = try Catalogue.rebuild(folder, committed: committed)
        guard final.jobs == before.jobs else {
            throw AnalysisError(.badRequest, "rows went missing while merging; run 'winnow results verify'")
        }
        summary.shardsAfter = try folder.shards().count
        return summary
    }

    /// Jobs of which shards hold several attempts: only a job store knows which of them is the result.
    public func contestedJobs() throws -> [String] {
        var found: [String: RowIdentity] = [:]
        var contested: Set<String> = []
        for path in try folder.shards() {
            let reader = try ShardReader("\(folder.path)/\(path)", reading: .scalars)
            let rows = try reader.rows(features: false, trace: false)
            let origins = try reader.origins()
            for (row, origin) in zip(rows, origins) {
                // A copy of a row that was merged is still that row.
                if let other = found[row.id], other != origin.identity { contested.insert(row.id) }
                found[row.id] = origin.identity
            }
        }
        return contested.sorted()
    }

    /// Removes shards without a visible row; returns the visible rows of the others.
    private func removingEmptyShards(_ step: (String) -> Void) throws -> [String: [Int]] {
        let catalogue = try Catalogue(folder) { committed }
        var visible: [String: [Int]] = [:]
        for row in try catalogue.query("SELECT shard, row FROM jobs ORDER BY shard, row").rows {
            guard case .text(let shard)? = row[0], case .integer(let place)? = row[1] else { continue }
            visible[shard, default: []].append(Int(place))
        }
        for shard in try folder.shards() where visible[shard] == nil {
            step("remove \(shard)")
            try FileManager.default.removeItem(atPath: "\(folder.path)/\(shard)")
        }
        return visible
    }

    /// Shards that become one, in the order they were written.
    private func groups(visible: [String: [Int]], _ shards: OpenedShards) throws -> [[(path: String, rows: [Int])]] {
        struct Open {
            var merge: ShardMerge
            var members: [(path: String, rows: [Int])] = []
            var bytes = 0
        }
        var open: [Open] = [], full: [[(path: String, rows: [Int])]] = []
        let paths = visible.keys.sorted { CommittedRows.name(of: $0) < CommittedRows.name(of: $1) }
        for path in paths {
            guard let rows = visible[path] else { continue }
            let reader = try shards.reader(path)
            let attributes = try FileManager.default.attributesOfItem(atPath: reader.path)
            let bytes = (attributes[.size] as? Int ?? 0) * rows.count / max(1, reader.rowCount)
            // Large and wholly visible: it stays as it is.
            if bytes >= targetBytes / 2, rows.count == reader.rowCount { continue }
            let place = open.firstIndex { $0.merge.fits(reader.header) } ?? open.count
            if place == open.count { open.append(Open(merge: ShardMerge(header: reader.header))) }
            if open[place].bytes + bytes > targetBytes * 3 / 2, !open[place].members.isEmpty {
                full.append(open[place].members)
                (open[place].members, open[place].bytes) = ([], 0)
            }
            open[place].members.append((path, rows))
            open[place].bytes += bytes
            if open[place].bytes >= targetBytes {
                full.append(open[place].members)
                (open[place].members, open[place].bytes) = ([], 0)
            }
        }
        // One shard alone is as good as its copy, unless rows in it don't count.
        let isWhole = { (member: (path: String, rows: [Int])) throws in
            try shards.reader(member.path).rowCount == member.rows.count
        }
        return try (full + open.map(\.members)).filter { group in
            try group.count > 1 || group.contains { try !isWhole($0) }
        }
    }

    private func write(
        _ group: [(path: String, rows: [Int])], _ shards: OpenedShards, _ step: (String) -> Void
    ) throws -> String {
        var merge: ShardMerge?
        for (path, rows) in group {
            let reader = try shards.reader(path)
            if merge == nil { merge = ShardMerge(header: reader.header) }
            try merge?.add(rows, of: reader)
        }
        guard let merge else { preconditionFailure("a group has members") }
        var random = SystemRandomNumberGenerator()
        let id = ULID(milliseconds: UInt64(Date().timeIntervalSince1970 * 1000), using: &random)
        step("write \(id)")
        let sealed = try merge.seal(
            as: id, in: folder, by: "winnow results merge", host: host, software: software)
        step("wrote \(sealed.path)")
        return sealed.path
    }
}
