/// One row of a published table: a method at a budget, and the numbers that a paper prints for it.
public struct PublishedRow: Sendable, Hashable {
    /// How a paper came by a number.
    public enum Origin: String, Sendable, Hashable, CaseIterable {
        /// Measured by the authors of the method.
        case own
        /// Copied from another paper, whose model, prompts and schedule may differ.
        case copied
        /// Measured again by the authors of another paper.
        case rerun = "re-run"
    }

    /// Whose model.
    public let model: ModelSize
    /// The paper and its table.
    public let source: String
    /// The method as the paper calls it.
    public let method: String
    /// The cost as the table labels it, such as `3.3 T` or `128 tokens`.
    public let label: String
    /// Where the numbers are from.
    public let origin: Origin
    /// Whether the method was trained.
    public let isTrained: Bool
    /// Numbers by column.
    public let values: [BenchmarkColumn: Double]

    /// Whether nothing is reduced.
    public var isBaseline: Bool { method.hasPrefix("LLaVA-1.5") }
}

/// Which of the two published models.
public enum ModelSize: String, Sendable, Hashable, CaseIterable {
    case sevenBillion = "7b"
    case thirteenBillion = "13b"

    /// The name of the model's sizes.
    public var configuration: String { "llava-1.5-\(rawValue)" }

    /// Text tokens that FiCoCo's tables assume beside the picture.
    public var textTokens: Int { self == .sevenBillion ? 60 : 512 }

    /// Visual tokens behind the costs of FiCoCo's tables.
    public var budgets: [Int] { self == .sevenBillion ? [192, 128, 64] : [84] }
}

/// The columns of a table of results, in the order in which they are printed.
public enum BenchmarkColumn: String, Sendable, Hashable, CaseIterable {
    /// ScienceQA as papers print it, without saying whether they mean all questions or those with a picture: their 69.5
    /// is LLaVA's total of 69.4, or another harness's 69.6 with pictures. No score of ours stands here.
    case sqa = "SQA"
    /// All 4,241 questions of ScienceQA; blind to what happens to pictures in the half that has none.
    case sqaTotal = "SQA total"
    /// The 2,017 questions with a picture.
    case sqaImage = "SQA-IMG"
    case textVQA = "VQA-T"
    case pope = "POPE"
    case vizWiz = "VizWiz"
    case vizWizValidation = "VizWiz val"
    case mmVet = "MM-Vet"
    case mmBenchCN = "MMB-CN"
    case gqa = "GQA"
    case llavaWild = "LLaVA-W"
    case mmBench = "MMB"
    case vqaV2 = "VQAv2"
    case vqaV2Validation = "VQAv2 val"
    case mmePerception = "MME-P"

    /// Where our own scores for this column come from: the benchmark and the score's name.
    public var measured: (benchmark: String, score: String)? {
        switch self {
        case .sqaTotal: ("scienceqa", "total accuracy")
        case .sqaImage: ("scienceqa", "IMG accuracy")
        case .textVQA: ("textvqa", "VQA accuracy")
        case .pope: ("pope", "F1")
        case .vizWizValidation: ("vizwiz-val", "VQA accuracy")
        case .mmBenchCN: ("mmbench-cn", "circular accuracy")
        case .gqa: ("gqa", "accuracy")
        case .mmBench: ("mmbench", "circular accuracy")
        case .vqaV2Validation: ("vqav2-val", "VQA accuracy")
        case .mmePerception: ("mme", "perception")
        case .sqa: nil  // papers do not tell which of the two it is
        case .vizWiz, .mmVet, .llavaWild, .vqaV2: nil  // a server or a judge decides
        }
    }
}
