public import JobVocabulary
import Tensors

/// PruMerge's correlation: what goes belongs to those that stay near it, and to one new token beside.
///
/// The neighbours of a token that stays are the `neighbours` tokens of largest cosine to it, of the keys of the next
/// layer's attention, all heads as one; of equal ones the earlier (Shang et al., ICCV 2025). Neighbours that go share
/// their content equally between the tokens they are near to and the new token, which takes in everything that goes and
/// has the row of the last of them in the ranking; neighbours that stay are copied. The compressor weighs.
public struct KeyNeighbours: Correlate {
    /// How many tokens one token takes in.
    public let neighbours: Int

    /// A correlation with the given number of neighbours.
    public init(neighbours: Int) { self.neighbours = neighbours }

    /// Reads `neighbours`; default: the authors' 32.
    init(reading options: inout MethodOptions) throws(ReductionError) {
        try self.init(neighbours: options.integer("neighbours", default: 32, in: 1...65_535))
    }

    /// The next layer's keys.
    public var needs: EvidenceNeeds { .upcomingKeys }

    /// Where there is a layer to come.
    public var places: Set<ReductionPlace> { [.visionEncoder, .languageModel] }

    /// A ranking that reaches one token beyond those that go.
    public var wants: CandidateContent { .ranking }

    /// One line for the table of methods.
    public var summary: String { "\(neighbours) nearest keys of the next layer, and one new token" }

    /// The first `count` candidates, each to its neighbours that stay and to the one after them.
    public func correlation(
        of candidates: Candidates, in layer: LayerView, removing count: Int
    ) throws(ReductionError) -> Correlation {
        guard let upcoming = layer.evidence.upcoming else {
            throw ReductionError(.missingEvidence, "this correlation compares the keys of the next layer: offer them")
        }
        let (sources, place) = try candidates.sourcesAndNewToken(count)
        let staying = layer.survivors(without: sources).filter { $0 != place }
        let cosines = try UnitRows(layer.layout.visual.of(upcoming.keys)).cosines(staying, Array(0..<layer.count))
        let goes = Set(sources)
        var targets: [Int: [Int]] = [:]
        var copies: [Int: [Share]] = [:]
        for (row, token) in staying.enumerated() {
            for other in cosines.largest(neighbours, of: row, without: token) {
                if goes.contains(other) {
                    targets[other, default: []].append(token)
                } else {
                    copies[token, default: []].append(Share(source: other, weight: 1))
                }
            }
        }
        let edges = sources.map { source in
            let all = ((targets[source] ?? []) + [place]).sorted()
            return all.map { Correlation.Edge(target: $0, weight: 1 / Double(all.count)) }
        }
        return Correlation(sources: sources, edges: edges, fused: [place], copies: copies)
    }
}

extension PairTable {
    /// The `count` columns of the largest numbers of `row`, except one, the largest first; of equal ones the earlier.
    fileprivate func largest(_ count: Int, of row: Int, without excluded: Int) -> ArraySlice<Int> {
        let start = row * columns
        return values.withUnsafeBufferPointer { values in
            (0..<columns).filter { $0 != excluded }.sorted {
                let (first, second) = (values[start + $0], values[start + $1])
                return first == second ? $0 < $1 : first > second
            }.prefix(count)
        }
    }
}
