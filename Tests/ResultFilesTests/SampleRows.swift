import JobVocabulary
import ResultFiles
import TestSupport

/// Rows with every column filled, consistent but otherwise random; the same seed gives the same rows.
struct SampleRows {
    var random: SeededGenerator

    init(seed: UInt64) { random = SeededGenerator(seed: seed) }

    static let grid = [4, 6]
    static let width = 8

    static func header(features: Bool = true, trace: StoredTrace = .full) -> ShardHeader {
        var header = ShardHeader(
            batch: "demo-1", worker: "w-1", model: "/models/llava é", modelSHA256: String(repeating: "ab", count: 32),
            methodJSON: #"{"name":"ficoco-v","keep":192}"#, generationJSON: #"{"maxTokens":32}"#, software: "winnow 0",
            methods: ["none", "ficoco-v", "ficoco-l"],
            features: features ? ShardHeader.Features(width: width, layer: -2, space: "decoder input") : nil,
            trace: trace)
        header.host = "host-1"
        header.processor = "A processor"
        return header
    }

    mutating func rows(_ count: Int, features: Bool = true) -> [ResultRow] {
        (0..<count).map { $0 % 5 == 3 ? failed($0) : row($0, features: features) }
    }

    /// A job whose tokens leave in two steps, each merged into one or two others or discarded.
    mutating func row(_ number: Int, features: Bool = true) -> ResultRow {
        var row = ResultRow(
            id: "job-\(number)", images: ["images/\(number).jpg"], prompt: "What is this? 猫 \(number)",
            method: "ficoco-v", attempt: 1 + UInt64(number % 3))
        let count = Self.grid[0] * Self.grid[1]
        if number % 4 == 2 {
            // Two pictures that share the tokens: one of one tile, and one of two.
            row.pictures = ResultRow.Pictures(["images/\(number).jpg", "images/猫.webp"])
            row.pictures.describe(
                1, sha256: String(repeating: "1e", count: 32), notes: "cut off", width: 9, height: 7, orientation: 6)
            row.segments.append(
                picture: 0, tile: 0, rows: 2, columns: 6, left: 80.5, top: 0, width: 480, height: 480)
            row.segments.append(picture: 1, tile: 0, rows: 2, columns: 3, left: 0, top: -1, width: 9, height: 9)
            row.segments.append(picture: 1, tile: 1, rows: 3, columns: 2, left: 1, top: 2, width: 4.25, height: 4)
        } else {
            row.segments.append(
                picture: 0, tile: 0, rows: Self.grid[0], columns: Self.grid[1], left: 80, top: 0, width: 480,
                height: 480)
        }
        row.pictures.describe(0, sha256: String(repeating: "0f", count: 32), width: 640, height: 480)
        row.tokens.leftAt = [UInt8](repeating: ResultRow.Tokens.survived, count: count)
        row.tokens.wentTo = (0..<count).map { UInt16($0) }
        row.tokens.score = (0..<count).map { _ in Float16(unit()) }
        var present = (0..<count).map { UInt16($0) }.shuffled(using: &random)
        for step in 0..<2 {
            let leaving = Array(present.prefix(1 + Int(random.next() % 6)))
            present.removeFirst(leaving.count)
            for source in leaving {
                row.tokens.leftAt[Int(source)] = UInt8(step)
                row.tokens.wentTo[Int(source)] = step == 0 ? present[0] : ResultRow.Tokens.discarded
                guard step == 0 else { continue }
                let share = Float16(unit())
                row.merges.append(step: 0, source: source, target: present[0], weight: share)
                row.merges.append(step: 0, source: source, target: present[1], weight: 1 - share)
            }
            row.steps.append(
                layer: UInt8(11 + step), place: step == 0 ? .visionEncoder : .languageModel,
                tokensIn: present.count + leaving.count,
                tokensOut: present.count, seconds: unit())
        }
        row.kept = present.sorted()
        row.visualTokensIn = count
        row.visualTokensOut = row.kept.count
        if features { row.features = (0..<(row.kept.count * Self.width)).map { _ in Float16(unit() * 8 - 4) } }
        row.tokenIDs = (0..<Int(random.next() % 9)).map { _ in Int32(random.next() % 32_000) }
        row.tokenLogProbs = row.tokenIDs.map { _ in -Float(unit()) }
        row.answerTokens = row.tokenIDs.count
        row.promptTokens = 40 + row.kept.count
        row.answer = number % 4 == 0 ? "" : "It is a “\(number)”.\nReally."
        row.finishReason = number.isMultiple(of: 2) ? .length : .stop
        row.correct = Int8(number % 3) - 1
        row.peakBytes = 1 << 40 + number
        row.finishedAt = 1_700_000_000 + unit()
        row.expectedAnswers = #"["a \(number)","猫"]"#
        row.labels = #"{"kind":"what"}"#
        fillMeasures(&row)
        return row
    }

    /// A text-only job: a row without anything that belongs to a picture.
    mutating func textAlone(_ number: Int) -> ResultRow {
        var row = row(number, features: false)
        (row.pictures, row.segments) = (ResultRow.Pictures([]), ResultRow.Segments())
        (row.tokens, row.steps, row.merges) = (ResultRow.Tokens(), ResultRow.Steps(), ResultRow.Merges())
        (row.kept, row.visualTokensIn, row.visualTokensOut) = ([], 0, 0)
        return row
    }

    /// A job with a reason instead of an answer.
    mutating func failed(_ number: Int) -> ResultRow {
        var row = ResultRow(
            id: "job-\(number)", images: ["images/broken.png"], prompt: "?", method: "none", attempt: 2)
        row.status = .failed
        row.finishReason = .error
        row.error = "images/broken.png ends after 12 bytes: replace it"
        return row
    }

    private mutating func fillMeasures(_ row: inout ResultRow) {
        row.flops.vision = unit() * 1e12
        row.flops.projector = unit() * 1e9
        row.flops.prefill = unit() * 1e13
        row.flops.decode = unit() * 1e12
        row.seconds.queue = unit()
        row.seconds.load = unit()
        row.seconds.vision = unit()
        row.seconds.reduce = unit()
        row.seconds.prefill = unit()
        row.seconds.decode = unit()
    }

    private mutating func unit() -> Double { Double.random(in: 0..<1, using: &random) }
}
