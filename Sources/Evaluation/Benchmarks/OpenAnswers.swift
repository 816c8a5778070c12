import Foundation

/// MM-Vet (Yu et al., ICML 2024): 218 open questions that combine capabilities; GPT-4 grades the answers.
struct MMVet: Benchmark {
    let name = "mm-vet"
    let title = "open questions that combine capabilities"
    let maxTokens = 1024
    let officialCount: Int? = 218
    var judge: String? { "GPT-4 with the notebook of github.com/yuweihao/MM-Vet; grades drift with the judge" }
    private static let published = "https://github.com/yuweihao/MM-Vet/releases/download/v1/mm-vet.zip"
    let parts = [
        DataPart("llava-mm-vet.jsonl", .questions, published: DataPart.llavaArchive),
        DataPart("images", .pictures, published: Self.published),
    ]

    func questions(in data: DataFolder) throws(EvaluationError) -> [BenchmarkQuestion] {
        try LLaVAQuestions(file: parts[0].path, pictures: parts[1].path).read(data)
    }

    /// The answers by `v1_<id>`.
    func uploads(_ answers: BenchmarkAnswers, in data: DataFolder) throws(EvaluationError) -> [OfficialFile] {
        let texts = Dictionary(try answers.complete().map { ("v1_\($0.question.id.text)", $0.text) }) { _, last in last
        }
        return [try .json("results/\(answers.model).json", texts, pretty: true)]
    }

    func score(_ answers: BenchmarkAnswers, in data: DataFolder) throws(EvaluationError) -> BenchmarkResult? { nil }
}

/// LLaVA-Bench in the Wild (Liu et al. 2023): 60 open questions; GPT-4 compares the answers with reference answers.
struct LLaVABench: Benchmark {
    let name = "llava-bench"
    let title = "open questions about 24 pictures"
    let maxTokens = 1024
    let officialCount: Int? = 60
    var judge: String? {
        "GPT-4 with eval_gpt_review_bench.py of github.com/haotian-liu/LLaVA, which reads the answers as they are"
    }
    private static let published = "https://huggingface.co/datasets/liuhaotian/llava-bench-in-the-wild"
    let parts = [
        DataPart("questions.jsonl", .questions, published: Self.published),
        DataPart("images", .pictures, published: Self.published),
    ]

    func questions(in data: DataFolder) throws(EvaluationError) -> [BenchmarkQuestion] {
        try LLaVAQuestions(file: parts[0].path, pictures: parts[1].path).read(data)
    }

    /// Nothing besides the answers as LLaVA writes them, which the judge needs whole.
    func uploads(_ answers: BenchmarkAnswers, in data: DataFolder) throws(EvaluationError) -> [OfficialFile] {
        _ = try answers.complete()
        return []
    }

    func score(_ answers: BenchmarkAnswers, in data: DataFolder) throws(EvaluationError) -> BenchmarkResult? { nil }
}
