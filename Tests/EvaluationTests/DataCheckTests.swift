import Evaluation
import Foundation
import JobModel
import JobVocabulary
import TestSupport
import Testing

/// What `winnow eval import` finds in a folder, and the items it writes.
struct DataCheckTests {
    @Test(
        "an empty folder lacks everything, and each part says where it is published",
        arguments: BenchmarkCatalogue.all.map(\.name))
    func empty(name: String) throws {
        let benchmark = try BenchmarkCatalogue.benchmark(named: name)
        let check = try DataCheck(benchmark, in: PublishedFolder().data)
        #expect(check.missing == benchmark.parts && check.questions == nil && !check.canRun)
        #expect(benchmark.parts.contains { $0.purpose == .questions })
        #expect(benchmark.parts.allSatisfy { $0.published.contains(".") })
        let error = #expect(throws: EvaluationError.self) { try benchmark.questions(in: PublishedFolder().data) }
        #expect(error?.code == .missingData)
    }

    @Test func namesMissingPictures() throws {
        let folder = try PublishedFolder(
            [
                "llava_pope_test.jsonl": llavaLines([
                    ("1", "a.jpg", "Is there a cat?", "random"), ("2", "a.jpg", "Is there a dog?", "random"),
                    ("3", "b.jpg", "Is there a \\\"cow\\\"?", "popular"),
                ])
            ], pictures: ["val2014/a.jpg"])
        let benchmark = try BenchmarkCatalogue.benchmark(named: "pope")
        let check = DataCheck(benchmark, in: folder.data)
        #expect(check.questions == 3 && check.missingPictures == ["val2014/b.jpg"] && !check.canRun)
        try folder.write("val2014/b.jpg", "")
        #expect(DataCheck(benchmark, in: folder.data).canRun, "the truth is not needed for asking")

        let lines = try BenchmarkItems.lines(benchmark, benchmark.questions(in: folder.data))
        let items = try lines.split(separator: 0x0A).map { try Item(json: String(decoding: $0, as: UTF8.self)) }
        #expect(items.map(\.id.rawValue) == ["pope/000000", "pope/000001", "pope/000002"])
        #expect(items[2].prompt == "Is there a \"cow\"?" && items[2].labels == ["category": "popular"])
        #expect(BenchmarkItems.question("pope/000002")?.row == 2)
        #expect(BenchmarkItems.question("scene-000/q0") == nil)
    }

    @Test func picturesBehindLinksOutOfTheFolderAreNoPictures() throws {
        let folder = try PublishedFolder(
            ["llava_pope_test.jsonl": llavaLines([("1", "a.jpg", "Is there a cat?", "random")])])
        let benchmark = try BenchmarkCatalogue.benchmark(named: "pope")
        let elsewhere = try TemporaryDirectory()
        try Data().write(to: elsewhere.file("a.jpg"))
        try FileManager.default.createSymbolicLink(
            at: folder.directory.file("val2014"), withDestinationURL: elsewhere.url)
        let check = DataCheck(benchmark, in: folder.data)
        #expect(check.missingPictures.isEmpty && check.picturesOutside == ["val2014/a.jpg"] && !check.canRun)
        // A link to the whole folder is its owner's decision.
        try FileManager.default.removeItem(at: folder.directory.file("val2014"))
        try folder.write("val2014/a.jpg", "")
        try FileManager.default.createSymbolicLink(
            at: elsewhere.file("pope"), withDestinationURL: folder.directory.url)
        #expect(DataCheck(benchmark, in: DataFolder(elsewhere.file("pope"))).canRun)
    }

    @Test func damagedFilesAreNamed() throws {
        for text in ["{\"question_id\": 1}\n", "nonsense\n", "{\"question_id\": 1, \"image\": 2, \"text\": \"a\"}\n"] {
            let folder = try PublishedFolder(["llava_pope_test.jsonl": text])
            let error = #expect(throws: EvaluationError.self) { try folder.questions("pope") }
            #expect(error?.code == .badData && error?.message.contains("llava_pope_test.jsonl") == true)
            let check = try DataCheck(BenchmarkCatalogue.benchmark(named: "pope"), in: folder.data)
            #expect(!check.canRun && check.problems.count == 1 && check.missing.count == 4, "everything at once")
        }
    }

    @Test func otherVersionsOfFilesAreNamed() throws {
        let benchmark = try BenchmarkCatalogue.benchmark(named: "pope")
        let samplings = ["adversarial", "popular", "random"]
        let folder = try PublishedFolder(
            ["llava_pope_test.jsonl": llavaLines(samplings.map { ("1", "a.jpg", "Is there a cat?", $0) })],
            pictures: ["val2014/a.jpg"])
        for sampling in samplings { try folder.write("coco/coco_pope_\(sampling).json", "{\"label\": \"no\"}\n") }
        let short = DataCheck(benchmark, in: folder.data)
        #expect(short.canRun && short.problems.count == 1 && short.problems[0].contains("3 questions here and 8910"))
        try folder.write("coco/coco_pope_popular.json", "{\"label\": \"no\"}\n{\"label\": \"no\"}\n")
        let wrong = DataCheck(benchmark, in: folder.data)
        #expect(wrong.canRun && wrong.problems.count == 2 && wrong.problems[1].contains("coco_pope_popular.json"))

        // MME's truth lies among the pictures, so that no part of the folder is missing without it.
        let picture = "MME_Benchmark_release_version/existence/0.jpg"
        let pair = try PublishedFolder(
            [
                "llava_mme.jsonl": llavaLines([
                    ("\"existence/0.jpg\"", "existence/0.jpg", "Is it?", nil),
                    ("\"existence/0.jpg\"", "existence/0.jpg", "Or?", nil),
                ])
            ], pictures: [picture])
        let mme = try DataCheck(BenchmarkCatalogue.benchmark(named: "mme"), in: pair.data)
        #expect(mme.canRun && mme.problems.contains { $0.contains("no answer to question 1") })
    }

    @Test("published numbers of questions", arguments: BenchmarkCatalogue.all.map(\.name))
    func counts(name: String) throws {
        let known = [
            "vqav2": 107_394, "gqa": 12_578, "vizwiz": 8000, "scienceqa": 4241, "textvqa": 5000, "pope": 8910,
            "mme": 2374, "mmbench": 4377, "mm-vet": 218, "llava-bench": 60, "vizwiz-val": 4319, "vqav2-val": 214_354,
        ]
        #expect(try BenchmarkCatalogue.benchmark(named: name).officialCount == known[name])
    }

    /// Every batch file of a benchmark runs once its data are imported.
    @Test("batch files", arguments: BenchmarkCatalogue.all.map(\.name))
    func batchFiles(name: String) throws {
        let benchmark = try BenchmarkCatalogue.benchmark(named: name)
        let source = Repository.root.appendingPathComponent("Jobs/benchmarks/\(name).yaml")
        let text = try String(contentsOf: source, encoding: .utf8)
        let folder = try PublishedFolder()
        let line = try #require(text.split(separator: "\n").first { $0.hasPrefix("items: ../../") })
        let items = String(line.dropFirst("items: ../../".count))
        let data = (items as NSString).deletingLastPathComponent
        #expect((items as NSString).lastPathComponent == BenchmarkItems.file(name))
        #expect(text.contains("winnow eval import \(name) --data \(data)"))
        try folder.write("Jobs/benchmarks/\(name).yaml", text)
        try folder.write("models/llava-1.5-7b-hf/config.json", "{}")
        try folder.write("\(data)/picture.jpg", "")
        try folder.write(
            items,
            "{\"id\": \"\(BenchmarkItems.id(name, row: 0))\", \"image\": \"picture.jpg\", \"prompt\": \"What?\"}\n")
        let file = try BatchFile.load(folder.directory.file("Jobs/benchmarks/\(name).yaml"))
        let description = file.description
        #expect(description.generation.maxTokens == benchmark.maxTokens && description.generation.temperature == 0)
        #expect(description.template == .vicunaV1 && description.imageMode == .pad && description.name == name)
    }
}
