public import Foundation
internal import JobVocabulary

/// The questions of a benchmark with the answers that a model gave.
public struct BenchmarkAnswers: Sendable {
    /// All questions, in the order of the official file.
    public let questions: [BenchmarkQuestion]
    /// The model's name in official files.
    public let model: String
    private let texts: [Int: String]

    /// `texts` holds the answers by row; rows without a question are refused.
    public init(
        _ questions: [BenchmarkQuestion], texts: [Int: String], model: String
    ) throws(EvaluationError) {
        if let stray = texts.keys.filter({ !questions.indices.contains($0) }).min() {
            throw EvaluationError(
                .mismatch,
                "there is an answer to question \(stray), but the benchmark has \(questions.count) questions: "
                    + "take the data that the answers were made with")
        }
        self.questions = questions
        self.texts = texts
        self.model = model
    }

    /// Answers by row from a file as LLaVA's evaluation scripts write it, in the order of the questions.
    ///
    /// Questions may be left out, as scripts do that ask those with a picture only; a line that answers none of those that are
    /// still to come is refused.
    public static func texts(
        in file: URL, to questions: [BenchmarkQuestion]
    ) throws(EvaluationError) -> [Int: String] {
        struct Line: Decodable {
            let question_id: OfficialID
            let text: String
        }
        guard let data = try? Data(contentsOf: file) else {
            throw EvaluationError(.missingData, "\(file.path) cannot be read")
        }
        var texts: [Int: String] = [:]
        var coming = questions[...]
        for (number, bytes) in data.split(separator: 0x0A).enumerated() {
            guard let line = try? JSONDecoder().decode(Line.self, from: Data(bytes)) else {
                throw EvaluationError(.badData, "\(file.path), line \(number + 1), has no question_id and text")
            }
            guard let place = coming.firstIndex(where: { $0.id == line.question_id }) else {
                throw EvaluationError(
                    .mismatch,
                    "\(file.path), line \(number + 1), answers question \(line.question_id.text), which is not among "
                        + "the \(coming.count) still to come: keep the order of the question file, each answer once")
            }
            texts[coming[place].row] = line.text
            coming = coming[(place + 1)...]
        }
        return texts
    }

    /// The answer to a question, if there is one.
    public func text(_ question: BenchmarkQuestion) -> String? { texts[question.row] }

    /// Questions with their answers.
    public var answered: [(question: BenchmarkQuestion, text: String)] {
        questions.compactMap { question in texts[question.row].map { (question, $0) } }
    }

    /// Every question with its answer; throws while one is missing.
    public func complete() throws(EvaluationError) -> [(question: BenchmarkQuestion, text: String)] {
        let answered = answered
        guard answered.count == questions.count else {
            throw EvaluationError(
                .unfinished,
                "\(questions.count - answered.count) of \(questions.count) questions have no answer yet: "
                    + "run them first")
        }
        return answered
    }

    /// The answers as LLaVA's evaluation scripts write them, one JSON object a line.
    ///
    /// `answer_id` is a random text in theirs; here it names benchmark and row.
    public func llavaLines(_ benchmark: String) throws -> Data {
        let encoder = JSONEncoder.canonical
        var data = Data()
        for (question, text) in answered {
            let isMultipleChoice = !question.options.isEmpty
            data += try encoder.encode(
                LLaVALine(
                    question_id: question.id, prompt: question.recorded, text: text,
                    answer_id: BenchmarkItems.id(benchmark, row: question.row), model_id: model,
                    round_id: isMultipleChoice ? 0 : nil, options: isMultipleChoice ? question.options : nil,
                    option_char: isMultipleChoice ? Array("ABCD".map(String.init).prefix(question.options.count)) : nil)
            )
            data.append(0x0A)
        }
        return data
    }

    private struct LLaVALine: Encodable {
        let question_id: OfficialID
        let prompt, text, answer_id, model_id: String
        let round_id: Int?
        let options, option_char: [String]?
        let metadata: [String: String] = [:]
    }
}
