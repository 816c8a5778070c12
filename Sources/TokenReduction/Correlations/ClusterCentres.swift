import Glibc
import Tensors

/// SparseVLM's correlation: the best of what goes is recycled, as the means of a few clusters.
///
/// Of m tokens that the filter gives up, the best ⌊0.3 m⌋ + 1 form ⌊m′/10⌋ + 1 clusters, m′ being their number; the rest is
/// dropped. Clusters are those of density peaks among k nearest neighbours (Rodriguez and Laio, Science 2014; Du, Ding and
/// Jia 2016): with D the distances divided by √width, and k the number of clusters,
///
///     ρᵢ = exp(− mean of D² to the k nearest, itself among them),   δᵢ = min D to a denser one (the densest: max D)
///
/// the centres are the tokens of largest ρ·δ, in that order, and every other one joins the nearest centre (Zhang et al.,
/// ICML 2025, the authors' code v1.5). The authors add noise of 10⁻⁶ to break ties; here of equal tokens the earlier comes
/// first. They deliver the clusters beside the budget; here the budget counts them, so that as many tokens as can be
/// stay by themselves.
public struct ClusterCentres: Correlate {
    /// There is nothing to choose.
    public init() {}

    /// Nothing; the tokens themselves are compared.
    public var needs: EvidenceNeeds { [] }

    /// A ranking that reaches beyond the tokens that go.
    public var wants: CandidateContent { .ranking }

    /// One line for the table of methods.
    public var summary: String { "clusters of the best three in ten of what goes" }

    /// `count` tokens of the ranking's head: members of clusters to their centre, the rest to nobody.
    public func correlation(
        of candidates: Candidates, in layer: LayerView, removing count: Int
    ) throws(ReductionError) -> Correlation {
        let clusters = Self.clusters(of: layer.count, keep: layer.count - count)
        let given = candidates.sources.prefix(count + clusters)
        guard given.count == count + clusters else {
            throw ReductionError(
                .unexpectedCount,
                "clusters form among \(count + clusters) tokens and the filter names \(given.count): combine them with a "
                    + "filter that ranks all tokens")
        }
        guard clusters > 0 else { return Correlation(sources: Array(given), targets: given.map { _ in nil }) }
        guard let states = layer.states else {
            throw ReductionError(
                .missingEvidence, "this correlation compares the tokens themselves: offer their states")
        }
        let recycled = given.suffix(Self.recycled(of: given.count)).sorted()
        let members = try DensityPeaks(
            layer.layout.visual.of(states).gathering(recycled), clusters: clusters)
        let centres = members.centres.map { recycled[$0] }, isCentre = Set(centres)
        let target = Dictionary(uniqueKeysWithValues: zip(recycled, members.nearest.map { centres[$0] }))
        let sources = given.filter { !isCentre.contains($0) }
        return Correlation(sources: sources, targets: sources.map { target[$0] }, fused: centres)
    }

    /// How many clusters `keep` of `tokens` hold; 0 if there is no room for one beside a token that stays by itself.
    private static func clusters(of tokens: Int, keep: Int) -> Int {
        // One token less by itself makes the clusters of the rest at most one more, so some number fits exactly.
        for alone in stride(from: keep - 1, through: 1, by: -1)
        where alone + recycled(of: tokens - alone) / 10 + 1 == keep {
            return keep - alone
        }
        return max(keep - 1, 0)
    }

    /// m′, the number of tokens to cluster, of `given` = m.
    private static func recycled(of given: Int) -> Int { 3 * given / 10 + 1 }
}

/// Clusters around density peaks of the rows of a tensor.
private struct DensityPeaks {
    /// The centres, by falling ρ·δ.
    let centres: [Int]
    /// For each row, the place among the centres of the nearest; a centre's own is itself.
    let nearest: [Int]

    init(_ rows: Tensor, clusters: Int) throws(ReductionError) {
        let count = rows.rows, clusters = min(clusters, count)
        let distances = rows.squaredDistances()
        guard distances.values.allSatisfy(\.isFinite) else {
            throw ReductionError(.notFinite, "the tokens to cluster are not finite numbers")
        }
        let density = (0..<count).map { row in
            exp(-distances.row(row).sorted().prefix(clusters).reduce(0, +) / Double(clusters))
        }
        let farthest = distances.values.max() ?? 0
        let peaks = (0..<count).map { row in
            let denser = (0..<count).filter { density[$0] > density[row] || density[$0] == density[row] && $0 < row }
            let gap = denser.reduce(Double.infinity) { min($0, distances[row, $1]) }
            return density[row] * (gap.isFinite ? gap : farthest).squareRoot()
        }
        let ranked = (0..<count).sorted { peaks[$0] == peaks[$1] ? $0 < $1 : peaks[$0] > peaks[$1] }
        let centres = Array(ranked.prefix(clusters))
        self.centres = centres
        nearest = (0..<count).map { row in
            if let own = centres.firstIndex(of: row) { return own }
            return centres.indices.min {
                distances[row, centres[$0]] == distances[row, centres[$1]]
                    ? $0 < $1 : distances[row, centres[$0]] < distances[row, centres[$1]]
            } ?? 0
        }
    }
}

extension Tensor {
    /// ‖xᵢ − xⱼ‖² / width of each row with each row.
    fileprivate func squaredDistances() -> PairTable {
        let numbers = doubles, width = width, count = rows
        var result = [Double](repeating: 0, count: count * count)
        numbers.withUnsafeBufferPointer { numbers in
            for row in 0..<count {
                for other in 0..<row {
                    var sum = 0.0
                    for column in 0..<width {
                        let difference = numbers[row * width + column] - numbers[other * width + column]
                        sum += difference * difference
                    }
                    result[row * count + other] = sum / Double(width)
                    result[other * count + row] = sum / Double(width)
                }
            }
        }
        return PairTable(Tensor(result, shape: [count, count]))
    }
}
