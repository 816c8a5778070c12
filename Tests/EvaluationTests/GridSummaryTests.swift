import Evaluation
import Foundation
import Intervals
import JobModel
import TestSupport
import Testing

/// What a grid's answers come to, on answers that were made up.
struct GridSummaryTests {
    private func summary(
        _ answers: [CellAnswers], averagedBudgets: [Int] = [192, 128, 64], against: [String] = []
    ) -> GridSummary {
        GridSummary(
            answers, measure: "right",
            scores: answers.map { cell in cell.right.map { 100 * $0.reduce(0, +) / Double($0.count) } },
            parts: answers.map { ScoreParts(mean: $0.right ?? []) }, averagedBudgets: averagedBudgets,
            against: against)
    }

    @Test func methodsStandBesideOthersThanNone() throws {
        let ids = (0..<60).map { "q\(1000 + $0)" }
        let grid = try MadeGrid(ids.enumerated().map { place, id in (id, "\(place / 4).jpg") })
        func rows(_ isRight: (Int) -> Bool) -> [MadeGrid.Row] {
            ids.enumerated().map { place, id in MadeGrid.Row(id: id, answer: isRight(place) ? "x" : "y") }
        }
        let answers = try grid.answers(
            rows { _ in true },
            [
                ("random", 128, rows { $0 % 3 == 0 }), ("random", 64, rows { $0 % 6 == 0 }),
                ("fastv", 128, rows { $0 % 3 > 0 }), ("fastv", 64, rows { $0 % 6 > 2 }),
            ])
        let report = summary(answers, averagedBudgets: [128, 64], against: ["random", "none"])
        let fastV = try #require(report.cells.first { $0.method == "fastv" && $0.keep == 64 })
        #expect(fastV.comparisons.map(\.against) == ["random"], "the difference to none has a place of its own")
        let own = try #require(fastV.comparisons.first).difference
        let differences = (0..<60).map { place -> Double in place % 6 > 2 ? 1 : place % 6 == 0 ? -1 : 0 }
        let direct = PairedBootstrap(differences, clusters: (0..<60).map { "\($0 / 4)" })
        #expect(abs(own.value - 100.0 / 3) < 1e-9)
        #expect(abs(own.low - 100 * direct.low) < 1e-9 && abs(own.high - 100 * direct.high) < 1e-9)
        let random = report.cells.filter { $0.method == "random" }
        #expect(random.flatMap(\.comparisons).isEmpty)
        #expect(report.cells[0].comparisons.isEmpty && report.cells[0].retention == nil)
        let retention = try #require(fastV.retention)
        #expect(retention.value == 50 && retention.low < 50 && retention.high > 50)

        let average = try #require(report.averages.first { $0.method == "fastv" })
        #expect(abs(average.score - (200.0 / 3 + 50) / 2) < 1e-9)
        let mean = try #require(average.comparisons.first).difference
        #expect(abs(mean.value - 100.0 / 3) < 1e-9 && mean.low < mean.value && mean.value < mean.high)
    }

    /// POPE's F1, MME's points and MMBench's rotations are no means over questions, and have intervals all the same.
    @Test("scores from sums", arguments: ["pope", "mme", "mmbench"])
    func otherScoresHaveIntervals(name: String) throws {
        let (folder, perfect, worse) = try Self.benchmark(name)
        let questions = try folder.questions(name)
        let items = questions.map { question in
            Item(
                id: ItemID(BenchmarkItems.id(name, row: question.row)), images: [question.image].compactMap(\.self),
                prompt: question.prompt)
        }
        let results = try [perfect, worse].map { answers in try #require(try folder.evaluate(name, answers).result) }
        // What the table prints and divides is what draws are of.
        #expect(
            BenchmarkColumn.allCases.compactMap(\.measured).contains {
                $0.benchmark == name && $0.score == results[0].headline.name
            })
        for answers in [perfect, worse] {
            let evaluation = try folder.evaluate(name, answers)
            let (draws, score) = try (#require(evaluation.draws).scores, #require(evaluation.result).headline.value)
            let (least, most) = try (#require(draws.min()), #require(draws.max()))
            #expect(draws.count == ScoreDraws.count && least <= score && score <= most)
        }
        let parts = results.map { ScoreParts($0, items: items) }
        #expect(parts.allSatisfy { $0 != nil } && ScoreParts(results[0], items: Array(items.dropFirst())) == nil)
        let grid = try MadeGrid(items.map { ($0.id.rawValue, $0.images.first) }, accepted: nil)
        let rows = items.map { MadeGrid.Row(id: $0.id.rawValue) }
        let summary = try GridSummary(
            grid.answers(rows, [("random", 64, rows)]), measure: name,
            scores: results.map { Optional($0.headline.value) },
            parts: parts)
        let difference = try #require(summary.cells[1].difference)
        #expect(abs(difference.value - (results[1].headline.value - results[0].headline.value)) < 1e-9)
        #expect(difference.low < difference.value && difference.value < 0 && difference.high <= 0)
        let retention = try #require(summary.cells[1].retention)
        #expect(abs(retention.value - 100 * results[1].headline.value / results[0].headline.value) < 1e-9)
    }

    /// A folder with eight pictures, right answers to all questions, and answers that fail for some pictures.
    private static func benchmark(_ name: String) throws -> (PublishedFolder, [String], [String]) {
        let pictures = 0..<8
        switch name {
        case "pope":
            let samplings = ["adversarial", "popular", "random"]
            var files: [String: String] = [:], perfect: [String] = [], worse: [String] = []
            var rows: [(id: String, image: String, text: String, category: String?)] = []
            for sampling in samplings {
                for picture in pictures {
                    rows += [
                        ("\(rows.count)", "\(picture).jpg", "Is there a cat?", sampling),
                        ("\(rows.count + 1)", "\(picture).jpg", "Is there a dog?", sampling),
                    ]
                    perfect += ["Yes", "No"]
                    worse += [picture % 3 == 0 ? "No" : "Yes", picture % 4 == 0 ? "Yes" : "No"]
                }
                files["coco/coco_pope_\(sampling).json"] = String(
                    repeating: "{\"label\": \"yes\"}\n{\"label\": \"no\"}\n", count: pictures.count)
            }
            files["llava_pope_test.jsonl"] = llavaLines(rows)
            return (try PublishedFolder(files), perfect, worse)
        case "mme":
            var files: [String: String] = [:], perfect: [String] = [], worse: [String] = []
            var rows: [(id: String, image: String, text: String, category: String?)] = []
            for picture in pictures {
                // Cognition adds nothing to the headline, nor to its parts.
                let category = picture == 7 ? "code_reasoning" : picture < 4 ? "existence" : "count"
                let path = "\(category)/\(picture).jpg"
                rows += [("\"\(path)\"", path, "Is it?", nil), ("\"\(path)\"", path, "Or?", nil)]
                files["MME_Benchmark_release_version/\(category)/\(picture).txt"] =
                    "Is it? Please answer yes or no.\tYes\nOr? Please answer yes or no.\tNo\n"
                perfect += ["Yes", "No"]
                worse += ["Yes", picture % 2 == 0 ? "Yes" : "No"]
            }
            files["llava_mme.jsonl"] = llavaLines(rows)
            return (try PublishedFolder(files), perfect, worse)
        default:
            var lines = "index\tquestion\tA\tB\tanswer\timage\n", perfect: [String] = [], worse: [String] = []
            for picture in pictures {
                let image = Data("picture number \(picture)".utf8).base64EncodedString()
                lines += "\(picture + 1)\tWhich?\tred\tblue\tA\t\(image)\n"
                lines += "\(1_000_001 + picture)\tWhich?\tblue\tred\tB\t\(image)\n"
                perfect += ["A", "B"]
                worse += ["A", picture % 3 == 0 ? "A" : "B"]
            }
            return (try PublishedFolder(["mmbench_dev_20230712.tsv": lines]), perfect, worse)
        }
    }

    /// Groups of 40 questions; what was made under other conditions, or failed, is not compared.
    @Test func timesAreComparedUnderEqualConditions() throws {
        let ids = (0..<100).map { "q\(1000 + $0)" }
        let grid = try MadeGrid(ids.map { ($0, "\($0).jpg") })
        let none = ids.map { MadeGrid.Row(id: $0, seconds: 2, threads: 4, capacity: 20) }
        let mixed = ids.enumerated().map { place, id -> MadeGrid.Row in
            switch place {
            case 0: MadeGrid.Row(id: id, answer: nil, error: "no memory", seconds: 0)
            case ..<60: MadeGrid.Row(id: id, flops_to_first_token: 100_000, threads: 4, capacity: 20)
            case ..<80: MadeGrid.Row(id: id, seconds: 0.1, threads: 8, capacity: 20)
            default: MadeGrid.Row(id: id, seconds: 0.1, threads: 4, capacity: 1)
            }
        }
        let cells = try summary(grid.answers(none, [("random", 64, mixed)])).cells
        #expect(cells.count == 2 && cells[1].speedUp == 2 && cells[1].speedUpQuartiles == [2, 2])
        #expect(cells[1].failed == 1 && cells[0].flopsToFirstToken == 400_000)
        #expect(cells[1].flopsToFirstToken < 400_000)

        let faster = ids.map { MadeGrid.Row(id: $0, seconds: 0.1, threads: 8, capacity: 20) }
        let apart = try summary(grid.answers(none, [("random", 64, faster)])).cells[1]
        #expect(apart.speedUp == nil && apart.speedUpQuartiles.isEmpty)
        // Journals from before the conditions were written down compare among themselves.
        let old = ids.map { MadeGrid.Row(id: $0, seconds: 3) }, new = ids.map { MadeGrid.Row(id: $0) }
        #expect(try summary(grid.answers(old, [("random", 64, new)])).cells[1].speedUp == 3)
    }
}
