internal import Foundation
internal import JobVocabulary
public import ResultFiles

/// Turns many shards of a results folder into a few large ones with the same visible rows.
///
/// It can be killed and started again at any time, and gets on however often that happens: after a kill it writes smaller
/// files first, which it merges in turn. A merged shard says of each row where it was first written, so a row
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
    /// What the job store says; nil if nobody writes here any more and there is none.
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
        // Nothing writes here any more: parts that are left come from killed workers and merges.
        _ = folder.sweepStaleParts(now: Date(), olderThan: .zero)
        try setPendingAside()
        summary.shardsBefore = try folder.shards().count
        let rows = try sound(Catalogue(folder) { committed }.summary).jobs
        summary.rows = rows
        var size = MergeSize(folder, most: targetBytes)
        while let bytes = try size.next() {
            summary.written += try mergeOnce(into: bytes, rows: rows, step)
        }
        let final = try sound(Catalogue(folder) { committed }.summary)
        guard final.jobs == rows else {
            throw AnalysisError(.badRequest, "rows went missing while merging; run 'winnow results verify'")
        }
        summary.shardsAfter = try folder.shards().count
        let left = try Set(folder.shards())
        summary.written = summary.written.filter(left.contains)
        return summary
    }

    /// Merges shards into files of about so many bytes; returns those that were written.
    private func mergeOnce(into bytes: Int, rows: Int, _ step: (String) -> Void) throws -> [String] {
        let shards = OpenedShards(folder, reading: .everything)
        var written: [String] = []
        try eachGroup(of: removingEmptyShards(step), into: bytes, shards) { group in
            written.append(try write(group, shards, step))
        }
        guard !written.isEmpty else { return [] }
        let after = try sound(Catalogue(folder) { committed }.summary).jobs
        guard after == rows else {
            throw AnalysisError(
                .badRequest, "there were \(rows) rows before and \(after) after; run 'winnow results verify'")
        }
        _ = try removingEmptyShards(step)
        return written
    }

    /// What a catalogue holds, if it could read every shard: of one that it could not, nobody knows which rows count.
    private func sound(_ summary: Catalogue.Summary) throws -> Catalogue.Summary {
        guard let first = summary.unreadable.first else { return summary }
        throw AnalysisError(
            .badRequest,
            "not everything can be read, such as: \(first). 'winnow results verify' lists it; nothing more was merged.")
    }

    /// Moves sealed shards that were never taken to `superseded/`: the batch is over, and none of their rows counts.
    private func setPendingAside() throws {
        let files = FileManager.default
        let pending = "\(folder.path)/\(ResultsLayout.pending)", place = "\(folder.path)/\(ResultsLayout.superseded)"
        for name in (try? files.contentsOfDirectory(atPath: pending)) ?? [] where ShardName(file: name) != nil {
            try files.createDirectory(atPath: place, withIntermediateDirectories: true)
            guard rename("\(pending)/\(name)", "\(place)/\(name)") == 0 else {
                throw AnalysisError(
                    .badRequest, "\(pending)/\(name) cannot be moved to \(place): \(String(cString: strerror(errno)))")
            }
        }
    }

    /// Jobs with several attempts in the shards: only a job store knows which attempt is the result.
    public func contestedJobs() throws -> [String] {
        let counts = try Catalogue(folder) { committed }.query(
            "SELECT (SELECT SUM(rows) FROM shards), (SELECT COUNT(*) FROM jobs)"
        ).rows.first
        // A catalogue that lists every row has one of each job; most folders need no second look.
        if let counts, case .integer(let rows)? = counts[0], case .integer(let jobs)? = counts[1], rows == jobs {
            return []
        }
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

    /// The visible rows of a shard.
    private struct Visible {
        var rows: [Int] = []
        /// Whether all rows of the shard are visible.
        var isAll = false
    }

    /// Removes shards without a visible row; returns the visible rows of the others.
    private func removingEmptyShards(_ step: (String) -> Void) throws -> [String: Visible] {
        let catalogue = try Catalogue(folder) { committed }
        _ = try sound(catalogue.summary)
        var visible: [String: Visible] = [:]
        for row in try catalogue.query("SELECT shard, row FROM jobs ORDER BY shard, row").rows {
            guard case .text(let shard)? = row[0], case .integer(let place)? = row[1] else { continue }
            visible[shard, default: Visible()].rows.append(Int(place))
        }
        for row in try catalogue.query("SELECT path, rows FROM shards").rows {
            guard case .text(let shard)? = row[0], case .integer(let count)? = row[1] else { continue }
            let isAll = visible[shard]?.rows.count == Int(count)
            visible[shard]?.isAll = isAll
        }
        for shard in try folder.shards() where visible[shard] == nil {
            step("remove \(shard)")
            try FileManager.default.removeItem(atPath: "\(folder.path)/\(shard)")
        }
        return visible
    }

    /// Hands over shards that become one as soon as there are enough of them, in the order they were written.
    private func eachGroup(
        of visible: [String: Visible], into targetBytes: Int, _ shards: OpenedShards,
        _ merge: (_ group: [(path: String, rows: [Int])]) throws -> Void
    ) throws {
        struct Open {
            var merge: ShardMerge
            var members: [(path: String, rows: [Int])] = []
            var bytes = 0
        }
        var open: [Open] = []
        // One shard alone is as good as its copy, unless rows in it don't count.
        func finish(_ group: Int) throws {
            let members = open[group].members
            (open[group].members, open[group].bytes) = ([], 0)
            let isWorthIt = members.count > 1 || members.contains { visible[$0.path]?.isAll == false }
            if isWorthIt { try merge(members) }
        }
        let paths = visible.keys.sorted { CommittedRows.name(of: $0) < CommittedRows.name(of: $1) }
        for path in paths {
            guard let found = visible[path] else { continue }
            let attributes = try FileManager.default.attributesOfItem(atPath: "\(folder.path)/\(path)")
            let size = attributes[.size] as? Int ?? 0
            // Large and wholly visible: it stays as it is, and need not be read.
            if size >= targetBytes / 2, found.isAll { continue }
            let reader = try shards.reader(path)
            let rows = found.rows
            let bytes = size * rows.count / max(1, reader.rowCount)
            let place = open.firstIndex { $0.merge.fits(reader.header) } ?? open.count
            if place == open.count { open.append(Open(merge: ShardMerge(header: reader.header))) }
            if open[place].bytes + bytes > targetBytes * 3 / 2, !open[place].members.isEmpty { try finish(place) }
            open[place].members.append((path, rows))
            open[place].bytes += bytes
            if open[place].bytes >= targetBytes { try finish(place) }
        }
        for group in open.indices { try finish(group) }
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
        let id = ULID.now()
        step("write \(id) of \(merge.rowCount) rows")
        let sealed = try merge.seal(
            as: id, in: folder, by: "winnow results merge", host: host, software: software)
        step("wrote \(sealed.path)")
        return sealed.path
    }
}
