import Evaluation
import Foundation
import TestSupport
import Testing
import VisionLanguage

/// Published tables as printed, and ours beside them.
struct PublishedResultsTests {
    /// The mean column of FiCoCo's tables is reproduced from the cells: a check of what was typed.
    @Test func meansOfTheTablesAreThosePrinted() throws {
        let printed: [(String, String, Double)] = [
            ("LLaVA-1.5-7B", "8.5 T", 70.3), ("ToMe", "3.3 T", 62.1), ("FastV", "3.3 T", 60.9),
            ("SparseVLM", "3.3 T", 67.4),
            ("PDrop", "3.3 T", 67.1), ("PruMerge", "3.3 T", 63.0), ("FiCoCo-V", "3.3 T", 66.9),
            ("FiCoCo-L", "3.3 T", 68.9),
            ("ToMe", "2.5 T", 56.7), ("FastV", "2.5 T", 56.3), ("SparseVLM", "2.5 T", 65.4), ("PDrop", "2.5 T", 65.9),
            ("PruMerge", "2.5 T", 61.5), ("FiCoCo-V", "2.4 T", 66.3), ("FiCoCo-L", "2.4 T", 67.7),
            ("ToMe", "1.6 T", 49.5),
            ("FastV", "1.6 T", 50.5), ("SparseVLM", "1.5 T", 61.0), ("PDrop", "1.6 T", 52.5),
            ("PruMerge", "1.5 T", 60.3),
            ("FiCoCo-V", "1.5 T", 65.2), ("FiCoCo-L", "1.5 T", 65.3),
        ]
        let rows = PublishedResults.rows.filter { $0.source == "FiCoCo v4, table 1" && $0.model == .sevenBillion }
        #expect(rows.count == printed.count)
        for (method, label, mean) in printed {
            let row = try #require(rows.first { $0.method == method && $0.label == label })
            #expect(row.values.count == 6)
            #expect(abs(row.values.values.reduce(0, +) / 6 - mean) <= 0.1, "\(method) \(label)")
        }
    }

    @Test func copiedRowsSaySo() {
        for row in PublishedResults.rows {
            let isAuthors = row.method.hasPrefix("FiCoCo")
            #expect((row.origin == .own) == isAuthors, "\(row.source) \(row.method)")
        }
        #expect(PublishedResults.rows.contains { $0.origin == .rerun })
        #expect(PublishedResults.rows.contains { $0.isTrained })
    }

    @Test func retentionUsesCommonColumns() throws {
        let table = try ResultsTable(.thirteenBillion, measured: [])
        // Printed as 85.9 and 90.5 %: means of five benchmarks divided by a mean of six.
        let fastV = try #require(table.published.first { $0.method == "FastV" }?.retention)
        let sparse = try #require(table.published.first { $0.method == "SparseVLM" }?.retention)
        #expect(abs(fastV - 87.9) < 0.1 && abs(sparse - 92.7) < 0.1)
    }

    @Test("without a measurement our rows are empty", arguments: ModelSize.allCases)
    func emptyRows(size: ModelSize) throws {
        let table = try ResultsTable(size, measured: [])
        #expect(table.ours.count > 10)
        #expect(table.ours.allSatisfy { $0.values.isEmpty && $0.retention == nil && $0.source == "measured here" })
        #expect(table.ours.allSatisfy { ($0.countedTera ?? 0) > 0 && ($0.conventionTera ?? 0) > 0 })
        let whole = try #require(table.ours.first?.conventionTera)
        #expect(abs(whole - (size == .sevenBillion ? 8.453 : 28.59)) < 0.01)
        #expect(table.published.allSatisfy { $0.countedTera == nil })
    }

    @Test func scoresAreKeptBesideOthers() throws {
        func score(_ method: String, _ keep: Int?, _ value: Double, model: String = "m") throws -> MeasuredScore {
            let keep = keep.map { ", \"keep\": \($0)" } ?? ""
            let text =
                "{\"benchmark\": \"gqa\", \"model\": \"\(model)\", \"method\": \"\(method)\"\(keep), "
                + "\"scores\": {\"accuracy\": \(value)}}"
            return try JSONDecoder().decode(MeasuredScore.self, from: Data(text.utf8))
        }
        let folder = try TemporaryDirectory()
        let others = try [
            score("none", nil, 60), score("ficoco-v", 192, 59), score("ficoco-v:axis=column", 64, 50),
            score("ficoco-v", 64, 40, model: "other"),
        ]
        for other in others { try MeasuredScore.write([other], to: folder.url) }
        try MeasuredScore.write([score("ficoco-v", 64, 55)], to: folder.url)
        let last = try score("ficoco-v", 64, 56)
        try MeasuredScore.write([last], to: folder.url)
        #expect(try Set(MeasuredScore.all(below: folder.url)) == Set(others + [last]))
        #expect(try MeasuredScore.all(below: folder.url).count == 5)
        try Data("[".utf8).write(to: folder.file(MeasuredScore.file))
        let error = #expect(throws: EvaluationError.self) { try MeasuredScore.write([last], to: folder.url) }
        #expect(error?.code == .badData, "nothing is written over a file that cannot be read")
    }

    @Test func scienceQAStandsBesideThePapersAndCountsOnce() throws {
        let text = """
            [{"benchmark": "scienceqa", "model": "m", "size": "7b", "method": "none",
              "scores": {"IMG accuracy": 80, "total accuracy": 90}},
             {"benchmark": "gqa", "model": "m", "size": "7b", "method": "none", "scores": {"accuracy": 60}},
             {"benchmark": "scienceqa", "model": "m", "size": "7b", "method": "fastv", "keep": 64,
              "scores": {"IMG accuracy": 40, "total accuracy": 89}},
             {"benchmark": "gqa", "model": "m", "size": "7b", "method": "fastv", "keep": 64, "scores": {"accuracy": 30}}]
            """
        let measured = try JSONDecoder().decode([MeasuredScore].self, from: Data(text.utf8))
        let table = try ResultsTable(.sevenBillion, measured: measured)
        let row = try #require(table.ours.first { $0.method == "fastv" && $0.label == "64 tokens" })
        #expect(row.values == [.sqaTotal: 89, .sqaImage: 40, .gqa: 30])
        #expect(row.retention == 50)
        #expect(BenchmarkColumn.sqa.measured == nil)
        #expect(Array(table.columns.prefix(3)) == [.sqa, .sqaTotal, .sqaImage])
    }

    @Test func measuredScoresStandInTheirCells() throws {
        let folder = try TemporaryDirectory()
        let configuration = try #require(LLaVAConfiguration.named("llava-1.5-7b"))
        let published = try PublishedFolder([
            "llava_gqa_testdev_balanced.jsonl": llavaLines([
                ("\"1\"", "n1.jpg", "Is it?", nil), ("\"2\"", "n1.jpg", "Or?", nil),
            ]),
            "data/testdev_balanced_questions.json": #"{"1": {"answer": "no"}, "2": {"answer": "yes"}}"#,
        ])
        let scores = try [("none", nil, ["no", "yes"]), ("ficoco-v", 64, ["no", "no"])].map {
            (method: String, keep: Int?, answers: [String]) in
            MeasuredScore(
                benchmark: "gqa", model: "llava-1.5-7b-hf", configuration: configuration, method: method, keep: keep,
                result: try #require(try published.evaluate("gqa", answers).result))
        }
        try MeasuredScore.write(scores, to: folder.url)
        let read = try MeasuredScore.all(below: folder.url)
        #expect(Set(read) == Set(scores))
        let table = try ResultsTable(.sevenBillion, measured: read)
        let row = try #require(table.ours.first { $0.method == "ficoco-v" && $0.label == "64 tokens" })
        #expect(row.values == [.gqa: 50] && row.retention == 50)
        #expect(table.ours.filter { !$0.values.isEmpty }.count == 2)
        #expect(try ResultsTable(.thirteenBillion, measured: read).ours.allSatisfy(\.values.isEmpty))
    }
}
