/// VisionZip's correlation: of what the filter gives up, some evenly spaced tokens stay as targets for the rest.
///
/// Of `keep` tokens that stay, round(share · keep) are such targets: the rest's tokens 0, s, 2s, … in the order of the
/// sequence, s = ⌊rest / targets⌋. Every other token of the rest goes to the target of largest cosine between the keys
/// averaged over heads; of equal ones the first (Yang et al., CVPR 2025, section 3.3 and the authors' code).
public struct ContextualTargets: Correlate {
    /// The share of the tokens that stay which are contextual targets.
    public let share: Double

    /// The split of the authors' configurations: 10 of 64, 20 of 128, 30 of 192.
    public init(share: Double) { self.share = share }

    /// Reads the share under a name; default: the one of the authors' 10 of 64, 20 of 128 and 30 of 192.
    init(reading options: inout MethodOptions, as name: String) throws(ReductionError) {
        try self.init(share: options.number(name, default: 0.15625, in: 0...1))
    }

    /// The keys.
    public var needs: EvidenceNeeds { .keys }

    /// A ranking that reaches beyond the tokens that go.
    public var wants: CandidateContent { .ranking }

    /// One line for the table of methods.
    public var summary: String { "nearest key of evenly spaced targets, \(share) of what stays" }

    /// `count` tokens of the ranking's head, each to its nearest target.
    public func correlation(
        of candidates: Candidates, in layer: LayerView, removing count: Int
    ) throws(ReductionError) -> Correlation {
        let contextual = Int((share * Double(layer.count - count)).rounded())
        let rest = candidates.sources.prefix(count + contextual).sorted()
        guard contextual > 0 else {
            return Correlation(sources: Array(candidates.sources.prefix(count)), targets: rest.map { _ in nil })
        }
        guard rest.count == count + contextual else {
            throw ReductionError(
                .unexpectedCount,
                "contextual targets are chosen among \(count + contextual) tokens and the filter names \(rest.count): "
                    + "combine them with a filter that ranks all tokens")
        }
        let stride = rest.count / contextual
        let targets = (0..<contextual).map { rest[$0 * stride] }
        let stays = Set(targets)
        let sources = candidates.sources.prefix(rest.count).filter { !stays.contains($0) }
        let cosines = try layer.unitKeys().cosines(sources, targets)
        return Correlation(
            sources: sources, targets: sources.indices.map { cosines.columnOfLargest(of: $0).map { targets[$0] } },
            fused: targets)
    }
}
