import Evaluation
import Foundation
import JobModel
import TestSupport
import Testing

/// All questions of the demo benchmark without reduction, in f32, against Hugging Face transformers.
struct DemoBenchmarkTests {
    private struct Golden: Decodable {
        struct Answer: Decodable {
            let id, answer: String
            let margin: Double
        }
        let answers: [Answer]
    }

    /// Two float32 computations of one logit differ by less: where the best two are nearer than this, rounding decides.
    private static let rounding = 0.01

    @Test(
        "answers are those of transformers",
        .enabled(
            if: FileManager.default.fileExists(atPath: Repository.fixture("benchmark/demo_answers.json").path),
            "Tests/Fixtures/benchmark/demo_answers.json is not there; make_demo_answers.py beside it makes it"))
    func transformers() throws {
        let data = try Data(contentsOf: Repository.fixture("benchmark/demo_answers.json"))
        let golden = try JSONDecoder().decode(Golden.self, from: data).answers
        #expect(golden.count == 1000)
        let folder = try TemporaryDirectory()
        let grid = try DemoGrid()
        let (answers, _) = try grid.run(grid.batch("Jobs/benchmarks/demo.yaml"), [.baseline], in: folder.url)
        var ours: [String: String] = [:]
        for (item, row) in zip(answers[0].items, answers[0].rows) { ours[item.id.rawValue] = row?.answer }
        #expect(ours.count == 1000 && Set(ours.keys) == Set(golden.map(\.id)))
        let others = golden.filter { ours[$0.id] != $0.answer }
        for other in others {
            print("\(other.id): '\(ours[other.id] ?? "")', transformers '\(other.answer)', margin \(other.margin)")
        }
        #expect(others.allSatisfy { $0.margin < Self.rounding }, "answers differ where rounding cannot be the reason")
        #expect(others.count < 10, "\(others.count) answers of 1000 within the margin are too many to be rounding")
    }
}
