private import Foundation
internal import HDF5

/// A shard as columns of its rows, turned into the bytes of a file in memory.
struct ShardContents {
    let header: ShardHeader
    let id: ULID
    let rows: [ResultRow]

    /// The bytes of the file.
    func image() throws -> FileImage {
        try File.image("\(id).h5") { file in
            for (attribute, value) in attributes { try file.root.set(attribute, to: value) }
            let jobs = try file.root.createGroup("jobs")
            for column in ShardLayout.jobs(methods: header.methods) { try column.write(rows, to: jobs) }
            try jobs.close()
            try ShardLayout.tokens.write(
                rows, to: file.root, attributes: ["grid": .integers(header.grid.map { Int64($0) })])
            for group in ShardLayout.ragged { try group.write(rows, to: file.root) }
            if let features = header.features {
                try ShardLayout.features(width: features.width).write(
                    rows, to: file.root,
                    attributes: ["layer": .integer(Int64(features.layer)), "space": .string(features.space)])
            }
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
            "created_utc": .string(created.formatted(.iso8601)),
            "rows": .integer(Int64(rows.count)),
            "model": .string(header.model),
            "model_sha256": .string(header.modelSHA256),
            "method_json": .string(header.methodJSON),
            "generation_json": .string(header.generationJSON),
            "flops_convention": .string(ShardLayout.flopsConvention),
            "software": .string(header.software),
        ]
    }
}
