public import JobVocabulary

/// A training-free reduction: which visual tokens to give up, where their content belongs, how it gets there.
///
/// A method has stages in the encoder, in the decoder, in both, or in neither (`none`). The catalogue makes methods by
/// name; anyone may also put one together from stages.
public struct ReductionMethod: Sendable {
    /// The name on the command line and in result files.
    public internal(set) var name: String
    /// The paper.
    public internal(set) var citation: String
    /// Every option with its settled value, in the order of the method's stages.
    public internal(set) var options: [MethodOption] = []
    /// How the budget is split when more than one place reduces.
    public let encoderBudget: EncoderBudget
    /// What the budget counts.
    public let budget: Budget
    private let stages: [ReductionPlace: Stages]

    /// A method of the given stages; a recipe adds name, citation and options.
    public init(
        name: String = "custom", citation: String = "", encoder: Stages? = nil, projector: Stages? = nil,
        decoder: Stages? = nil, encoderBudget: EncoderBudget = .geometricMean, budget: Budget = .final
    ) {
        self.name = name
        self.citation = citation
        stages = [.visionEncoder: encoder, .projector: projector, .languageModel: decoder].compactMapValues(\.self)
        self.encoderBudget = encoderBudget
        self.budget = budget
    }

    /// What happens in the vision tower.
    public var encoder: Stages? { stages[.visionEncoder] }
    /// What happens between the projector and the language model.
    public var projector: Stages? { stages[.projector] }
    /// What happens in the language model.
    public var decoder: Stages? { stages[.languageModel] }

    /// The stages that work in `place`, if any.
    public func stages(in place: ReductionPlace) -> Stages? { stages[place] }

    /// Where the method reduces.
    public var places: [ReductionPlace] { ReductionPlace.allCases.filter { stages(in: $0) != nil } }
}

/// Which visual tokens a budget counts.
public enum Budget: String, Sendable, Hashable, CaseIterable {
    /// The tokens left at the end.
    case final
    /// The mean over the layers of the language model of those that enter each, as tables of methods that reduce
    /// inside it count. The number left at the end follows: the one whose mean comes nearest.
    case average
}

/// How many tokens leave the encoder of a method that reduces in both halves.
public enum EncoderBudget: Sendable, Hashable {
    /// √(N · keep): both halves keep the same share of what enters them.
    case geometricMean
    /// This number of tokens.
    case tokens(Int)

    /// Tokens that leave the encoder when `count` enter it and `keep` are left at the end.
    public func tokens(from count: Int, to keep: Int) throws(ReductionError) -> Int {
        switch self {
        case .geometricMean:
            return min(count, max(keep, Int((Double(count) * Double(keep)).squareRoot().rounded())))
        case .tokens(let tokens):
            guard (keep...count).contains(tokens) else {
                throw ReductionError(
                    .badBudget,
                    "the encoder cannot keep \(tokens) of \(count) tokens when \(keep) are left at the end: "
                        + "set encoder-keep to \(keep) … \(count)")
            }
            return tokens
        }
    }
}
