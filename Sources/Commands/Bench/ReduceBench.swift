import Foundation
import JobVocabulary
import Tensors
import TokenReduction
import VisionLanguage

/// The measurements of `winnow bench reduce`.
///
/// The reduction runs where it always does, inside a model: a tower of one CLIP ViT-L layer and a language model of two
/// layers of the same width. The layer's own time is the tower's without what a tower of no layers takes.
final class ReduceBench {
    private let backend: CPUBackend
    private let model: LLaVA
    private let bare: LLaVA
    private let picture: Tensor
    private let prompt: MultimodalPrompt
    private let unreduced: ReductionPlan
    private let bareUnreduced: ReductionPlan
    /// The vision layer's own time, over all methods and rounds.
    private(set) var layerSeconds = Spread([])
    private var layers: [Double] = []

    private static let textTokens = 60
    /// The model whose schedules are measured.
    private static let whole = ModelDepth(visionLayers: 23, languageLayers: 32, visualTokens: 576)

    init(backend: CPUBackend) throws {
        self.backend = backend
        let c = try Self.sizes(visionLayers: 1), bareSizes = try Self.sizes(visionLayers: 0)
        model = try LLaVA(random: c, seed: 1, backend: backend)
        bare = try LLaVA(random: bareSizes, seed: 1, backend: backend)
        unreduced = try ReductionPlan(method: "none", keep: nil, model: c.depth)
        bareUnreduced = try ReductionPlan(method: "none", keep: nil, model: bareSizes.depth)
        let patch = 3 * c.vision.patchSize * c.vision.patchSize
        picture = Tensor(
            (0..<c.vision.patches * patch).map { Float(sin(Double($0))) }, shape: [c.vision.patches, patch])
        // As in the vicuna template: a longer text before the picture than after it.
        let text = (0..<Self.textTokens).map { $0 % c.imageToken }
        prompt = try MultimodalPrompt(
            ids: text.prefix(35) + [c.imageToken] + text.dropFirst(35), imageToken: c.imageToken,
            visualTokens: c.visualTokens)
    }

    private static func sizes(visionLayers: Int) throws -> LLaVAConfiguration {
        guard var c = LLaVAConfiguration.named("llava-1.5-7b") else {
            throw CommandFailure("the sizes of llava-1.5-7b are not known")
        }
        // One more than runs: some reductions look ahead to it.
        c.vision.layers = visionLayers + 1
        c.featureLayer = visionLayers
        (c.text.hidden, c.text.intermediate, c.text.layers) = (c.vision.hidden, c.vision.intermediate, 2)
        (c.text.heads, c.text.keyValueHeads, c.text.headSize) = (c.vision.heads, c.vision.heads, 64)
        (c.text.vocabulary, c.imageToken) = (64, 64)
        return c
    }

    /// One step of the stages that `method` has in `place`, beside the layer; the first round warms up and is dropped.
    func measure(_ method: ReductionMethod, in place: ReductionPlace, keep: Int, runs: Int) throws -> ReduceReport.Step
    {
        let removals = try ReductionPlan(method: method, keep: keep, model: Self.whole).removals(in: place)
        guard let largest = removals.max(), largest > 0 else {
            throw CommandFailure(ExitCodes.usage, "\(method.name) gives up nothing at --keep \(keep): keep fewer")
        }
        let plan = try plan(method, in: place, removing: largest)
        let least = try self.plan(method, in: place, removing: 1)
        var steps: [Double] = [], evidence: [Double] = [], layers: [Double] = []
        for round in 0...runs {
            let layer = try encode(unreduced).seconds - encodeBare()
            let step = try run(plan, in: place).step
            let without = try run(nil, in: place).seconds
            let one = try run(least, in: place)
            guard round > 0 else { continue }
            layers.append(layer)
            steps.append(step / layer)
            evidence.append((one.seconds - one.step - without) / layer)
        }
        self.layers += layers
        layerSeconds = Spread(self.layers)
        let count = removals.count { $0 > 0 }
        return ReduceReport.Step(
            method: method.name, place: place.rawValue, removed: largest, steps: count, step: Spread(steps),
            evidence: Spread(evidence), allStepsOfTower: Spread(steps).median * Double(count) / 23)
    }

    /// A plan that removes `count` tokens in the first layer that a small model lets the stages work in.
    private func plan(_ method: ReductionMethod, in place: ReductionPlace, removing count: Int) throws -> ReductionPlan
    {
        let stages = method.stages(in: place)
        let alone = ReductionMethod(
            name: method.name, encoder: place == .visionEncoder ? stages : nil,
            projector: place == .projector ? stages : nil, decoder: place == .languageModel ? stages : nil)
        let keep = unreduced.model.visualTokens - count
        do {
            // One layer, that everything happens at once; the second one of the model then has nothing to do.
            let depth = ModelDepth(visionLayers: 1, languageLayers: 1, visualTokens: unreduced.model.visualTokens)
            return try ReductionPlan(method: alone, keep: keep, model: depth)
        } catch  where error.code == .badLayer {
            return try ReductionPlan(method: alone, keep: keep, model: unreduced.model)
        }
    }

    /// Seconds of the part of the model that `place` belongs to, and those of the reduction in it.
    private func run(_ plan: ReductionPlan?, in place: ReductionPlace) throws -> (seconds: Double, step: Double) {
        guard place == .languageModel else { return try encode(plan ?? unreduced) }
        let plan = plan ?? unreduced
        let encoded = try model.encode([TileRequest(patches: picture, plan: plan)])
        var time = Measurement(), sequences: [DecoderSequence] = []
        try time.time {
            sequences = try model.prefill([DecoderInput(prompt, encoded, plan: plan)], room: [1]).sequences
        }
        return (time.median, try sequences[0].reduction.trace().steps.reduce(0) { $0 + $1.seconds })
    }

    private func encode(_ plan: ReductionPlan) throws -> (seconds: Double, step: Double) {
        var time = Measurement(), encoded: [EncodedTile] = []
        try time.time { encoded = try model.encode([TileRequest(patches: picture, plan: plan)]) }
        return (time.median, encoded[0].reduction.history.steps.reduce(0) { $0 + $1.seconds })
    }

    private func encodeBare() throws -> Double {
        var time = Measurement()
        try time.time { _ = try bare.encode([TileRequest(patches: picture, plan: bareUnreduced)]) }
        return time.median
    }
}
