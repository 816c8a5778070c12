import Foundation

/// MME (Fu et al. 2023): two yes–no questions about each of 1,187 pictures, in fourteen categories.
struct MME: Benchmark {
    let name = "mme"
    let title = "pairs of yes–no questions in fourteen categories"
    let maxTokens = 128
    let officialCount: Int? = 2_374
    private static let pictures = "MME_Benchmark_release_version"
    private static let published =
        "branch Evaluation of github.com/BradyFU/Awesome-Multimodal-Large-Language-Models, on request by e-mail"
    let parts = [
        DataPart("llava_mme.jsonl", .questions, published: DataPart.llavaArchive),
        DataPart(pictures, .pictures, published: Self.published),
    ]

    func questions(in data: DataFolder) throws(EvaluationError) -> [BenchmarkQuestion] {
        try LLaVAQuestions(file: parts[0].path, pictures: Self.pictures).read(data)
    }

    /// One file for each category, as `eval_tool/calculation.py` reads it: picture, question, truth, answer.
    func uploads(_ answers: BenchmarkAnswers, in data: DataFolder) throws(EvaluationError) -> [OfficialFile] {
        let truth = try Truth(data)
        var lines: [String: [String]] = [:]
        for (question, text) in try answers.complete() {
            let entry = try truth.entry(question)
            lines[entry.category, default: []].append(
                "\(entry.file)\t\(entry.question)\t\(entry.answer)\t\(Self.line(text))\n")
        }
        return lines.sorted { $0.key < $1.key }.map { category, lines in
            OfficialFile(
                path: "eval_tool/answers/\(answers.model)/\(category).txt", contents: Data(lines.joined().utf8))
        }
    }

    func score(_ answers: BenchmarkAnswers, in data: DataFolder) throws(EvaluationError) -> BenchmarkResult? {
        let truth = try Truth(data)
        var right: [String: [(row: Int, file: String, isRight: Bool)]] = [:]
        for (question, text) in try answers.complete() {
            let entry = try truth.entry(question)
            let isRight = MMEScore.Reply(Self.line(text)).rawValue == entry.answer.lowercased()
            right[entry.category, default: []].append((question.row, entry.file, isRight))
        }
        let perception = MMEScore.perception
        let rule = ScoreRule.pairs(categories: perception.count)
        var scores: [String: Double] = [:], parts: [Int: [Double]] = [:]
        for (category, right) in right {
            guard right.count.isMultiple(of: 2) else {
                throw EvaluationError(
                    .badData, "category \(category) of \(self.parts[0].path) has a picture with one question")
            }
            var score = MMEScore()
            for first in stride(from: 0, to: right.count, by: 2) {
                guard right[first].file == right[first + 1].file else {
                    throw EvaluationError(
                        .badData,
                        "\(self.parts[0].path) asks about \(right[first].file) and \(right[first + 1].file) of \(category) where "
                            + "two questions about one picture belong: take the file as published")
                }
                let (one, other) = (right[first].isRight, right[first + 1].isRight)
                score.count(one, other)
                // The headline is perception: other categories add nothing to it.
                guard let place = perception.firstIndex(of: category) else { continue }
                var part = [Double](repeating: 0, count: rule.width)
                part[3 * place] = (one ? 1 : 0) + (other ? 1 : 0)
                part[3 * place + 1] = one && other ? 1 : 0
                part[3 * place + 2] = 1
                parts[right[first].row] = part
            }
            scores[category] = score.score
        }
        func sum(_ categories: [String]) -> Double { categories.reduce(0) { $0 + scores[$1, default: 0] } }
        let (perceived, cognition) = (sum(perception), sum(MMEScore.cognition))
        let details = [
            BenchmarkResult.Score("cognition", cognition), BenchmarkResult.Score("both", perceived + cognition),
        ]
        return BenchmarkResult(
            BenchmarkResult.Score("perception", perceived),
            details: details + scores.sorted { $0.key < $1.key }.map { BenchmarkResult.Score($0.key, $0.value) },
            rule: rule, parts: parts)
    }

    /// An answer as one field of one line: `calculation.py` splits lines at tabs and stops where there are five fields.
    private static func line(_ answer: String) -> String {
        String(answer.map { ["\t", "\n", "\r\n", "\r"].contains($0) ? " " : $0 })
    }

    /// The right answers, which stand in text files beside the pictures.
    private struct Truth {
        struct Entry { let category, file, question, answer: String }

        private let answers: [String: String]
        private let file: String

        init(_ data: DataFolder) throws(EvaluationError) {
            var answers: [String: String] = [:]
            let root = data.file(MME.pictures)
            for category in Self.names(root) {
                let folder = root.appendingPathComponent(category)
                let own = folder.appendingPathComponent("questions_answers_YN")
                let texts = FileManager.default.fileExists(atPath: own.path) ? own : folder
                for name in Self.names(texts) where name.hasSuffix(".txt") {
                    guard let text = try? String(contentsOf: texts.appendingPathComponent(name), encoding: .utf8) else {
                        throw EvaluationError(.badData, "\(texts.path)/\(name) is not UTF-8 text")
                    }
                    // Lines end as in Python: other characters that Unicode counts as line ends stay inside.
                    for line in text.split(whereSeparator: { ["\n", "\r\n", "\r"].contains($0) }) {
                        let parts = line.trimmingCharacters(in: .whitespaces).split(separator: "\t")
                        guard parts.count == 2 else { continue }
                        answers["\(category)\t\(name)\t\(parts[0])"] = String(parts[1])
                    }
                }
            }
            self.answers = answers
            file = root.path
        }

        private static func names(_ folder: URL) -> [String] {
            ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []).sorted()
        }

        /// LLaVA's file asks for a word or phrase where MME asks for yes or no; the original has one space or two before.
        func entry(_ question: BenchmarkQuestion) throws(EvaluationError) -> Entry {
            let parts = question.id.text.split(separator: "/")
            let category = parts.first.map(String.init) ?? ""
            let name = (parts.last?.split(separator: ".").first.map(String.init) ?? "") + ".txt"
            let asked = question.recorded.replacingOccurrences(of: AnswerFormat.short, with: "")
                .trimmingCharacters(in: .whitespacesAndNewlines)
            let original = "Please answer yes or no."
            let forms = asked.contains(original) ? [asked] : ["\(asked) \(original)", "\(asked)  \(original)"]
            for form in forms {
                guard let answer = answers["\(category)\t\(name)\t\(form)"] else { continue }
                return Entry(category: category, file: name, question: form, answer: answer)
            }
            throw EvaluationError(
                .badData, "\(file)/\(category) has no answer to question \(question.row + 1) about \(question.id.text)")
        }
    }
}
