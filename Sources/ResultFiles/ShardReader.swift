private import FileLocks
internal import Foundation
public import HDF5

/// Reads a shard from any source; damage and malicious contents are typed errors.
public struct ShardReader: Sendable {
    /// What all rows share.
    public let header: ShardHeader
    /// The shard's own name.
    public let id: ULID
    /// When it was sealed, in ISO 8601.
    public let created: String
    /// The number of rows.
    public let rowCount: Int
    /// The SHA-256 of the file; nil if it has no seal to check it by.
    public let sha256: [UInt8]?
    /// The file.
    public let path: String

    private let limits: ReadLimits

    /// Checks the seal of a file, reads what describes it and closes it again.
    ///
    /// A file without a seal, edited or repacked by another tool, is read too. Neither such a file nor one with a seal of
    /// its maker's is vouched for: see ``FileExamination``.
    ///
    /// - Parameter parts: What is going to be read of it, which is what an examination looks at.
    public init(
        _ path: String, reading parts: FileExamination.Parts = .everything, limits: ReadLimits = ReadLimits()
    ) throws(ResultFileError) {
        do {
            let sha256 = try ShardSeal.verify(path)
            try FileExamination.examine(path, parts)
            try self.init(path, sha256: sha256, limits: limits)
        } catch {
            // Reading takes no lock. Where another program has one, it may be in the middle of writing.
            guard error.code == .corrupt, FileLock.isHeld(path) else { throw error }
            throw ResultFileError(
                .unavailable, "\(path) is open in another program, which may be writing to it; try again later",
                cause: error)
        }
    }

    /// Checks the seal of a file that this process wrote itself, and opens it: there is nothing to examine.
    package init(ownFile path: String) throws(ResultFileError) {
        try self.init(path, sha256: ShardSeal.verify(path), limits: ReadLimits())
    }

    /// Opens a file in the process that examines it, where not even a seal is believed.
    init(unexamined path: String) throws(ResultFileError) {
        try self.init(path, sha256: nil, limits: ReadLimits())
    }

    private init(_ path: String, sha256: [UInt8]?, limits: ReadLimits) throws(ResultFileError) {
        self.sha256 = sha256
        let bytes = try ShardSeal.size(of: path)
        var limits = limits
        limits.isIntact = sha256 != nil
        (header, id, created, rowCount) = try Self.reading(path, limits) { root in
            guard try root.requiredString("format") == ShardLayout.format else {
                throw ResultFileError(.corrupt, "this is not a shard of results; its format has another name", at: path)
            }
            let version = try root.requiredString("format_version")
            guard version.split(separator: ".").first == ShardLayout.version.split(separator: ".").first else {
                let isOld = version.compare(ShardLayout.version, options: .numeric) == .orderedAscending
                throw ResultFileError(
                    .unknownVersion,
                    "the file has format version \(version), this program reads \(ShardLayout.version); "
                        + (isOld
                            ? "run the batch again, or read it with the program that wrote it"
                            : "use a newer program"),
                    at: path)
            }
            guard let id = ULID(try root.requiredString("shard")) else {
                throw ResultFileError(.corrupt, "the file has no proper name in its attribute shard", at: path)
            }
            let jobs = try root.dataset("jobs/id")
            let rowCount = try root.requiredInteger("rows")
            // A row takes more than 64 bytes, unless another tool packed it; a few rows do no harm.
            guard rowCount <= max(1 << 16, bytes / 64) else {
                throw ResultFileError(
                    .corrupt, "the file says it has \(rowCount) rows, more than its \(bytes) bytes can hold", at: path)
            }
            guard jobs.shape == [rowCount] else {
                throw ResultFileError(
                    .corrupt, "the file says it has \(rowCount) rows, its jobs have \(jobs.shape)", at: path)
            }
            return (try ShardHeader(root), id, try root.requiredString("created_utc"), rowCount)
        }
        self.path = path
        self.limits = limits
    }

    /// The rows of a range, or all of them.
    ///
    /// - Parameters:
    ///   - features: Whether the features are read too; without them `features` is empty.
    ///   - trace: Whether everything of several values per row is read too, but for features.
    public func rows(
        _ range: Range<Int>? = nil, features: Bool = true, trace: Bool = true
    ) throws(ResultFileError) -> [ResultRow] {
        let range = try checked(range)
        return try Self.reading(path, limits) { root in
            let empty = ResultRow(id: "", images: [], prompt: "", method: "", attempt: 0)
            var rows = [ResultRow](repeating: empty, count: range.count)
            let jobs = try root.group("jobs")
            for column in ShardLayout.jobs(methods: []) {
                let shape = try jobs.dataset(column.name).shape
                guard shape == [rowCount] else {
                    throw ResultFileError(
                        .corrupt, "\(jobs.name)/\(column.name) has shape \(shape), not [\(rowCount)]")
                }
                try column.read(range, from: jobs, into: &rows)
            }
            for group in ShardLayout.pictures { try group.read(range, of: rowCount, from: root, into: &rows) }
            if trace {
                for group in [ShardLayout.tokens(header.trace)].compactMap({ $0 }) + ShardLayout.ragged(header.trace) {
                    try group.read(range, of: rowCount, from: root, into: &rows)
                }
            }
            if features, let stored = header.features {
                let group = FeatureGroup(header: stored)
                let offsets = try group.offsets(range, of: rowCount, in: root)
                for index in rows.indices {
                    rows[index].features = try group.values(offsets[index]..<offsets[index + 1], in: root)
                }
            }
            return rows
        }
    }

    /// Where each row of a range begins and ends among the tokens of the features; nil if the shard has none.
    public func featureOffsets(_ range: Range<Int>? = nil) throws(ResultFileError) -> [Int]? {
        guard let stored = header.features else { return nil }
        let range = try checked(range)
        return try Self.reading(path, limits) { root in
            try FeatureGroup(header: stored).offsets(range, of: rowCount, in: root)
        }
    }

    /// The features of some tokens, (tokens, width) in row-major order; empty if the shard has none.
    public func features(tokens: Range<Int>) throws(ResultFileError) -> [Float16] {
        guard let stored = header.features else { return [] }
        return try Self.reading(path, limits) { root in try FeatureGroup(header: stored).values(tokens, in: root) }
    }

    /// The shard as the source of merged rows.
    public var source: ShardSource {
        ShardSource(
            shard: id.description, worker: header.worker, host: header.host, software: header.software,
            created: created, sha256: sha256?.hexadecimal ?? "")
    }

    /// Where each row was first written, and what its shard was: this one, unless it was merged.
    public func origins() throws(ResultFileError) -> [(identity: RowIdentity, source: ShardSource)] {
        try Self.reading(path, limits) { root in
            guard let origins = try RowOrigins(of: root.group("jobs"), root: root, rows: rowCount) else {
                let source = source
                return (0..<rowCount).map { (RowIdentity(shard: source.shard, row: $0), source) }
            }
            return (0..<rowCount).map { (origins.identity(of: $0), origins.sources[Int(origins.source[$0])]) }
        }
    }

    private func checked(_ range: Range<Int>?) throws(ResultFileError) -> Range<Int> {
        let range = range ?? 0..<rowCount
        guard range.lowerBound >= 0, range.upperBound <= rowCount else {
            throw ResultFileError(.notFound, "the file has \(rowCount) rows, not \(range); ask for fewer", at: path)
        }
        return range
    }

    private static func reading<Value>(
        _ path: String, _ limits: ReadLimits, _ body: (borrowing Group) throws -> Value
    ) throws(ResultFileError) -> Value {
        do {
            return try File.reading(path, limits: limits) { file in try body(file.root) }
        } catch let error as ResultFileError {
            throw error
        } catch let error as HDF5Error {
            throw ResultFileError(reading: error, file: path)
        } catch {
            throw ResultFileError(.corrupt, "cannot read \(path): \(error)", cause: error)
        }
    }
}

extension [UInt8] {
    /// Two digits for each byte.
    public var hexadecimal: String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}
