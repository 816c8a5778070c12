import Evaluation
import Foundation
import FoundationXML
import JobModel
import JobVocabulary
import TestSupport
import Testing
import TokenReduction
import VisionLanguage

/// A grid of methods and budgets over real questions: what is kept, how it goes on, what is summed up.
struct GridRunnerTests {
    let grid: DemoGrid

    init() throws { grid = try DemoGrid() }

    @Test func answersEveryQuestionInEveryCellOnce() throws {
        let folder = try TemporaryDirectory()
        let cells = try grid.cells(["uniform-grid", "ficoco-v", "fastv"], [64, 192, 576])
        #expect(
            cells.map(\.name) == [
                "none", "uniform-grid@192", "uniform-grid@64", "ficoco-v@192", "ficoco-v@64", "fastv@192", "fastv@64",
            ])
        let (answers, asked) = try grid.run(grid.batch(), cells, in: folder.url, limit: 45)
        #expect(asked == 45 * 7)
        for answers in answers {
            let rows = answers.rows.compactMap(\.self)
            #expect(rows.count == 45 && answers.failed == 0)
            let isDecoder = answers.cell.choice.method == "fastv"
            #expect(rows.allSatisfy { $0.delivered == (isDecoder ? 576 : answers.cell.keep ?? 576) })
            #expect(rows.allSatisfy { $0.left == answers.cell.keep ?? 576 })
            #expect(rows.allSatisfy { $0.flops > $0.prefillFLOPs && $0.prefillFLOPs > 0 })
        }
        // Sharing among questions and between cells changes no answer: each alone gives the same.
        let alone = try TemporaryDirectory()
        let (single, _) = try grid.run(grid.batch(), [.baseline, cells[4]], in: alone.url, limit: 6)
        #expect(zip(single[0].rows, answers[0].rows).allSatisfy { $0?.answer == $1?.answer })
        #expect(zip(single[1].rows, answers[4].rows).allSatisfy { $0?.answer == $1?.answer })

        let summary = GridSummary(
            answers, measure: "right",
            scores: answers.map { $0.right.map { 100 * $0.reduce(0, +) / Double($0.count) } },
            parts: answers.map { ScoreParts(mean: $0.right ?? []) }, averagedBudgets: [192, 64])
        #expect(summary.cells.map(\.method).first == "none" && summary.cells[0].difference == nil)
        for cell in summary.cells.dropFirst() {
            let difference = try #require(cell.difference)
            #expect(abs(difference.value - (cell.score ?? 0) + (summary.cells[0].score ?? 0)) < 1e-9)
            #expect(difference.low <= difference.value && difference.value <= difference.high)
            #expect(cell.flopsShare < 1)
        }
        #expect(summary.averages.map(\.method) == ["uniform-grid", "ficoco-v", "fastv"])
        let average = try #require(summary.averages.first { $0.method == "fastv" })
        #expect(abs(average.score - ((summary.cells[5].score ?? 0) + (summary.cells[6].score ?? 0)) / 2) < 1e-9)
        let svg = AccuracyPlot(summary, title: "a < b").svg
        let parser = XMLParser(data: Data(svg.utf8))
        #expect(parser.parse(), "\(parser.parserError.map { "\($0)" } ?? "")")
        #expect(svg.contains("a &lt; b") && svg.components(separatedBy: "<polyline").count == 4)
    }

    @Test func goesOnWhereItWasStopped() throws {
        let folder = try TemporaryDirectory()
        let cells = try grid.cells(["fastervlm"], [64])
        let (first, _) = try grid.run(grid.batch(), cells, in: folder.url, limit: 7)
        // A line that was being written when the power went.
        let file = folder.file("answers/fastervlm@64.jsonl")
        var text = try String(contentsOf: file, encoding: .utf8)
        let cut = try #require(text.dropLast().lastIndex(of: "\n"))
        text = String(text[...text.index(cut, offsetBy: 20)])
        try Data(text.utf8).write(to: file)
        let (second, asked) = try grid.run(grid.batch(), cells, in: folder.url, limit: 9)
        #expect(asked == 1 + 2 * 2, "the row that was cut off, and two new questions in both cells")
        #expect(zip(first[1].rows, second[1].rows).allSatisfy { $0?.answer == $1?.answer })
        #expect(second.allSatisfy { $0.rows.allSatisfy { $0 != nil } })
        #expect(try grid.run(grid.batch(), cells, in: folder.url, limit: 9).asked == 0)
    }

    @Test func anInterruptedGridSaysWhatItHas() throws {
        let folder = try TemporaryDirectory()
        let cells = try grid.cells(["fastervlm"], [64])
        let (whole, _) = try grid.run(grid.batch(), cells, in: folder.url, limit: 6)
        let file = folder.file("answers/fastervlm@64.jsonl")
        let lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
        let cut = Data((lines.prefix(4).joined(separator: "\n") + "\n" + String(lines[4].prefix(9))).utf8)
        try cut.write(to: file)
        let runner = try GridRunner(
            grid.batch(), cells: cells + grid.cells(["random"], [64]).dropFirst(), folder: folder.url, limit: 9)
        let found = try runner.answersSoFar()
        #expect(found.map(\.cell.name) == ["none", "fastervlm@64"] && runner.questions == 9)
        #expect(found.allSatisfy { $0.items == Array(whole[0].items.prefix(4)) && $0.rows.allSatisfy { $0 != nil } })
        #expect(zip(found[1].rows, whole[1].rows).allSatisfy { $0?.answer == $1?.answer })
        #expect(try Data(contentsOf: file) == cut, "another process may be writing there")
        #expect(!FileManager.default.fileExists(atPath: folder.file("answers/random@64.jsonl").path))
        try FileManager.default.removeItem(at: folder.file("answers/none.jsonl"))
        let error = #expect(throws: EvaluationError.self) { try runner.answersSoFar() }
        #expect(error?.code == .unfinished)
    }

    @Test func answersOfOtherSettingsDoNotMix() throws {
        let folder = try TemporaryDirectory()
        var batch = try grid.batch()
        try EvaluationSettings(batch, modelSHA256: "a", backend: "f32").claim(folder.url)
        try EvaluationSettings(batch, modelSHA256: "a", backend: "f32").claim(folder.url)
        batch.imageMode = .pad
        let padded = batch
        for other in [
            try EvaluationSettings(grid.batch(), modelSHA256: "b", backend: "f32"),
            try EvaluationSettings(grid.batch(), modelSHA256: "a", backend: "bf16"),
            try EvaluationSettings(padded, modelSHA256: "a", backend: "f32"),
        ] {
            let error = #expect(throws: EvaluationError.self) { try other.claim(folder.url) }
            #expect(error?.code == .otherSettings)
        }
        batch.generation.temperature = 0.2
        #expect(throws: EvaluationError.self) { try EvaluationSettings(batch, modelSHA256: "a", backend: "f32") }
    }

    @Test func oneProcessAtATimeWorksInAFolder() throws {
        let folder = try TemporaryDirectory()
        let settings = try EvaluationSettings(grid.batch(), modelSHA256: "a", backend: "f32")
        let none = #expect(throws: EvaluationError.self) { try settings.check(folder.url) }
        #expect(none?.code == .missingData)
        do {
            let claim = try settings.claim(folder.url)
            let error = #expect(throws: EvaluationError.self) { try settings.claim(folder.url) }
            #expect(error?.code == .inUse && error?.message.contains("--out") == true)
            try settings.check(folder.url)
            withExtendedLifetime(claim) {}
        }
        try settings.claim(folder.url)
        // A process that died before it wrote anything left an empty file behind.
        try Data().write(to: folder.file("settings.json"))
        try settings.claim(folder.url)
        try settings.check(folder.url)
    }

    @Test func aQuestionThatCannotBeAskedIsWrongAndSaysWhy() throws {
        let folder = try TemporaryDirectory()
        try Data(
            """
            {"id": "a", "image": "missing.jpg", "prompt": "What?", "answers": [""]}
            {"id": "b", "image": "demo/images/scene-000.jpg", "prompt": "What?", "answers": ["x"]}

            """.utf8
        ).write(to: folder.file("items.jsonl"))
        var batch = try grid.batch()
        batch.items = folder.file("items.jsonl").path
        batch.images = Repository.root.appendingPathComponent("Jobs").path
        let (answers, _) = try grid.run(batch, [.baseline], in: folder.url)
        #expect(answers[0].failed == 1 && answers[0].rows[0]?.error?.contains("missing.jpg") == true)
        #expect(answers[0].rows[1]?.answer != nil)
        #expect(answers[0].right?[0] == 0, "an error is no answer, not an empty one")
    }

    @Test func aQuestionThatFailedIsAskedAgain() throws {
        let folder = try TemporaryDirectory()
        let picture = Repository.root.appendingPathComponent("Jobs/demo/images/scene-000.jpg")
        try FileManager.default.copyItem(at: picture, to: folder.file("b.jpg"))
        try Data(
            """
            {"id": "a", "image": "a.jpg", "prompt": "What?", "answers": ["x"]}
            {"id": "b", "image": "b.jpg", "prompt": "What?", "answers": ["x"]}

            """.utf8
        ).write(to: folder.file("items.jsonl"))
        var batch = try grid.batch()
        batch.items = folder.file("items.jsonl").path
        batch.images = folder.url.path
        #expect(try grid.run(batch, [.baseline], in: folder.url).answers[0].failed == 1)
        try FileManager.default.copyItem(at: picture, to: folder.file("a.jpg"))
        let (again, asked) = try grid.run(batch, [.baseline], in: folder.url)
        #expect(asked == 1 && again[0].failed == 0 && again[0].rows[0]?.answer == again[0].rows[1]?.answer)
        #expect(try grid.run(batch, [.baseline], in: folder.url).asked == 0)
    }

    @Test func picturesOutsideOfTheImageFolderStayClosed() throws {
        let (folder, images) = (try TemporaryDirectory(), try TemporaryDirectory())
        let picture = Repository.root.appendingPathComponent("Jobs/demo/images/scene-000.jpg")
        try FileManager.default.createSymbolicLink(at: images.file("link.jpg"), withDestinationURL: picture)
        try Data("{\"id\": \"a\", \"image\": \"link.jpg\", \"prompt\": \"What?\", \"answers\": [\"x\"]}\n".utf8)
            .write(to: folder.file("items.jsonl"))
        var batch = try grid.batch()
        batch.items = folder.file("items.jsonl").path
        batch.images = images.url.path
        let (answers, _) = try grid.run(batch, [.baseline], in: folder.url)
        #expect(answers[0].failed == 1 && answers[0].rows[0]?.error?.contains("leads out") == true)
    }

    @Test func questionsAboutNoPictureAreAskedBesideTheOthers() throws {
        let folder = try TemporaryDirectory()
        try Data(
            """
            {"id": "a", "image": null, "prompt": "How many?", "answers": ["x"]}
            {"id": "b", "image": "images/scene-000.jpg", "prompt": "How many?", "answers": ["x"]}
            {"id": "c", "image": null, "prompt": "What color is it?", "answers": ["x"]}
            {"id": "d", "image": "images/scene-000.jpg", "prompt": "What color is it?", "answers": ["x"]}

            """.utf8
        ).write(to: folder.file("items.jsonl"))
        var batch = try grid.batch()
        batch.items = folder.file("items.jsonl").path
        batch.images = Repository.root.appendingPathComponent("Jobs/demo").path
        let (answers, asked) = try grid.run(batch, grid.cells(["ficoco-v"], [64]), in: folder.url)
        #expect(asked == 8 && answers.allSatisfy { $0.failed == 0 })
        for answers in answers {
            #expect(answers.items.map(\.id.rawValue) == ["a", "b", "d", "c"])
            let keep = answers.cell.keep ?? 576
            #expect(answers.rows.map { $0?.delivered } == [0, keep, keep, 0])
            #expect(answers.rows.map { $0?.left } == [0, keep, keep, 0])
        }
        // Nothing reduces a prompt alone, so it is asked once.
        for place in [0, 3] {
            #expect(answers[0].rows[place] == answers[1].rows[place] && answers[0].rows[place]?.flops ?? 0 > 0)
        }
        let summary = GridSummary(
            answers, measure: "right", scores: [0, 0], parts: answers.map { ScoreParts(mean: $0.right ?? []) })
        #expect(summary.cells.map(\.delivered) == [576, 64] && summary.cells.map(\.left) == [576, 64])
        let pictured = answers[0].rows[1...2].compactMap { $0?.flops }
        #expect(summary.cells[1].flopsShare < 1 && summary.cells[0].flops == Double(pictured.reduce(0, +)) / 2)
    }

    /// A file such as POPE's comes back to each picture again and again.
    @Test func questionsAboutOnePictureAreAskedTogether() throws {
        let folder = try TemporaryDirectory()
        let images = Repository.root.appendingPathComponent("Jobs/demo/images")
        var lines = ""
        for round in 0..<3 {
            for (picture, file) in ["scene-000.jpg", "scene-001.jpg", "scene-002.png"].enumerated() {
                lines +=
                    "{\"id\": \"\(round)-\(picture)\", \"image\": \"\(file)\", \"prompt\": \"What?\", "
                    + "\"answers\": [\"x\"]}\n"
            }
        }
        try Data(lines.utf8).write(to: folder.file("items.jsonl"))
        var batch = try grid.batch()
        batch.items = folder.file("items.jsonl").path
        batch.images = images.path
        let (answers, asked) = try grid.run(batch, [.baseline], in: folder.url, limit: 8)
        #expect(asked == 8 && answers[0].failed == 0)
        #expect(answers[0].items.map(\.id.rawValue) == ["0-0", "1-0", "2-0", "0-1", "1-1", "2-1", "0-2", "1-2"])
        // The limit counts in the file's order, so that the first ones stay the first ones.
        let (fewer, none) = try grid.run(batch, [.baseline], in: folder.url, limit: 4)
        #expect(none == 0 && fewer[0].items.map(\.id.rawValue) == ["0-0", "1-0", "0-1", "0-2"])
        let answered = fewer[0].rows.compactMap { $0?.answer }
        #expect(answered.count == 4 && answered[0] == answered[1])
    }

    @Test func choicesOfMethods() throws {
        let choice = try MethodChoice(parsing: "ficoco-v:scores=logits,axis=row")
        #expect(
            choice.options == ["axis": "row", "scores": "logits"] && choice.label == "ficoco-v:axis=row,scores=logits")
        #expect(try MethodChoice(parsing: choice.label) == choice)
        let reading = try MethodCatalogue.method(
            named: "ficoco-v", options: ["axis": "column", "from-layer": "4"])
        let settled = Dictionary(reading.options.map { ($0.name, $0.value) }) { first, _ in first }
        #expect(settled.count > 2)
        #expect(MethodChoice("ficoco-v", settled: settled).label == "ficoco-v:axis=column,from-layer=4")
        for recipe in MethodCatalogue.all {
            let options = try recipe.method().options.map { ($0.name, $0.value) }
            let choice = MethodChoice(recipe.name, settled: Dictionary(options) { first, _ in first })
            #expect(choice.label == recipe.name, "options that are the defaults go unnamed")
        }
        let composed = try MethodChoice(
            parsing: "composed:filter=random,schedule=at:3,5,place=encoder,correlate=none,compress=none")
        #expect(composed.options["schedule"] == "at:3,5")
        #expect(throws: EvaluationError.self) { try MethodChoice(parsing: "ficoco-v:axis") }
        #expect(throws: ReductionError.self) { try MethodChoice(parsing: "ficoco-v:axis=diagonal") }
        #expect(throws: ReductionError.self) { try MethodChoice(parsing: "nothing") }
        #expect(MethodChoice.all.count == MethodCatalogue.all.count - 1)
        let depth = grid.model.configuration.depth
        let refused = GridCell.grid([MethodChoice("tome")], budgets: [1], model: depth).refused
        #expect(refused.count == 1 && refused[0].reason.contains("keep more"))
    }
}
