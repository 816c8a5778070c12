public import HDF5

/// Reads a shard, whoever wrote it; damage and tricks are typed errors.
public struct ShardReader: Sendable {
    /// What all rows share.
    public let header: ShardHeader
    /// The shard's own name.
    public let id: ULID
    /// The number of rows.
    public let rowCount: Int

    private let path: String
    private let limits: ReadLimits

    /// Checks the seal of a file, reads what describes it and closes it again.
    ///
    /// A file without a seal, edited or repacked by another tool, is read too. The HDF5 library then sees bytes that
    /// nothing vouches for: files from people who are not trusted belong into a process that may crash.
    public init(_ path: String, limits: ReadLimits = ReadLimits()) throws(ResultFileError) {
        try ShardSeal.verify(path)
        (header, id, rowCount) = try Self.reading(path, limits) { root in
            guard try root.requiredString("format") == ShardLayout.format else {
                throw ResultFileError(.corrupt, "\(path) is not a shard of results; its format has another name")
            }
            let version = try root.requiredString("format_version")
            guard version.split(separator: ".").first == ShardLayout.version.split(separator: ".").first else {
                throw ResultFileError(
                    .unknownVersion,
                    "\(path) has format version \(version), this program reads \(ShardLayout.version); use a newer one")
            }
            guard let id = ULID(try root.requiredString("shard")) else {
                throw ResultFileError(.corrupt, "\(path) has no proper name in its attribute shard")
            }
            let jobs = try root.dataset("jobs/id")
            let rowCount = try root.requiredInteger("rows")
            guard jobs.shape == [rowCount] else {
                throw ResultFileError(.corrupt, "\(path) says it has \(rowCount) rows, its jobs have \(jobs.shape)")
            }
            return (try Self.header(root), id, rowCount)
        }
        self.path = path
        self.limits = limits
    }

    /// The rows of a range, or all of them.
    ///
    /// - Parameter features: Whether the features are read too; without them `features` is empty.
    public func rows(_ range: Range<Int>? = nil, features: Bool = true) throws(ResultFileError) -> [ResultRow] {
        let range = range ?? 0..<rowCount
        guard range.lowerBound >= 0, range.upperBound <= rowCount else {
            throw ResultFileError(.notFound, "\(path) has \(rowCount) rows, not \(range); ask for fewer")
        }
        return try Self.reading(path, limits) { root in
            let empty = ResultRow(id: "", image: "", prompt: "", method: "", attempt: 0)
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
            var groups = [ShardLayout.tokens] + ShardLayout.ragged
            if features, let width = header.features?.width { groups.append(ShardLayout.features(width: width)) }
            for group in groups { try group.read(range, of: rowCount, from: root, into: &rows) }
            return rows
        }
    }

    private static func header(_ root: borrowing Group) throws -> ShardHeader {
        let tokens = try root.group("tokens")
        guard case .integers(let grid) = try tokens.attribute("grid"),
            grid.allSatisfy({ $0 > 0 && $0 < 1 << 16 })
        else {
            throw ResultFileError(.corrupt, "\(tokens.name) has no proper attribute grid")
        }
        var features: ShardHeader.Features?
        if try root.contains("features") {
            let group = try root.group("features")
            let data = try group.dataset("data")
            guard data.shape.count == 2, data.shape[1] > 0 else {
                throw ResultFileError(.corrupt, "\(data.name) has shape \(data.shape), not (tokens, width)")
            }
            features = ShardHeader.Features(
                width: data.shape[1], layer: try group.requiredInteger("layer"),
                space: try group.requiredString("space"))
        }
        let methods = try root.dataset("jobs/method").enumerationNames()
        return ShardHeader(
            batch: try root.requiredString("batch"), worker: try root.requiredString("worker"),
            model: try root.requiredString("model"), modelSHA256: try root.requiredString("model_sha256"),
            methodJSON: try root.requiredString("method_json"),
            generationJSON: try root.requiredString("generation_json"),
            software: try root.requiredString("software"), methods: methods.sorted { $0.key < $1.key }.map(\.value),
            grid: grid.map { Int($0) }, features: features)
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

extension Group {
    fileprivate func requiredString(_ name: String) throws -> String {
        guard case .string(let value) = try attribute(name) else {
            throw ResultFileError(.corrupt, "\(self.name) has no text attribute \(name)")
        }
        return value
    }

    fileprivate func requiredInteger(_ name: String) throws -> Int {
        guard case .integer(let value) = try attribute(name) else {
            throw ResultFileError(.corrupt, "\(self.name) has no integer attribute \(name)")
        }
        return Int(value)
    }
}
