import Foundation

/// VQAv2 (Goyal et al., CVPR 2017), test-dev: open questions about COCO pictures; a server scores the upload.
struct VQAv2: Benchmark {
    let name = "vqav2"
    let title = "open questions about photographs, test-dev"
    let maxTokens = 128
    let officialCount: Int? = 107_394
    var judge: String? { "the server at eval.ai, challenge 830; vqav2-val is scored here" }
    let parts = [
        DataPart("llava_vqav2_mscoco_test-dev2015.jsonl", .questions, published: DataPart.llavaArchive),
        DataPart("llava_vqav2_mscoco_test2015.jsonl", .questions, published: DataPart.llavaArchive),
        DataPart("test2015", .pictures, published: "http://images.cocodataset.org/zips/test2015.zip"),
    ]

    func questions(in data: DataFolder) throws(EvaluationError) -> [BenchmarkQuestion] {
        try LLaVAQuestions(file: parts[0].path, pictures: "test2015").read(data)
    }

    /// One entry for each question of test2015, those of test-dev with a normalised answer, the others with none.
    func uploads(_ answers: BenchmarkAnswers, in data: DataFolder) throws(EvaluationError) -> [OfficialFile] {
        struct ID: Decodable { let question_id: OfficialID }
        struct Entry: Encodable {
            let question_id: OfficialID
            let answer: String
        }
        var texts: [OfficialID: String] = [:]
        for (question, text) in try answers.complete() { texts[question.id] = AnswerNormaliser.evalAI(text) }
        let entries = try data.jsonLines(parts[1].path, ID.self).map { line in
            Entry(question_id: line.question_id, answer: texts[line.question_id] ?? "")
        }
        return [try .json("answers_upload/\(answers.model).json", entries)]
    }

    func score(_ answers: BenchmarkAnswers, in data: DataFolder) throws(EvaluationError) -> BenchmarkResult? { nil }
}

/// VQAv2's validation split, which is scored here.
struct VQAv2Validation: Benchmark {
    let name = "vqav2-val"
    let title = "open questions about photographs, validation split"
    let maxTokens = 128
    let officialCount: Int? = 214_354
    let parts = [
        DataPart(
            "v2_OpenEnded_mscoco_val2014_questions.json", .questions, published: "visualqa.org/download.html"),
        DataPart("val2014", .pictures, published: "http://images.cocodataset.org/zips/val2014.zip"),
        DataPart("v2_mscoco_val2014_annotations.json", .truth, published: "visualqa.org/download.html"),
    ]

    func questions(in data: DataFolder) throws(EvaluationError) -> [BenchmarkQuestion] {
        struct File: Decodable {
            struct Question: Decodable {
                let question_id, image_id: Int
                let question: String
            }
            let questions: [Question]
        }
        return try data.json(parts[0].path, File.self).questions.enumerated().map { row, question in
            let image = String(format: "COCO_val2014_%012d.jpg", question.image_id)
            return BenchmarkQuestion(
                row: row, id: .number(question.question_id), image: "val2014/\(image)",
                prompt: question.question + "\n" + AnswerFormat.short)
        }
    }

    func score(_ answers: BenchmarkAnswers, in data: DataFolder) throws(EvaluationError) -> BenchmarkResult? {
        struct File: Decodable {
            struct Annotation: Decodable {
                struct Answer: Decodable { let answer: String }
                let question_id: Int
                let answer_type: String
                let answers: [Answer]
            }
            let annotations: [Annotation]
        }
        let annotations = Dictionary(
            try data.json(parts[2].path, File.self).annotations.map { (OfficialID.number($0.question_id), $0) }
        ) { first, _ in first }
        var contributions: [Int: Double] = [:]
        var byType: [String: [Double]] = [:]
        for (question, text) in try answers.complete() {
            guard let annotation = annotations[question.id] else {
                throw EvaluationError(.badData, "\(parts[2].path) has no answers to question \(question.id.text)")
            }
            let accuracy = VQAAccuracy.official(text, answers: annotation.answers.map(\.answer))
            contributions[question.row] = accuracy
            byType[annotation.answer_type, default: []].append(accuracy)
        }
        return BenchmarkResult(
            mean: "VQA accuracy", of: contributions,
            details: byType.sorted { $0.key < $1.key }.map { type, values in
                BenchmarkResult.Score(type, 100 * values.reduce(0, +) / Double(values.count))
            })
    }
}

extension OfficialFile {
    /// A file that is one JSON value.
    static func json(_ path: String, _ value: some Encodable, pretty: Bool = false) throws(EvaluationError)
        -> OfficialFile
    {
        let encoder = JSONEncoder()
        encoder.outputFormatting =
            pretty ? [.sortedKeys, .withoutEscapingSlashes, .prettyPrinted] : [.sortedKeys, .withoutEscapingSlashes]
        do {
            return OfficialFile(path: path, contents: try encoder.encode(value))
        } catch {
            throw EvaluationError(.badData, "\(path) cannot be written as JSON: \(error)")
        }
    }
}
