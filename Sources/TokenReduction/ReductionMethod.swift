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
    /// What happens in the vision tower.
    public let encoder: Stages?
    /// What happens in the language model.
    public let decoder: Stages?
    /// How the budget is split when both halves reduce.
    public let encoderBudget: EncoderBudget

    /// A method of the given stages; a recipe adds name, citation and options.
    public init(
        name: String = "custom", citation: String = "", encoder: Stages? = nil, decoder: Stages? = nil,
        encoderBudget: EncoderBudget = .geometricMean
    ) {
        self.name = name
        self.citation = citation
        self.encoder = encoder
        self.decoder = decoder
        self.encoderBudget = encoderBudget
    }

    /// The stages that work in `place`, if any.
    public func stages(in place: Place) -> Stages? {
        switch place {
        case .visionEncoder: encoder
        case .languageModel: decoder
        }
    }

    /// Where the method reduces.
    public var places: [Place] { Place.allCases.filter { stages(in: $0) != nil } }
}

/// How many tokens leave the encoder of a method that reduces in both halves.
public enum EncoderBudget: Sendable, Hashable {
    /// √(N · keep): both halves keep the same share of what enters them.
    case geometricMean
    /// This many.
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
