import Analysis
import ArgumentParser
import Foundation
import JobVocabulary
import ResultFiles

/// `winnow bench catalogue`: opening and asking a catalogue of many shards.
struct BenchCatalogueCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "catalogue", abstract: "Measure the time to open and filter the catalogue of many shards.",
        discussion: """
            Shards of made-up jobs are written first, each with a few tokens of features, unless the folder holds results \
            already; with the default numbers that takes some minutes and 3 GB.
            """)

    @Argument(help: "The folder for the shards; it is not removed.")
    var folder: String

    @Option(help: "Shards to write.")
    var shards = 1000

    @Option(help: "Jobs in each shard.")
    var rows = 1000

    @Option(help: "Runs of each measurement; medians are printed, with the least and greatest.")
    var runs = 5

    @Option(help: "How to print: table, json (one value) or quiet.")
    var output = OutputFormat.table

    func validate() throws {
        guard shards >= 1, rows >= 1, runs >= 1 else { throw ValidationError("the numbers must be at least 1") }
    }

    func run() throws {
        let results = ResultsFolder(folder)
        if !FileManager.default.fileExists(atPath: "\(folder)/\(ResultsLayout.shards)") { try write(to: results) }
        var building = Measurement(), opening = Measurement()
        var summary = Catalogue.Summary.none
        if !FileManager.default.fileExists(atPath: "\(folder)/\(ResultsLayout.catalogue)") {
            try building.time { _ = try Catalogue.rebuild(results) }
        }
        for _ in 0..<runs { try opening.time { summary = try Catalogue(results).summary } }
        let catalogue = try Catalogue(results)
        struct Report: Encodable {
            struct Time: Encodable { let what: String, median, least, greatest: Double }
            let jobs, shards: Int
            let building: Double?
            var times: [Time] = []
        }
        var report = Report(
            jobs: summary.jobs, shards: summary.shards, building: building.seconds.isEmpty ? nil : building.median)
        var table = TextTable(["", "seconds", "least", "greatest"], rightAligned: [1, 2, 3])
        func add(_ name: String, _ time: Measurement) {
            let spread = Spread(time.seconds)
            report.times.append(
                Report.Time(what: name, median: spread.median, least: spread.least, greatest: spread.greatest))
            table.add([name] + [spread.median, spread.least, spread.greatest].map { String(format: "%.3f", $0) })
        }
        add("open, with a look for new shards", opening)
        for query in [
            "SELECT COUNT(*) FROM jobs WHERE correct = 1", "SELECT COUNT(*) FROM jobs WHERE visual_tokens_out < 3",
            "SELECT COUNT(*) FROM jobs WHERE answer = 'answer 7'",
            "SELECT AVG(flops_prefill) FROM jobs WHERE status = 'ok'",
        ] {
            var time = Measurement()
            for _ in 0..<runs { try time.time { _ = try catalogue.query(query) } }
            add(query, time)
        }
        let built = report.building.map { [String(format: "built in %.1f s", $0)] } ?? []
        try output.show(
            report,
            table: (["\(summary.jobs) jobs in \(summary.shards) shards"] + built + [table.text()])
                .joined(separator: "\n"),
            quiet: report.times.map { "\($0.median)" }.joined(separator: "\n"))
    }

    private func write(to results: ResultsFolder) throws {
        try results.prepare()
        let width = 64
        let header = ShardHeader(
            batch: "bench", worker: "bench", model: "", modelSHA256: "", methodJSON: "{}", generationJSON: "{}",
            software: "", methods: ["none"],
            features: ShardHeader.Features(width: width, layer: -2, space: "decoder input"))
        for shard in 0..<shards {
            var writer = ShardWriter(folder: results, header: header)
            for number in 0..<rows {
                var row = ResultRow(
                    id: "job-\(shard * rows + number)", images: ["images/\(number).jpg"],
                    prompt: "What is in picture \(number)? Answer with one word.", method: "none", attempt: 1)
                row.segments.append(
                    picture: 0, tile: 0, rows: 2, columns: 2, left: 0, top: 0, width: 336, height: 336)
                row.answer = "answer \(number % 100)"
                row.correct = Int8(number % 2)
                row.tokens.leftAt = [255, 255, 255, 255]
                row.tokens.wentTo = [0, 1, 2, 3]
                row.tokens.score = [0, 0, 0, 0]
                row.kept = [0, 1, 2, 3]
                (row.visualTokensIn, row.visualTokensOut) = (4, 4)
                row.flops.prefill = Double(number)
                row.features = (0..<4 * width).map { Float16(shard % 100 + $0 % 7) }
                try writer.add(row, at: .now)
            }
            var random = SystemRandomNumberGenerator()
            _ = try writer.seal(as: ULID(milliseconds: UInt64(1_700_000_000_000 + shard), using: &random))
        }
    }
}
