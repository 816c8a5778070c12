import JobVocabulary
import Tensors
import TokenReduction

/// A picture of one tile from the tower to the end of the language model: its tile's reduction, then that of a sequence which
/// holds this tile alone.
struct PictureRun {
    private let whole: ReductionPlan
    private var tile: TileReduction
    private var inDecoder: SequenceReduction?

    init(plan: ReductionPlan, grid: PatchGrid) throws {
        whole = plan
        tile = try TileReduction(plan: plan, grid: grid)
    }

    private func sequence() throws -> SequenceReduction { try inDecoder ?? SequenceReduction([tile], plan: whole) }

    /// As far as it has been settled.
    var plan: ReductionPlan { inDecoder?.plan ?? tile.plan }
    var positions: [Int] { inDecoder?.positions ?? tile.positions }

    func needs(place: ReductionPlace, layer: Int) throws -> EvidenceNeeds {
        place == .languageModel ? try sequence().needs(layer: layer) : tile.needs(place: place, layer: layer)
    }

    mutating func enter(_ states: Tensor, layout: TokenLayout) throws {
        var sequence = try sequence()
        guard sequence.looksAtEntry else { return }
        try sequence.enter(states, layout: layout)
        inDecoder = sequence
    }

    mutating func remember(_ evidence: Evidence, place: ReductionPlace, layer: Int, layout: TokenLayout) throws {
        guard place == .languageModel else {
            return tile.remember(evidence, place: place, layer: layer, layout: layout)
        }
        var sequence = try sequence()
        sequence.remember(evidence, layer: layer)
        inDecoder = sequence
    }

    mutating func reduce(
        place: ReductionPlace, layer: Int, hidden: Tensor, evidence: Evidence, layout: TokenLayout
    ) throws -> [Int] {
        guard place == .languageModel else {
            return try tile.reduce(place: place, layer: layer, hidden: hidden, evidence: evidence, layout: layout)
        }
        var sequence = try sequence()
        defer { inDecoder = sequence }
        return try sequence.reduce(layer: layer, hidden: hidden, evidence: evidence, layout: layout)
    }

    func checkDelivered(after place: ReductionPlace) throws {
        if place == .languageModel { try sequence().checkDelivered() } else { try tile.checkDelivered(after: place) }
    }

    func trace() throws -> ReductionTrace { try sequence().trace() }
}
