import Analysis
import Foundation
import ImageDecoding
import JobVocabulary
import ResultFiles
import TestSupport

/// Three batches about made-up pictures, always the same.
struct ReportFixture {
    static let grid = [12, 12]
    static let now = Date(timeIntervalSince1970: 1_790_000_000)

    private let directory: TemporaryDirectory
    let sources: [ReportPage.Source]
    /// The folder of the pictures.
    let images: String

    /// - Parameter prefix: What the names of all three begin with.
    init(prefix: String = "") throws {
        let directory = try TemporaryDirectory()
        self.directory = directory
        let images = directory.file("images").path
        try FileManager.default.createDirectory(atPath: images, withIntermediateDirectories: true)
        for number in 0..<4 {
            try Data(Self.picture(number).png()).write(to: URL(fileURLWithPath: "\(images)/picture-\(number).png"))
        }
        self.images = images
        let batches: [(name: String, keep: Int, right: Int)] = [("none", 144, 9), ("half", 72, 8), ("tenth", 14, 6)]
        sources = try batches.enumerated().map { number, batch in
            let name = prefix + batch.name
            let folder = ResultsFolder(directory.file(name).path)
            try folder.prepare()
            var header = ShardHeader(
                batch: name, worker: "w", model: "/models/llava-tiny", modelSHA256: "ab",
                methodJSON: #"{"keep":\#(batch.keep),"name":"\#(batch.keep == 144 ? "none" : "ficoco-v")"}"#,
                generationJSON: "{}", software: "winnow test", methods: ["none", "ficoco-v"])
            header.host = "somewhere"
            var writer = ShardWriter(folder: folder, header: header)
            for index in 0..<12 { try writer.add(Self.row(index, batch.keep, batch.right), at: .now) }
            _ = try writer.seal(as: ResultsTree.id(UInt64(number + 1)))
            return try ReportPage.Source(Catalogue(folder), images: images)
        }
    }

    /// A shaded ground with a disc and a bar, 96×72.
    private static func picture(_ number: Int) -> Picture {
        var pixels: [UInt8] = []
        for y in 0..<72 {
            for x in 0..<96 {
                let isDisc = (x - 30 - 8 * number) * (x - 30 - 8 * number) + (y - 30) * (y - 30) < 220
                let isBar = y > 54 && y < 62 && x > 20
                pixels +=
                    isDisc
                    ? [230, 190, 40]
                    : isBar ? [40, 70, 200] : [UInt8(90 + x), UInt8(120 + y), UInt8(100 + 20 * number)]
            }
        }
        return Picture(width: 96, height: 72, pixels: pixels)
    }

    private static let prompt = "What is under the disc?\nOne word."

    /// A question's row as a method leaves it that keeps so many tokens; the first `right` are answered well.
    static func row(_ index: Int, _ keep: Int, _ right: Int) -> ResultRow {
        let method = keep == 144 ? "none" : "ficoco-v"
        if index == 11, keep == 14 {
            var row = ResultRow(
                id: "q-11", images: ["picture-3.png"], prompt: prompt, method: method, attempt: 1)
            row.status = .failed
            row.finishReason = .error
            row.error = "images/broken.png ends after 12 bytes: replace it"
            row.finishedAt = 1_789_000_011
            return row
        }
        let picture = index % 4
        var row = ResultRow(
            id: "q-\(index)", images: ["picture-\(picture).png"], prompt: prompt, method: method, attempt: 1)
        var random = SeededGenerator(seed: UInt64(index * 1000 + keep))
        row.tokens.leftAt = [UInt8](repeating: ResultRow.Tokens.survived, count: 144)
        row.tokens.wentTo = (0..<144).map { UInt16($0) }
        row.tokens.score = (0..<144).map { Float16($0) / 144 }
        var present = (0..<144).map { UInt16($0) }.shuffled(using: &random)
        for step in 0..<(keep == 144 ? 0 : 3) {
            let leaving = Array(present.prefix((144 - keep) / 3 + (step == 2 ? (144 - keep) % 3 : 0)))
            present.removeFirst(leaving.count)
            for (place, source) in leaving.enumerated() {
                row.tokens.leftAt[Int(source)] = UInt8(step)
                guard place % 4 != 0 else {
                    row.tokens.wentTo[Int(source)] = ResultRow.Tokens.discarded
                    continue
                }
                row.tokens.wentTo[Int(source)] = present[place % 7]
                row.merges.append(step: UInt8(step), source: source, target: present[place % 7], weight: 0.75)
                row.merges.append(step: UInt8(step), source: source, target: present[7 + place % 5], weight: 0.25)
            }
            row.steps.append(
                layer: UInt8(4 * step + 3), place: .visionEncoder, tokensIn: present.count + leaving.count,
                tokensOut: present.count, seconds: 0.001)
        }
        row.kept = present.sorted()
        (row.visualTokensIn, row.visualTokensOut) = (144, row.kept.count)
        row.answer = index < right ? "bar" : "tree"
        row.expectedAnswers = #"["bar"]"#
        row.correct = index < right ? 1 : 0
        row.labels = #"{"kind":"\#(index % 2 == 0 ? "even" : "odd")","number":"\#(index)"}"#
        row.pictures.describe(0, sha256: "\(picture)", width: 96, height: 72)
        row.segments.append(
            picture: 0, tile: 0, rows: Self.grid[0], columns: Self.grid[1], left: 12, top: 0, width: 72, height: 72)
        row.flops.vision = 2e11
        row.flops.projector = 1e10
        row.flops.prefill = 2e12 * Double(keep) / 144
        row.flops.decode = 1e11
        row.seconds.vision = 0.05 + 0.004 * Double(index)
        row.seconds.prefill = 0.3 * Double(keep) / 144 + 0.01 * Double(index % 5)
        row.finishedAt = 1_789_000_000 + Double(index)
        return row
    }
}
