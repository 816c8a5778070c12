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

    /// Single cells and sums of rows, as printed: of every table that no mean column checks.
    @Test func valuesAreThosePrinted() throws {
        func values(_ source: String, _ method: String, _ label: String, _ model: ModelSize = .sevenBillion) throws
            -> [BenchmarkColumn: Double]
        {
            let rows = PublishedResults.rows.filter {
                $0.model == model && $0.source == source && $0.method == method && $0.label == label
            }
            #expect(rows.count == 1, "\(source) \(method) \(label)")
            return try #require(rows.first).values
        }
        let first = "FiCoCo v1, table 3", again = "EADP, one set-up for all"
        #expect(
            try values(first, "FiCoCo-L", "1.5 T") == [
                .sqa: 69.5, .textVQA: 55.7, .pope: 84.1, .vizWiz: 48.2, .mmVet: 27.4, .mmBenchCN: 53.3, .gqa: 60,
                .llavaWild: 57.3, .mmBench: 64, .vqaV2: 75.6,
            ])
        #expect(try values(first, "PyramidDrop", "1.8 T") == [.pope: 86, .mmBenchCN: 58.5, .mmBench: 66.1])
        #expect(try values(first, "FitPrune", "4.4 T")[.llavaWild] == nil)
        #expect(
            try values("FiCoCo v1, table 5", "EViT", "15.4 T", .thirteenBillion) == [
                .sqa: 70.1, .textVQA: 57.9, .pope: 84.6, .vizWiz: 50, .mmVet: 24.4, .mmBenchCN: 52.4, .gqa: 60.2,
                .llavaWild: 45.5, .mmBench: 61, .vqaV2: 77.2,
            ])
        #expect(
            try values("FiCoCo v4, table 1", "SparseVLM", "15.4 T", .thirteenBillion)
                == [.sqa: 69.9, .textVQA: 49.9, .pope: 81.1, .gqa: 57.9, .mmBench: 65.8])
        #expect(
            try values(again, "FastV", "64 tokens") == [
                .vqaV2: 57.2, .gqa: 48, .vizWiz: 49.1, .sqa: 68.7, .textVQA: 52.1, .pope: 37.2, .mmePerception: 992.1,
                .mmBench: 49.6, .mmBenchCN: 43.3, .mmVet: 20.1,
            ])
        // VizWiz marked with a star is the validation split, and not in the column of the test server.
        for (method, label, value) in [
            ("DivPrune", "128 tokens", 57.5), ("CDPruner", "128 tokens", 57.3), ("DivPrune", "64 tokens", 57.8),
            ("CDPruner", "64 tokens", 58.0),
        ] {
            let row = try values(again, method, label)
            #expect(row[.vizWizValidation] == value && row[.vizWiz] == nil)
        }
        #expect(
            try values("run again by a later paper", "ToMe", "192 tokens")
                == [.gqa: 59.5, .mmBench: 62.6, .pope: 86.9, .sqa: 69, .vqaV2: 75.9, .textVQA: 55.8])
        // Table 8 repeats version 1.
        for row in PublishedResults.rows where row.source == "FiCoCo v4, table 8" {
            let old = try values(first, row.method, row.label)
            #expect(row.values.count == 4 && row.values.allSatisfy { old[$0.key] == $0.value }, "\(row.method)")
        }
        #expect(PublishedResults.rows.filter { $0.source == first }.count == 35)
        let table = try ResultsTable(.sevenBillion, measured: [])
        #expect(table.published.filter { $0.source.hasSuffix("re-run") }.allSatisfy { $0.retention == nil })
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

    /// Samples belong together: where a method answers as `none` does nothing varies, where it errs on half of the pictures
    /// two benchmarks vary less than one.
    @Test func retentionHasAnIntervalOverSamplesOfPictures() throws {
        let configuration = try #require(LLaVAConfiguration.named("llava-1.5-7b"))
        let count = 60
        func scores(_ benchmark: String) throws -> [MeasuredScore] {
            let (file, truth) =
                benchmark == "gqa"
                ? ("llava_gqa_testdev_balanced.jsonl", "data/testdev_balanced_questions.json")
                : ("llava_textvqa_val_v051_ocr.jsonl", "TextVQA_0.5.1_val.json")
            let ids = (0..<count).map { benchmark == "gqa" ? "\"\($0)\"" : "\"picture-\($0)\"" }
            let accepted = [String](repeating: "\"yes\"", count: 10).joined(separator: ", ")
            let published = try PublishedFolder([
                file: llavaLines(ids.enumerated().map { ($1, "n\($0).jpg", "Is it?\nShort.", nil) }),
                truth: benchmark == "gqa"
                    ? "{" + ids.map { "\($0): {\"answer\": \"yes\"}" }.joined(separator: ", ") + "}"
                    : "{\"data\": ["
                        + ids.map { "{\"image_id\": \($0), \"question\": \"Is it?\", \"answers\": [\(accepted)]}" }
                        .joined(separator: ", ") + "]}",
            ])
            let perfect = [String](repeating: "yes", count: count)
            let worse = (0..<count).map { $0.isMultiple(of: 2) ? "yes" : "no" }
            return try [("none", nil, worse), ("fastv", 64, worse), ("random", 64, perfect)].map {
                (method: String, keep: Int?, answers: [String]) in
                let evaluation = try published.evaluate(benchmark, answers)
                #expect(evaluation.draws?.scores.count == ScoreDraws.count)
                #expect(evaluation.draws == (try published.evaluate(benchmark, answers).draws))
                return MeasuredScore(
                    benchmark: benchmark, model: "m", configuration: configuration, method: method, keep: keep,
                    result: try #require(evaluation.result), draws: evaluation.draws)
            }
        }
        func row(_ method: String, _ scores: [MeasuredScore]) throws -> ResultsTable.Row {
            let table = try ResultsTable(.sevenBillion, measured: scores)
            return try #require(table.ours.first { $0.method == method && $0.label == "64 tokens" })
        }
        func width(_ row: ResultsTable.Row) throws -> Double {
            let interval = try #require(row.retentionInterval)
            #expect(try interval.contains(#require(row.retention)))
            return interval.upperBound - interval.lowerBound
        }
        let (gqa, textVQA) = try (scores("gqa"), scores("textvqa"))
        #expect(try row("fastv", gqa).retentionInterval == 100...100)
        let (one, two) = try (row("random", gqa), row("random", gqa + textVQA))
        #expect(one.retention == 200 && two.values.count == 2)
        let narrower = try width(two) / width(one)
        #expect((0.5...0.9).contains(narrower), "\(narrower): about 1/√2 where benchmarks are independent")
        #expect(try row("dart", gqa).retentionInterval == nil)
    }

    @Test func measuredScoresStandInTheirCells() throws {
        let folder = try TemporaryDirectory()
        let configuration = try #require(LLaVAConfiguration.named("llava-1.5-7b"))
        let published = try PublishedFolder([
            "llava_gqa_testdev_balanced.jsonl": llavaLines([
                ("\"1\"", "n1.jpg", "Is it?", nil), ("\"2\"", "n2.jpg", "Or?", nil),
            ]),
            "data/testdev_balanced_questions.json": #"{"1": {"answer": "no"}, "2": {"answer": "yes"}}"#,
        ])
        let scores = try [("none", nil, ["no", "yes"]), ("ficoco-v", 64, ["no", "no"])].map {
            (method: String, keep: Int?, answers: [String]) in
            let evaluation = try published.evaluate("gqa", answers)
            return MeasuredScore(
                benchmark: "gqa", model: "llava-1.5-7b-hf", configuration: configuration, method: method, keep: keep,
                result: try #require(evaluation.result), draws: evaluation.draws)
        }
        try MeasuredScore.write(scores, to: folder.url)
        let read = try MeasuredScore.all(below: folder.url)
        #expect(Set(read) == Set(scores))
        let table = try ResultsTable(.sevenBillion, measured: read)
        let row = try #require(table.ours.first { $0.method == "ficoco-v" && $0.label == "64 tokens" })
        #expect(row.values == [.gqa: 50] && row.retention == 50 && row.retentionInterval == 0...100)
        #expect(table.ours.first?.retention == 100 && table.ours.first?.retentionInterval == nil)
        #expect(table.ours.filter { !$0.values.isEmpty }.count == 2)
        #expect(try ResultsTable(.thirteenBillion, measured: read).ours.allSatisfy(\.values.isEmpty))
    }
}
