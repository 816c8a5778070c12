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

    @Test("answers are those of transformers")
    func transformers() throws {
        let data = try Data(contentsOf: Repository.fixture("benchmark/demo_answers.json"))
        let golden = try JSONDecoder().decode(Golden.self, from: data).answers
        #expect(golden.count == 1000)
        let folder = try TemporaryDirectory()
        let grid = try DemoGrid()
        let (answers, _) = try grid.run(grid.batch("Jobs/benchmarks/demo.yaml"), [.baseline], in: folder.url)
        #expect(answers[0].items.map(\.id.rawValue) == golden.map(\.id))
        for (row, expected) in zip(answers[0].rows, golden) {
            #expect(row?.answer == expected.answer, "\(expected.id), margin \(expected.margin)")
        }
    }
}
