import Foundation
import ResultFiles
import TestSupport

/// A prepared results folder with a way to seal shards in it.
struct ResultsFixture {
    let directory: TemporaryDirectory
    let folder: ResultsFolder

    init() throws {
        directory = try TemporaryDirectory()
        folder = ResultsFolder(directory.file("batch").path)
        try folder.prepare()
    }

    static func id(_ number: UInt64) -> ULID {
        var generator = SeededGenerator(seed: number)
        return ULID(milliseconds: 1_700_000_000_000 + number, using: &generator)
    }

    func writer(_ rows: [ResultRow], features: Bool = true) throws -> ShardWriter {
        var writer = ShardWriter(folder: folder, header: SampleRows.header(features: features))
        for row in rows { try writer.add(row, at: .now) }
        return writer
    }

    func seal(_ rows: [ResultRow], as number: UInt64 = 1, features: Bool = true) throws -> SealedShard {
        var writer = try writer(rows, features: features)
        return try writer.seal(as: Self.id(number))
    }

    func path(_ shard: SealedShard) -> String { "\(folder.path)/\(shard.path)" }

    /// Every regular file below the results folder, relative to it.
    func files() -> [String] {
        let all = FileManager.default.enumerator(atPath: folder.path)?.allObjects as? [String] ?? []
        return all.filter {
            let attributes = try? FileManager.default.attributesOfItem(atPath: "\(folder.path)/\($0)")
            return attributes?[.type] as? FileAttributeType == .typeRegular
        }.sorted()
    }
}

/// The kind of failure that `body` ends with, or nil where it succeeds.
func code(_ body: () throws -> Void) -> ResultFileError.Code? {
    do {
        try body()
        return nil
    } catch {
        return (error as? ResultFileError)?.code
    }
}
