private import Foundation
internal import HDF5

/// Rows of several shards on their way into one large one.
///
/// Everything but the features is in memory; those are copied in pieces, so that a shard of gigabytes takes little.
public struct ShardMerge {
    /// Bytes of features copied at a time.
    private static let pieceBytes = 32 << 20

    private struct Piece {
        let reader: ShardReader
        /// Rows of the reader, in order.
        let rows: [Int]
        /// Tokens of each of these rows; nil without features.
        let tokens: [Range<Int>]?
    }

    /// What all rows share; rows of another header do not fit.
    public let header: ShardHeader
    private var pieces: [Piece] = []
    private var rows: [ResultRow] = []
    private var origins = RowOrigins()

    /// A merge of shards that were made the same way.
    public init(header: ShardHeader) { self.header = header.merging(under: "") }

    /// Rows so far.
    public var rowCount: Int { rows.count }
    /// About the bytes that the shard will have.
    public private(set) var byteCount = 0

    /// Whether rows of a shard may be merged with these.
    public func fits(_ other: ShardHeader) -> Bool { other.merging(under: "") == header }

    /// Adds rows of a shard, by their places in it.
    public mutating func add(_ places: [Int], of reader: ShardReader) throws(ResultFileError) {
        precondition(fits(reader.header), "rows of another kind")
        let all = try reader.rows(features: false)
        let from = try reader.origins()
        let offsets = try reader.featureOffsets()
        for place in places {
            rows.append(all[place])
            origins.append(from[place].identity, from: from[place].source)
            byteCount += all[place].byteCount
        }
        let tokens = offsets.map { offsets in places.map { offsets[$0]..<offsets[$0 + 1] } }
        byteCount += (tokens?.reduce(0) { $0 + $1.count } ?? 0) * 2 * (header.features?.width ?? 0)
        pieces.append(Piece(reader: reader, rows: places, tokens: tokens))
    }

    /// Writes the shard `id`, reads it back, and only then gives it its name.
    ///
    /// - Parameter description: What takes the place of the worker's name.
    public func seal(
        as id: ULID, in folder: ResultsFolder, by description: String, host: String, software: String
    ) throws(ResultFileError) -> SealedShard {
        let name = ShardName(id), part = "\(folder.path)/\(name.partPath)"
        var header = header.merging(under: description)
        header.host = host
        header.software = software
        let contents = ShardContents(
            header: header, id: id, rows: rows,
            features: ShardContents.FeatureSource(
                lengths: pieces.flatMap { $0.tokens?.map(\.count) ?? $0.rows.map { _ in 0 } }, fill: fill),
            origins: origins)
        do {
            try File.streaming(part) { file in try contents.write(to: file.root) }
        } catch {
            try? FileManager.default.removeItem(atPath: part)
            if let error = error as? ResultFileError { throw error }
            throw ResultFileError(.writeFailed, "cannot write the shard \(id): \(error)", cause: error)
        }
        do throws(ResultFileError) {
            let sealed = try PartFile(sealing: part)
            let written = try ShardReader(ownFile: part).verify()
            guard zip(written, rows).allSatisfy({ $0.hasSameBits(as: $1) }), written.count == rows.count else {
                throw ResultFileError(
                    .writeFailed, "the file does not read back as it was written; check the disk", at: part)
            }
            try sealed.publish(as: "\(folder.path)/\(name.path)")
            return SealedShard(
                path: name.path, sha256: sealed.sha256, bytes: sealed.bytes, jobs: rows.map(\.id))
        } catch {
            try? FileManager.default.removeItem(atPath: part)
            throw error
        }
    }

    private func fill(_ write: ([Float16]) throws -> Void) throws {
        let most = max(1, Self.pieceBytes / (2 * max(1, header.features?.width ?? 1)))
        for piece in pieces {
            for range in joined(piece.tokens ?? []) {
                for start in stride(from: range.lowerBound, to: range.upperBound, by: most) {
                    try write(piece.reader.features(tokens: start..<min(start + most, range.upperBound)))
                }
            }
        }
    }

    /// Neighbouring ranges as one.
    private func joined(_ ranges: [Range<Int>]) -> [Range<Int>] {
        ranges.reduce(into: []) { joined, range in
            if let last = joined.last, last.upperBound == range.lowerBound {
                joined[joined.count - 1] = last.lowerBound..<range.upperBound
            } else {
                joined.append(range)
            }
        }
    }
}

extension ResultRow {
    /// Equal, where scores that are not numbers count as equal to themselves.
    fileprivate func hasSameBits(as other: ResultRow) -> Bool {
        var (a, b) = (self, other)
        guard a.tokens.score.map(\.bitPattern) == b.tokens.score.map(\.bitPattern) else { return false }
        (a.tokens.score, b.tokens.score) = ([], [])
        return a == b
    }
}

extension ShardHeader {
    /// The header without what tells shards of one batch apart.
    fileprivate func merging(under worker: String) -> ShardHeader {
        var header = self
        header.worker = worker
        header.host = ""
        header.processor = ""
        header.software = ""
        return header
    }
}
