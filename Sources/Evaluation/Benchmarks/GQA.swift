import Foundation

/// GQA (Hudson and Manning, CVPR 2019), testdev-balanced: compositional questions; the answer must match exactly.
struct GQA: Benchmark {
    let name = "gqa"
    let title = "compositional questions about photographs"
    let maxTokens = 128
    let officialCount: Int? = 12_578
    private static let published = "cs.stanford.edu/people/dorarad/gqa/download.html"
    let parts = [
        DataPart("llava_gqa_testdev_balanced.jsonl", .questions, published: DataPart.llavaArchive),
        DataPart("data/images", .pictures, published: "\(Self.published) (images)"),
        DataPart("data/testdev_balanced_questions.json", .truth, published: "\(Self.published) (questions)"),
    ]

    func questions(in data: DataFolder) throws(EvaluationError) -> [BenchmarkQuestion] {
        try LLaVAQuestions(file: parts[0].path, pictures: parts[1].path).read(data)
    }

    /// The file that GQA's own `eval.py` reads.
    func uploads(_ answers: BenchmarkAnswers, in data: DataFolder) throws(EvaluationError) -> [OfficialFile] {
        struct Entry: Encodable {
            let questionId: OfficialID
            let prediction: String
        }
        let entries = try answers.complete().map {
            Entry(questionId: $0.question.id, prediction: ExactAnswer.gqa($0.text))
        }
        return [try .json("testdev_balanced_predictions.json", entries)]
    }

    func score(_ answers: BenchmarkAnswers, in data: DataFolder) throws(EvaluationError) -> BenchmarkResult? {
        struct Truth: Decodable { let answer: String }
        let truth = try data.json(parts[2].path, [String: Truth].self)
        var contributions: [Int: Double] = [:]
        for (question, text) in try answers.complete() {
            guard let answer = truth[question.id.text]?.answer else {
                throw EvaluationError(.badData, "\(parts[2].path) has no question \(question.id.text)")
            }
            contributions[question.row] = ExactAnswer.gqa(text).isIdentical(to: answer) ? 1 : 0
        }
        return BenchmarkResult(mean: "accuracy", of: contributions)
    }
}
