private import Foundation
internal import HDF5
internal import JobVocabulary

/// A shard as columns of its rows, on its way into a file.
struct ShardContents {
    let header: ShardHeader
    let id: ULID
    /// The rows; their features come from `features`.
    let rows: [ResultRow]
    let features: FeatureSource
    /// Where the rows of a merged shard come from; nil for one that a worker wrote.
    var origins: RowOrigins?

    /// The features of the rows, a piece at a time.
    struct FeatureSource {
        /// The tokens of each row.
        let lengths: [Int]
        /// Hands whole tokens to `write`, in the order of the rows.
        let fill: (_ write: ([Float16]) throws -> Void) throws -> Void
    }

    /// A shard of rows that hold their own features.
    init(header: ShardHeader, id: ULID, rows: [ResultRow]) {
        let width = header.features?.width ?? 1
        let features = FeatureSource(lengths: rows.map { $0.features.count / width }) { write in
            for row in rows { try write(row.features) }
        }
        self.init(header: header, id: id, rows: rows, features: features, origins: nil)
    }

    /// A shard of rows whose features are elsewhere.
    init(header: ShardHeader, id: ULID, rows: [ResultRow], features: FeatureSource, origins: RowOrigins?) {
        self.header = header
        self.id = id
        self.rows = rows
        self.features = features
        self.origins = origins
    }

    /// The bytes of the file.
    func image() throws -> FileImage { try File.image(ShardName(id).file) { file in try write(to: file.root) } }

    /// Writes everything below the root of a new file.
    func write(to root: borrowing Group) throws {
        for (attribute, value) in attributes { try root.set(attribute, to: value) }
        let jobs = try root.createGroup("jobs")
        for column in ShardLayout.jobs(methods: header.methods) { try column.write(rows, to: jobs) }
        try origins?.write(jobs: jobs, root: root)
        try jobs.close()
        for group in ShardLayout.pictures { try group.write(rows, to: root) }
        try ShardLayout.tokens(header.trace)?.write(rows, to: root)
        for group in ShardLayout.ragged(header.trace) { try group.write(rows, to: root) }
        if let stored = header.features {
            try FeatureGroup(header: stored).write(lengths: features.lengths, to: root, fill: features.fill)
        }
    }

    private var attributes: KeyValuePairs<String, Attribute> {
        let created = Date(timeIntervalSince1970: Double(id.milliseconds) / 1000)
        return [
            "format": .string(ShardLayout.format),
            "format_version": .string(ShardLayout.version),
            "shard": .string(id.description),
            "batch": .string(header.batch),
            "worker": .string(header.worker),
            "host": .string(header.host),
            "processor": .string(header.processor),
            "created_utc": .string(created.formatted(.iso8601)),
            "rows": .integer(Int64(rows.count)),
            "trace": .string(header.trace.rawValue),
            "model": .string(header.model),
            "model_sha256": .string(header.modelSHA256),
            "method_json": .string(header.methodJSON),
            "generation_json": .string(header.generationJSON),
            "flops_convention": .string(ShardLayout.flopsConvention),
            "software": .string(header.software),
        ]
    }
}
