import Foundation
import Tensors
public import TokenReduction
public import VisionLanguage

/// What a model does with a sample of prompts: the distributions it draws from, its answers, and the tokens methods keep.
public struct WeightTrial {
    /// For each prompt and step, natural logarithms of the probabilities of all tokens.
    fileprivate let distributions: [[[Float]]]
    /// The most probable answer to each prompt.
    fileprivate let answers: [[Int]]
    /// For each method and prompt, the visual tokens that are left.
    fileprivate let kept: [[[UInt16]]]
    fileprivate let names: [String]

    /// Asks each prompt for `steps` tokens without reduction, and tries each of `plans` on it.
    ///
    /// Distributions are those after the tokens of `reference`, so that each step compares like with like; without, after the
    /// model's own.
    public init(
        _ model: any VisionLanguageModel, _ sample: WeightSample, steps: Int,
        plans: [(name: String, plan: ReductionPlan)],
        following reference: WeightTrial? = nil, progress: (Int) -> Void = { _ in }
    ) throws {
        let full = try ReductionPlan(method: "none", keep: nil, model: model.configuration.depth)
        var distributions: [[[Float]]] = [], answers: [[Int]] = []
        var kept = plans.map { _ in [[UInt16]]() }
        for (number, prompt) in sample.prompts.enumerated() {
            func run(_ plan: ReductionPlan) throws -> (sequence: DecoderSequence, logits: Tensor) {
                let pictures = try prompt.pictures.map { picture in
                    EncodedPicture(
                        try model.encode(
                            picture.tiles.map {
                                TileRequest(patches: $0, plan: plan, question: prompt.prompt.question)
                            }), picture.tiling)
                }
                let (sequences, logits) = try model.prefill(
                    [DecoderInput(prompt.prompt, pictures, plan: plan)], room: [steps])
                return (sequences[0], logits)
            }
            func answer(_ forced: [Int]?) throws -> (distributions: [[Float]], ids: [Int]) {
                var (sequence, logits) = try run(full), ids: [Int] = [], seen: [[Float]] = []
                for step in 0..<steps {
                    seen.append(Self.logarithms(logits.floats))
                    ids.append(Self.greatest(seen[step]))
                    if step + 1 < steps { logits = try model.decode([forced?[step] ?? ids[step]], [sequence]) }
                }
                withExtendedLifetime(sequence) {}
                return (seen, ids)
            }
            let forced = try answer(reference?.answers[number])
            distributions.append(forced.distributions)
            answers.append(reference == nil ? forced.ids : try answer(nil).ids)
            for (index, (_, plan)) in plans.enumerated() {
                kept[index].append(try run(plan).sequence.reduction.trace().kept)
            }
            progress(number + 1)
        }
        self.distributions = distributions
        self.answers = answers
        self.kept = kept
        names = plans.map(\.name)
    }

    private static func greatest(_ numbers: [Float]) -> Int {
        numbers.indices.max { numbers[$0] < numbers[$1] } ?? 0
    }

    private static func logarithms(_ logits: [Float]) -> [Float] {
        let most = Double(logits.max() ?? 0)
        let total = log(logits.reduce(0) { $0 + exp(Double($1) - most) })
        return logits.map { Float(Double($0) - most - total) }
    }
}

/// What other weights change, against a model's own.
public struct WeightLoss: Sendable, Encodable {
    /// Visual tokens that a method kept, with either weights.
    public struct Kept: Sendable, Encodable {
        /// The method.
        public let method: String
        /// The mean share of tokens kept by both.
        public let same: Double
        /// Prompts for which exactly the same tokens were kept.
        public let identical: Int
    }

    /// Prompts, and next tokens compared.
    public let prompts, tokens: Int
    /// Kullback–Leibler divergence of the next token's distribution from that of the model's own weights, in nats.
    public let meanDivergence, worstDivergence: Double
    /// The share of next tokens whose most probable choice is the same.
    public let agreement: Double
    /// Answers that differ.
    public let changedAnswers: Int
    /// Visual tokens kept with either weights, by method.
    public let kept: [Kept]

    /// Compares two trials of the same sample.
    public init(_ trial: WeightTrial, against reference: WeightTrial) {
        var divergences: [Double] = [], agreed = 0
        for (own, other) in zip(reference.distributions.joined(), trial.distributions.joined()) {
            // KL(p‖q) = Σ p·(log p − log q)
            divergences.append(zip(own, other).reduce(0.0) { $0 + exp(Double($1.0)) * Double($1.0 - $1.1) })
            let best = own.indices.max { own[$0] < own[$1] }, choice = other.indices.max { other[$0] < other[$1] }
            agreed += best == choice ? 1 : 0
        }
        prompts = reference.answers.count
        tokens = divergences.count
        meanDivergence = divergences.reduce(0, +) / Double(max(tokens, 1))
        worstDivergence = divergences.reduce(0) { $0.isNaN || $1.isNaN ? .nan : max($0, $1) }
        agreement = Double(agreed) / Double(max(tokens, 1))
        changedAnswers = zip(reference.answers, trial.answers).count { $0 != $1 }
        kept = reference.names.indices.map { method in
            let pairs = zip(reference.kept[method], trial.kept[method])
            let shares = pairs.map { Double(Set($0).intersection($1).count) / Double(max($0.count, 1)) }
            return Kept(
                method: reference.names[method], same: shares.reduce(0, +) / Double(max(shares.count, 1)),
                identical: pairs.count { $0 == $1 })
        }
    }
}
