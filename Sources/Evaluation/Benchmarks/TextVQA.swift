import Foundation

/// TextVQA (Singh et al., CVPR 2019), validation: questions about text in pictures, with the words a reader found.
struct TextVQA: Benchmark {
    let name = "textvqa"
    let title = "questions about text in photographs, with OCR tokens"
    let maxTokens = 128
    let officialCount: Int? = 5_000
    let parts = [
        DataPart("llava_textvqa_val_v051_ocr.jsonl", .questions, published: DataPart.llavaArchive),
        DataPart(
            "train_images", .pictures, published: "https://dl.fbaipublicfiles.com/textvqa/images/train_val_images.zip"),
        DataPart(
            "TextVQA_0.5.1_val.json", .truth,
            published: "https://dl.fbaipublicfiles.com/textvqa/data/TextVQA_0.5.1_val.json"),
    ]

    func questions(in data: DataFolder) throws(EvaluationError) -> [BenchmarkQuestion] {
        try LLaVAQuestions(file: parts[0].path, pictures: parts[1].path).read(data)
    }

    /// The question in a prompt: its first line, or the second where OCR tokens come first.
    static func question(in prompt: String) -> String? {
        let lines = prompt.split(separator: "\n", omittingEmptySubsequences: false)
        switch lines.count {
        case 3 where prompt.contains("Reference OCR token: "):
            return lines[prompt.hasPrefix("Reference OCR token:") ? 1 : 0].lowercased()
        case 2: return lines[0].lowercased()
        default: return nil
        }
    }

    func score(_ answers: BenchmarkAnswers, in data: DataFolder) throws(EvaluationError) -> BenchmarkResult? {
        struct File: Decodable {
            struct Annotation: Decodable {
                let image_id, question: String
                let answers: [String]
            }
            let data: [Annotation]
        }
        var truth: [String: [String]] = [:]
        for annotation in try data.json(parts[2].path, File.self).data {
            truth["\(annotation.image_id)\n\(annotation.question.lowercased())"] = annotation.answers
        }
        var contributions: [Int: Double] = [:]
        for (question, text) in try answers.complete() {
            guard let asked = Self.question(in: question.prompt), let people = truth["\(question.id.text)\n\(asked)"],
                people.count == 10
            else {
                throw EvaluationError(
                    .badData, "\(parts[2].path) has no ten answers to question \(question.row + 1) of \(parts[0].path)")
            }
            contributions[question.row] = VQAAccuracy.textVQA(text, answers: people)
        }
        return BenchmarkResult(mean: "VQA accuracy", of: contributions)
    }
}
