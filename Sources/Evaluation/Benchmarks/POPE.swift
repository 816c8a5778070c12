import Foundation

/// POPE (Li et al., EMNLP 2023): is an object in the picture? F1 of "yes", the mean over three ways of choosing objects.
struct POPE: Benchmark {
    let name = "pope"
    let title = "is there an object in the photograph?"
    let maxTokens = 128
    let officialCount: Int? = 8_910
    /// The commit counts: later files have other rows, and truth is joined by position.
    private static let published =
        "output/coco of github.com/AoiDragon/POPE at commit e3e39262c85a6a83f26cf5094022a782cb0df58d"
    static let samplings = ["adversarial", "popular", "random"]
    let parts =
        [
            DataPart("llava_pope_test.jsonl", .questions, published: DataPart.llavaArchive),
            DataPart("val2014", .pictures, published: "http://images.cocodataset.org/zips/val2014.zip"),
        ] + Self.samplings.map { DataPart("coco/coco_pope_\($0).json", .truth, published: Self.published) }

    func questions(in data: DataFolder) throws(EvaluationError) -> [BenchmarkQuestion] {
        try LLaVAQuestions(file: parts[0].path, pictures: parts[1].path).read(data)
    }

    func score(_ answers: BenchmarkAnswers, in data: DataFolder) throws(EvaluationError) -> BenchmarkResult? {
        struct Label: Decodable { let label: String }
        let answered = try answers.complete()
        let rule = ScoreRule.meanF1(samplings: Self.samplings.count)
        var details: [BenchmarkResult.Score] = [], parts: [Int: [Double]] = [:]
        for (place, sampling) in Self.samplings.enumerated() {
            let file = "coco/coco_pope_\(sampling).json"
            let labels = try data.jsonLines(file, Label.self)
            let own = answered.filter { $0.question.category == sampling }
            // The official script pairs by position and says nothing where the files have different lengths.
            guard own.count == labels.count, !own.isEmpty else {
                throw EvaluationError(
                    .mismatch,
                    "\(file) has \(labels.count) labels for \(own.count) questions: take the file of commit e3e39262")
            }
            var score = YesNoScore()
            for ((question, text), label) in zip(own, labels) {
                score.count(text, label: label.label)
                var one = YesNoScore()
                one.count(text, label: label.label)
                var part = [Double](repeating: 0, count: rule.width)
                part[3 * place] = Double(one.truePositives)
                part[3 * place + 1] = Double(one.falsePositives)
                part[3 * place + 2] = Double(one.falseNegatives)
                parts[question.row] = part
            }
            details += [
                BenchmarkResult.Score("F1 \(sampling)", 100 * score.f1),
                BenchmarkResult.Score("accuracy \(sampling)", 100 * score.accuracy),
                BenchmarkResult.Score("yes \(sampling)", 100 * score.yesShare),
            ]
        }
        let f1 = details.filter { $0.name.hasPrefix("F1") }.map(\.value)
        return BenchmarkResult(
            BenchmarkResult.Score("F1", f1.reduce(0, +) / Double(f1.count)), details: details, rule: rule, parts: parts)
    }
}
