import Foundation

/// VizWiz (Gurari et al., CVPR 2018), test: questions of blind people; its server is closed for this split.
struct VizWiz: Benchmark {
    let name = "vizwiz"
    let title = "questions of blind people about their photographs, test split"
    let maxTokens = 128
    let officialCount: Int? = 8_000
    var judge: String? { "the server at eval.ai, challenge 2185 (closed at times); vizwiz-val is scored here" }
    let parts = [
        DataPart("llava_test.jsonl", .questions, published: DataPart.llavaArchive),
        DataPart("test", .pictures, published: "https://vizwiz.cs.colorado.edu/VizWiz_final/images/test.zip"),
    ]

    func questions(in data: DataFolder) throws(EvaluationError) -> [BenchmarkQuestion] {
        try LLaVAQuestions(file: parts[0].path, pictures: parts[1].path).read(data)
    }

    func uploads(_ answers: BenchmarkAnswers, in data: DataFolder) throws(EvaluationError) -> [OfficialFile] {
        [try .vizWizUpload(answers, folder: "test")]
    }

    func score(_ answers: BenchmarkAnswers, in data: DataFolder) throws(EvaluationError) -> BenchmarkResult? { nil }
}

/// VizWiz's validation split, 4,319 questions, which is scored here.
struct VizWizValidation: Benchmark {
    let name = "vizwiz-val"
    let title = "questions of blind people about their photographs, validation split"
    let maxTokens = 128
    let officialCount: Int? = 4_319
    let parts = [
        DataPart(
            "val.json", .questions,
            published: "https://vizwiz.cs.colorado.edu/VizWiz_final/vqa_data/Annotations.zip"),
        DataPart("val", .pictures, published: "https://vizwiz.cs.colorado.edu/VizWiz_final/images/val.zip"),
    ]

    private struct Row: Decodable {
        struct Answer: Decodable { let answer: String }
        let image, question: String
        let answers: [Answer]
        let answer_type: String?
    }

    func questions(in data: DataFolder) throws(EvaluationError) -> [BenchmarkQuestion] {
        try data.json(parts[0].path, [Row].self).enumerated().map { row, question in
            BenchmarkQuestion(
                row: row, id: .number(row), image: "val/\(question.image)",
                prompt: question.question
                    + "\nWhen the provided information is insufficient, respond with 'Unanswerable'.\n"
                    + AnswerFormat.short,
                category: question.answer_type)
        }
    }

    func uploads(_ answers: BenchmarkAnswers, in data: DataFolder) throws(EvaluationError) -> [OfficialFile] {
        [try .vizWizUpload(answers, folder: "val")]
    }

    func score(_ answers: BenchmarkAnswers, in data: DataFolder) throws(EvaluationError) -> BenchmarkResult? {
        let truth = try data.json(parts[0].path, [Row].self)
        var contributions: [Int: Double] = [:]
        for (question, text) in try answers.complete() {
            contributions[question.row] = VQAAccuracy.vizWiz(text, answers: truth[question.row].answers.map(\.answer))
        }
        return BenchmarkResult(mean: "VQA accuracy", of: contributions)
    }
}

extension OfficialFile {
    /// One entry for each question: its picture's name, without the folder, and the normalised answer.
    fileprivate static func vizWizUpload(
        _ answers: BenchmarkAnswers, folder: String
    ) throws(EvaluationError) -> OfficialFile {
        struct Entry: Encodable { let image, answer: String }
        let entries = try answers.complete().map { question, text in
            Entry(
                image: String((question.image ?? "").dropFirst(folder.count + 1)), answer: AnswerNormaliser.evalAI(text)
            )
        }
        return try .json("answers_upload/\(answers.model).json", entries)
    }
}
