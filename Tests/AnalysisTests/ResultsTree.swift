import Foundation
import JobVocabulary
import ResultFiles
import TestSupport

/// A results folder with shards of made-up rows, as several workers would leave it.
struct ResultsTree {
    let directory: TemporaryDirectory
    let folder: ResultsFolder

    static let grid = [4, 6]
    static let width = 8

    init() throws {
        directory = try TemporaryDirectory()
        folder = ResultsFolder(directory.file("batch").path)
        try folder.prepare()
    }

    static func header(worker: String = "w-1", method: String = "ficoco-v", features: Bool = true) -> ShardHeader {
        var header = ShardHeader(
            batch: "demo-1", worker: worker, model: "/models/llava", modelSHA256: String(repeating: "ab", count: 32),
            methodJSON: #"{"keep":192,"name":"\#(method)"}"#, generationJSON: #"{"imageMode":"crop"}"#,
            software: "winnow 0", methods: ["none", "ficoco-v", "ficoco-l"],
            features: features ? ShardHeader.Features(width: width, layer: -2, space: "decoder input") : nil)
        header.host = "host-\(worker)"
        header.processor = "A processor"
        return header
    }

    /// A consistent row, the same for the same id and attempt.
    static func row(_ id: String, attempt: UInt64 = 1, method: String = "ficoco-v", features: Bool = true) -> ResultRow
    {
        var random = SeededGenerator(seed: id.utf8.reduce(attempt) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 })
        var row = ResultRow(
            id: id, images: ["images/\(id).png"], prompt: "What, “\(id)”?", method: method, attempt: attempt)
        let count = grid[0] * grid[1]
        row.tokens.leftAt = [UInt8](repeating: ResultRow.Tokens.survived, count: count)
        row.tokens.wentTo = (0..<count).map { UInt16($0) }
        row.tokens.score = (0..<count).map { _ in Float16(Double.random(in: 0..<1, using: &random)) }
        var present = (0..<count).map { UInt16($0) }.shuffled(using: &random)
        for step in 0..<2 {
            let leaving = Array(present.prefix(1 + Int(random.next() % 6)))
            present.removeFirst(leaving.count)
            for source in leaving {
                row.tokens.leftAt[Int(source)] = UInt8(step)
                row.tokens.wentTo[Int(source)] = step == 0 ? present[0] : ResultRow.Tokens.discarded
                if step == 0 { row.merges.append(step: 0, source: source, target: present[0], weight: 1) }
            }
            row.steps.append(
                layer: UInt8(11 + step), place: .visionEncoder, tokensIn: present.count + leaving.count,
                tokensOut: present.count, seconds: 0.001)
        }
        row.kept = present.sorted()
        row.visualTokensIn = count
        row.visualTokensOut = row.kept.count
        if features {
            row.features = (0..<(row.kept.count * width)).map { _ in Float16(Double.random(in: -4..<4, using: &random))
            }
        }
        row.tokenIDs = [1, 2, 3]
        row.tokenLogProbs = [-0.5, -1, -0.25]
        row.answerTokens = 3
        row.promptTokens = 40 + row.kept.count
        row.answer = "It is, \"\(id)\"\nreally."
        row.expectedAnswers = #"["\#(id)"]"#
        row.labels = #"{"kind":"what","question_id":"7"}"#
        row.finishedAt = 1_700_000_000 + Double(attempt)
        row.flops.prefill = 1e12 + Double(row.kept.count)
        row.seconds.prefill = 0.5
        row.pictures.describe(0, sha256: "", width: 64, height: 48)
        row.segments.append(
            picture: 0, tile: 0, rows: grid[0], columns: grid[1], left: 8, top: 0, width: 48, height: 48)
        return row
    }

    /// A row of a text-only job.
    static func textAlone(_ id: String) -> ResultRow {
        var row = row(id, features: false)
        (row.pictures, row.segments) = (ResultRow.Pictures([]), ResultRow.Segments())
        (row.tokens, row.steps, row.merges) = (ResultRow.Tokens(), ResultRow.Steps(), ResultRow.Merges())
        (row.kept, row.visualTokensIn, row.visualTokensOut) = ([], 0, 0)
        row.promptTokens = 40
        return row
    }

    /// A job with a reason instead of an answer.
    static func failure(_ id: String, attempt: UInt64 = 1) -> ResultRow {
        var row = ResultRow(id: id, images: ["images/broken.png"], prompt: "?", method: "ficoco-v", attempt: attempt)
        row.status = .failed
        row.finishReason = .error
        row.error = "images/broken.png ends after 12 bytes: replace it"
        return row
    }

    static func id(_ number: UInt64) -> ULID {
        var generator = SeededGenerator(seed: number)
        return ULID(milliseconds: 1_700_000_000_000 + number, using: &generator)
    }

    @discardableResult
    func seal(_ rows: [ResultRow], as number: UInt64, header: ShardHeader = header()) throws -> SealedShard {
        var writer = ShardWriter(folder: folder, header: header)
        for row in rows { try writer.add(row, at: .now) }
        return try writer.seal(as: Self.id(number))
    }

    func path(_ shard: SealedShard) -> String { "\(folder.path)/\(shard.path)" }
}
