/// The form in which LLaVA publishes most question files: one object a line with id, picture, text and category.
struct LLaVAQuestions {
    /// The file.
    let file: String
    /// The folder of the pictures.
    let pictures: String

    /// One line.
    struct Line: Decodable {
        let question_id: OfficialID
        let image: String
        let text: String
        let category: String?
    }

    /// The questions in the order of the file; the text is the whole prompt.
    func read(_ data: DataFolder) throws(EvaluationError) -> [BenchmarkQuestion] {
        try data.jsonLines(file, Line.self).enumerated().map { row, line in
            BenchmarkQuestion(
                row: row, id: line.question_id, image: "\(pictures)/\(line.image)", prompt: line.text,
                category: line.category)
        }
    }
}

/// What LLaVA-1.5 adds to questions, always on a line of its own.
enum AnswerFormat {
    /// For short answers; published question files hold it already, except those that are made here.
    static let short = "Answer the question using a single word or phrase."
    /// The instruction for multiple choice.
    static let letter = "Answer with the option's letter from the given choices directly."
    /// The instruction for multiple choice in Chinese.
    static let chineseLetter = "请直接回答选项字母。"
}
