import Foundation
import HDF5

/// A result file, read with nothing but its documentation.
struct Shard {
    struct Row {
        var id = "", prompt = "", answer = "", error = ""
        var failed = false
        var leftAt: [UInt8] = []
        var kept: [UInt16] = []
        /// Rows of the job's features.
        var features = 0
        var tokenIDs: [Int32] = []
        var mergeSources: [UInt16] = []
    }

    struct Damage: Error { let description: String }

    let path: String
    let rows: [Row]
    /// Width of the features; 0 where there are none.
    let width: Int
    /// Rows and columns of the patches of every tile.
    let grids: Set<[UInt16]>
    let batch: String
    let method: String

    init(_ path: String) throws {
        self.path = path
        var (rows, width, grids, batch, method): ([Row], Int, Set<[UInt16]>, String, String) = ([], 0, [], "", "")
        try File.reading(path) { file in
            let down: [UInt16] = try file.root.dataset("segments/rows").read()
            let across: [UInt16] = try file.root.dataset("segments/columns").read()
            grids = Set(zip(down, across).map { [$0, $1] })
            if case .string(let text) = try file.root.attribute("batch") { batch = text }
            if case .string(let text) = try file.root.attribute("method_json") { method = text }
            let ids = try file.root.dataset("jobs/id").strings()
            let prompts = try file.root.dataset("jobs/prompt").strings()
            let answers = try file.root.dataset("jobs/answer").strings()
            let errors = try file.root.dataset("jobs/error").strings()
            let names = try file.root.dataset("jobs/status").enumerationNames()
            let codes: [UInt8] = try file.root.dataset("jobs/status").read()
            guard [prompts, answers, errors].allSatisfy({ $0.count == ids.count }), codes.count == ids.count else {
                throw Damage(description: "\(path): columns differ in length")
            }
            let leftAt: Ragged<UInt8> = try Ragged(file.root.group("tokens"), "left_at")
            let kept: Ragged<UInt16> = try Ragged(file.root.group("kept"), "data")
            let tokenIDs: Ragged<Int32> = try Ragged(file.root.group("token_ids"), "data")
            let sources: Ragged<UInt16> = try Ragged(file.root.group("merges"), "source")
            var features: Ragged<Float>?
            if try file.root.contains("features") {
                width = try file.root.dataset("features/data").shape[1]
                features = try Ragged(file.root.group("features"), "data", width: width)
            }
            for index in ids.indices {
                rows.append(
                    Row(
                        id: ids[index], prompt: prompts[index], answer: answers[index], error: errors[index],
                        failed: names[Int64(codes[index])] == "failed", leftAt: try leftAt.row(index),
                        kept: try kept.row(index), features: try features?.length(index) ?? 0,
                        tokenIDs: try tokenIDs.row(index), mergeSources: try sources.row(index)))
            }
        }
        (self.rows, self.width, self.grids, self.batch, self.method) = (rows, width, grids, batch, method)
    }

    /// Every shard below a results folder.
    static func all(in results: String) throws -> [Shard] {
        let folder = results + "/shards"
        return try FileManager.default.subpathsOfDirectory(atPath: folder).filter { $0.hasSuffix(".h5") }.sorted()
            .map { try Shard(folder + "/" + $0) }
    }
}

/// Values end to end, with where each job's begin.
private struct Ragged<Value: Element> {
    private let starts: [Int]
    private let values: [Value]
    private let width: Int

    init(_ group: borrowing Group, _ column: String, width: Int = 1) throws {
        let indptr: [Int64] = try group.dataset("indptr").read()
        starts = indptr.map { Int($0) }
        values = try group.dataset(column).read()
        self.width = width
        guard starts.first == 0, starts.last.map({ $0 * width }) == values.count, starts == starts.sorted() else {
            throw Shard.Damage(description: "\(group.name)/\(column): indptr does not fit its values")
        }
    }

    func length(_ index: Int) throws -> Int {
        guard index + 1 < starts.count else { throw Shard.Damage(description: "there is no row \(index)") }
        return starts[index + 1] - starts[index]
    }

    func row(_ index: Int) throws -> [Value] {
        let count = try length(index) * width
        return Array(values[starts[index] * width..<starts[index] * width + count])
    }
}
