internal import HDF5

/// A shard that rows of a merged one were read from.
public struct ShardSource: Sendable, Hashable {
    /// Its own name, a ULID.
    public var shard: String
    /// The worker that wrote it.
    public var worker: String
    /// That worker's machine.
    public var host: String
    /// Program and version that wrote it.
    public var software: String
    /// When it was sealed.
    public var created: String
    /// The SHA-256 of the file in hexadecimal.
    public var sha256: String
}

/// The place where a worker first wrote a row; merging does not change it.
public struct RowIdentity: Sendable, Hashable {
    /// The name of the shard, a ULID.
    public var shard: String
    /// The row in that shard.
    public var row: Int

    /// The row of a shard as its worker wrote it.
    public init(shard: String, row: Int) {
        self.shard = shard
        self.row = row
    }
}

/// Where the rows of a merged shard come from: the group `/sources`, and two columns of `/jobs` that point into it.
struct RowOrigins {
    private(set) var sources: [ShardSource] = []
    private(set) var source: [Int32] = []
    private(set) var row: [Int32] = []
    private var numbers: [String: Int32] = [:]

    init() {}

    /// Notes where the next row comes from.
    mutating func append(_ identity: RowIdentity, from source: ShardSource) {
        let number = numbers[source.shard] ?? Int32(sources.count)
        if number == sources.count {
            numbers[source.shard] = number
            sources.append(source)
        }
        self.source.append(number)
        row.append(Int32(clamping: identity.row))
    }

    func write(jobs: borrowing Group, root: borrowing Group) throws {
        let layout = DatasetLayout.chunked(columnChunk, compressed: true)
        try jobs.write(source, to: "source", layout: layout, attributes: describe("1", "row of /sources it comes from"))
        try jobs.write(row, to: "source_row", layout: layout, attributes: describe("1", "its row in that shard"))
        let group = try root.createGroup("sources")
        for (name, field, longName) in Self.columns {
            try group.write(
                sources.map { $0[keyPath: field] }, to: name, layout: .chunked([1024], compressed: true),
                attributes: describe("1", longName))
        }
        try group.close()
    }

    /// Reads them; nil if the shard was not merged.
    init?(of jobs: borrowing Group, root: borrowing Group, rows: Int) throws {
        guard try root.contains("sources") else { return nil }
        let group = try root.group("sources")
        var columns: [[String]] = []
        for (name, _, _) in Self.columns { columns.append(try group.dataset(name).strings()) }
        let count = columns.first?.count ?? 0
        source = try jobs.dataset("source").read()
        row = try jobs.dataset("source_row").read()
        guard columns.allSatisfy({ $0.count == count }), source.count == rows, row.count == rows,
            source.allSatisfy({ $0 >= 0 && $0 < count }), row.allSatisfy({ $0 >= 0 })
        else { throw ResultFileError(.corrupt, "\(group.name) does not say where \(rows) rows come from") }
        sources = (0..<count).map { index in
            var source = ShardSource(shard: "", worker: "", host: "", software: "", created: "", sha256: "")
            for (column, values) in zip(Self.columns, columns) { source[keyPath: column.field] = values[index] }
            return source
        }
    }

    func identity(of index: Int) -> RowIdentity {
        RowIdentity(shard: sources[Int(source[index])].shard, row: Int(row[index]))
    }

    private static let columns:
        [(name: String, field: any WritableKeyPath<ShardSource, String> & Sendable, longName: String)] = [
            ("shard", \.shard, "name of the shard"), ("worker", \.worker, "worker that wrote it"),
            ("host", \.host, "machine that wrote it"), ("software", \.software, "program and version"),
            ("created_utc", \.created, "when it was sealed"), ("sha256", \.sha256, "SHA-256 of the file"),
        ]
}
