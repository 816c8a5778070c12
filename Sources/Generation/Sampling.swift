import Foundation

/// How the next token is chosen.
public struct Sampling: Sendable, Hashable {
    /// 0 takes the most probable token.
    public let temperature: Double
    /// Keeps the most probable tokens that together reach this probability (Holtzman et al. 2020); 1 keeps all.
    public let topP: Double
    /// Seed of the sampling.
    public let seed: UInt64

    /// The most probable token, always.
    public static let greedy = Sampling(temperature: 0, topP: 1, seed: 0)

    /// Draws at `temperature` from the tokens that `topP` leaves; the same seed draws the same tokens.
    public init(temperature: Double, topP: Double, seed: UInt64) {
        self.temperature = temperature
        self.topP = topP
        self.seed = seed
    }

    /// The tokens that may be drawn with their probabilities, most probable first; equal ones by id.
    ///
    /// Temperature comes first, then top-p, as in transformers.
    public func distribution(_ logits: [Float]) -> [(token: Int, probability: Double)] {
        guard temperature > 0 else { return [(mostProbable(logits), 1)] }
        let greatest = Double(logits.max() ?? 0)
        let weights = logits.map { exp((Double($0) - greatest) / temperature) }
        let total = weights.reduce(0, +)
        let order = weights.indices.sorted { weights[$0] == weights[$1] ? $0 < $1 : weights[$0] > weights[$1] }
        var kept: [(token: Int, probability: Double)] = [], mass = 0.0
        for token in order {
            // Rounding may bring the sum to 1 before the last token.
            if topP < 1, mass >= topP, !kept.isEmpty { break }
            kept.append((token, weights[token] / total))
            mass += weights[token] / total
        }
        return kept.map { ($0.token, $0.probability / mass) }
    }

    /// Chooses a token for `logits`.
    func choose(_ logits: UnsafeBufferPointer<Float>, _ random: inout some RandomNumberGenerator) -> Int {
        guard temperature > 0 else { return mostProbable(logits) }
        let candidates = distribution(Array(logits))
        var left = Double.random(in: 0..<1, using: &random)
        for candidate in candidates {
            left -= candidate.probability
            if left < 0 { return candidate.token }
        }
        return candidates[candidates.count - 1].token
    }

    /// The lowest id among the greatest logits.
    private func mostProbable(_ logits: some RandomAccessCollection<Float>) -> Int {
        var best = 0, greatest = -Float.infinity
        for (token, value) in logits.enumerated() where value > greatest { (best, greatest) = (token, value) }
        return best
    }
}
