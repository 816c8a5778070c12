import Foundation

/// ScienceQA (Lu et al., NeurIPS 2022), test: multiple choice from school books, half of it without a picture.
///
/// Papers call both numbers "SQA": the share of all 4,241 questions, and "IMG", the share of the 2,017 with a picture.
/// The first is blind to what happens to pictures in half of its questions; IMG is LLaVA-1.5's definition.
struct ScienceQA: Benchmark {
    let name = "scienceqa"
    let title = "multiple choice from school books, with and without pictures"
    let maxTokens = 1024
    let officialCount: Int? = 4_241
    private static let published = "data/scienceqa of github.com/lupantech/ScienceQA"
    let parts = [
        DataPart("llava_test_CQM-A.json", .questions, published: DataPart.llavaArchive),
        DataPart("images/test", .pictures, published: Self.published),
        DataPart("pid_splits.json", .truth, published: Self.published),
        DataPart("problems.json", .truth, published: Self.published),
    ]

    func questions(in data: DataFolder) throws(EvaluationError) -> [BenchmarkQuestion] {
        struct Row: Decodable {
            struct Turn: Decodable { let value: String }
            let id: OfficialID
            let image: String?
            let conversations: [Turn]
        }
        var questions: [BenchmarkQuestion] = []
        for (row, line) in try data.json(parts[0].path, [Row].self).enumerated() {
            guard let turn = line.conversations.first else {
                throw EvaluationError(.badData, "\(parts[0].path) has no question under id \(line.id.text)")
            }
            let text = turn.value.replacingOccurrences(of: "<image>", with: "")
                .trimmingCharacters(in: .whitespacesAndNewlines)
            let prompt = text + "\n" + AnswerFormat.letter
            questions.append(
                BenchmarkQuestion(
                    row: row, id: line.id, image: line.image.map { "\(parts[1].path)/\($0)" }, prompt: prompt,
                    recorded: line.image == nil ? prompt : "<image>\n" + prompt))
        }
        return questions
    }

    /// Total and IMG; the total only where the questions without a picture are answered too.
    func score(_ answers: BenchmarkAnswers, in data: DataFolder) throws(EvaluationError) -> BenchmarkResult? {
        let problems = try data.json(parts[3].path, [String: Problem].self)
        guard let test = try data.json(parts[2].path, [String: [String]].self)["test"] else {
            throw EvaluationError(.badData, "\(parts[2].path) has no split 'test'")
        }
        let split = Set(test)
        // Another split has as many questions: counting them does not tell the files apart.
        if let stranger = answers.questions.first(where: { !split.contains($0.id.text) }) {
            throw EvaluationError(
                .mismatch,
                "\(parts[0].path), object \(stranger.row + 1), asks question \(stranger.id.text), which is not in the "
                    + "split 'test' of \(parts[2].path): take the questions of that split")
        }
        try checkWords(of: answers.questions, against: problems)
        let asked = answers.questions
        let pictured = asked.filter { $0.image != nil }
        guard !pictured.isEmpty, pictured.allSatisfy({ answers.text($0) != nil }) else {
            throw EvaluationError(.unfinished, "questions with a picture have no answer yet: run them first")
        }
        var right: [Int: Double] = [:]
        for question in asked {
            guard let text = answers.text(question) else { continue }
            guard let problem = problems[question.id.text] else {
                throw EvaluationError(.badData, "\(parts[3].path) has no problem \(question.id.text)")
            }
            let choice = ChoiceLetter.choice(in: text, of: problem.choices.count)
            right[question.row] = choice == problem.answer ? 1 : 0
        }
        let total = right.values.reduce(0, +) / Double(max(split.count, 1))
        let image = right.filter { answers.questions[$0.key].image != nil }
        return BenchmarkResult(
            mean: "IMG accuracy", of: image,
            details: right.count == asked.count ? [BenchmarkResult.Score("total accuracy", 100 * total)] : [])
    }

    /// A problem of `problems.json`.
    private struct Problem: Decodable {
        let question: String?
        let choices: [String]
        let answer: Int

        /// Whether a prompt asks this, whatever its spaces.
        func isAsked(by prompt: String) -> Bool {
            func words(_ text: String) -> String { text.split(whereSeparator: \.isWhitespace).joined(separator: " ") }
            let prompt = words(prompt)
            return ([question].compactMap(\.self) + choices).allSatisfy { prompt.contains(words($0)) }
        }
    }

    /// Refuses questions that bear the right ids and ask something else. A few may have been mended by hand; of another file
    /// hardly one fits.
    private func checkWords(
        of questions: [BenchmarkQuestion], against problems: [String: Problem]
    ) throws(EvaluationError) {
        let strangers = questions.filter { problems[$0.id.text]?.isAsked(by: $0.prompt) == false }
        guard let first = strangers.first, 2 * strangers.count > questions.count else { return }
        throw EvaluationError(
            .mismatch,
            "\(parts[0].path), object \(first.row + 1), does not ask what \(parts[3].path) has under \(first.id.text), and "
                + "neither do \(strangers.count - 1) others of its \(questions.count): take the two files of one release"
        )
    }
}
