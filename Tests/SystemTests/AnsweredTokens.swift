import Foundation
import HDF5

/// The tokens of every answer in a results folder, and what its shards say of the model.
struct AnsweredTokens {
    /// One answer.
    struct Answer: Equatable {
        let tokenIDs: [Int32]
        let logProbabilities: [Float]
    }

    /// The part of a shard's `generation_json` that says how the model computed.
    struct Generation: Decodable {
        let backend, weights: String
    }

    private(set) var answers: [String: Answer] = [:]
    /// One for each shard.
    private(set) var generations: [Generation] = []
    /// One for each shard: the SHA-256 of the checkpoint.
    private(set) var models: [String] = []

    init(results: String) throws {
        let folder = results + "/shards"
        for name in try FileManager.default.subpathsOfDirectory(atPath: folder) where name.hasSuffix(".h5") {
            try read(folder + "/" + name)
        }
    }

    private mutating func read(_ path: String) throws {
        var ids: [String] = [], tokens: [[Int32]] = [], logarithms: [[Float]] = []
        var (generation, model) = ("", "")
        try File.reading(path) { file in
            if case .string(let text) = try file.root.attribute("generation_json") { generation = text }
            if case .string(let text) = try file.root.attribute("model_sha256") { model = text }
            ids = try file.root.dataset("jobs/id").strings()
            tokens = try ragged(file.root.group("token_ids"))
            logarithms = try ragged(file.root.group("token_logprobs"))
        }
        guard tokens.count == ids.count, logarithms.count == ids.count else {
            throw Shard.Damage(description: "\(path): columns differ in length")
        }
        for (index, id) in ids.enumerated() {
            guard answers[id] == nil else { throw Shard.Damage(description: "\(path): a second answer to \(id)") }
            answers[id] = Answer(tokenIDs: tokens[index], logProbabilities: logarithms[index])
        }
        generations.append(try JSONDecoder().decode(Generation.self, from: Data(generation.utf8)))
        models.append(model)
    }
}

/// The rows of a group that keeps them end to end, with the places where each begins.
private func ragged<Value: Element>(_ group: borrowing Group) throws -> [[Value]] {
    let starts: [Int64] = try group.dataset("indptr").read()
    let values: [Value] = try group.dataset("data").read()
    guard starts.first == 0, starts.last.map({ Int($0) }) == values.count, starts == starts.sorted() else {
        throw Shard.Damage(description: "\(group.name): indptr does not fit its values")
    }
    return zip(starts, starts.dropFirst()).map { Array(values[Int($0)..<Int($1)]) }
}
