import Foundation
import JobVocabulary
import Tensors
import TokenReduction
import VisionLanguage

/// The measurements of `winnow bench forward`: each part of a forward pass, in turn with the processor's own limit.
final class ForwardBench {
    /// Sequences that are decoded together.
    static let together = [1, 8, 16]
    /// Tokens that each of them gets in a round.
    private static let steps = 4

    private let configuration: LLaVAConfiguration
    private let format: WeightFormat
    private let formats: WeightFormats
    private let weights: WeightFormat?
    private let backend: CPUBackend
    private let model: LLaVA
    private let full: ReductionPlan
    private let reduced: ReductionPlan
    private let picture: Tensor
    private let prompt: MultimodalPrompt
    private var rounds = 0

    private var limits: [WeightFormat: [Double]] = [:]
    private var tower = Part(), reducedTower = Part(), prefill = Part(), reducedPrefill = Part()
    private var decode = together.map { _ in Part() }
    private var reduction: [Double] = []

    /// Seconds and operations of one part.
    struct Part {
        var time = Measurement()
        var rows = 0
        var operations = 0
        /// The share of the operations that belongs to each format.
        var formats: [WeightFormat: Double] = [:]
    }

    /// A model of random weights, and a prompt of `textTokens` about one picture.
    init(
        _ c: LLaVAConfiguration, weights: WeightFormat?, backend: CPUBackend, method: String, keep: Int, textTokens: Int
    ) throws {
        configuration = c
        self.backend = backend
        self.weights = weights
        format = weights ?? .bf16
        formats = WeightFormats(format)
        model = try LLaVA(random: c, seed: 1, weights: weights, backend: backend)
        full = try ReductionPlan(method: "none", keep: nil, model: c.depth)
        reduced = try ReductionPlan(method: method, keep: keep, model: c.depth)
        let patch = 3 * c.vision.patchSize * c.vision.patchSize
        picture = Tensor(
            (0..<c.vision.patches * patch).map { Float(sin(Double($0))) }, shape: [c.vision.patches, patch])
        let before = textTokens / 2
        prompt = try MultimodalPrompt(
            ids: (0..<before).map { 100 + $0 } + [c.imageToken] + (before..<textTokens).map { 100 + $0 },
            imageToken: c.imageToken, visualTokens: c.visualTokens)
    }

    /// Everything once, in turn; the first round warms up and does not count.
    func round() throws {
        rounds += 1
        let counts = rounds > 1
        for format in Set([formats.decoder, formats.down, formats.tower].compactMap(\.self)) {
            let limit = backend.multiplyLimit(format, seconds: 0.2)
            if counts { limits[format, default: []].append(limit) }
        }
        func measure(
            _ part: inout Part, rows: Int, _ shares: (Int) -> [WeightFormat: Double], _ work: () throws -> Int
        ) rethrows {
            var time = Measurement()
            try time.time { part.operations = try work() }
            part.rows = rows
            part.formats = shares(part.operations)
            if counts { part.time.join(time) }
        }
        var encoded: [EncodedTile] = [], fewer: [EncodedTile] = []
        let patches = configuration.vision.patches + 1
        try measure(&tower, rows: patches, { _ in [formats.tower ?? format: 1] }) {
            encoded = try model.encode([TileRequest(patches: picture, plan: full)])
            return encoded[0].flops
        }
        try measure(&reducedTower, rows: patches, { _ in [formats.tower ?? format: 1] }) {
            fewer = try model.encode([TileRequest(patches: picture, plan: reduced)])
            return fewer[0].flops
        }
        if counts { reduction.append(fewer[0].reduction.encoderSeconds) }
        let whole = DecoderInput(prompt, encoded, plan: full),
            short = DecoderInput(prompt, fewer, plan: reduced)
        try measure(
            &prefill, rows: whole.rows, { decoderShares(of: $0, logits: 1) }
        ) {
            try model.prefill([whole], room: [1]).sequences[0].prefillFLOPs
        }
        try measure(
            &reducedPrefill, rows: short.rows, { decoderShares(of: $0, logits: 1) }
        ) {
            try model.prefill([short], room: [1]).sequences[0].prefillFLOPs
        }
        let beginning = model.prefix(
            of: try model.prefill([short], prefixes: nil, shares: [true], room: [1]).sequences[0])
        for (index, count) in Self.together.enumerated() {
            let sequences = try model.prefill(
                Array(repeating: short, count: count), prefixes: Array(repeating: beginning, count: count), shares: nil,
                room: Array(repeating: Self.steps, count: count)
            ).sequences
            try measure(
                &decode[index], rows: count * Self.steps, { decoderShares(of: $0, logits: count * Self.steps) }
            ) {
                for step in 0..<Self.steps {
                    _ = try model.decode(Array(repeating: 100 + step, count: count), sequences)
                }
                return sequences.reduce(0) { $0 + $1.decodeFLOPs }
            }
        }
    }

    /// The shares of formats in `operations` of the decoder, among them those of `logits` rows of the head.
    private func decoderShares(of operations: Int, logits: Int) -> [WeightFormat: Double] {
        let t = configuration.text
        let attention = t.hidden * t.headSize * 2 * (t.heads + t.keyValueHeads), product = t.hidden * t.intermediate
        let head = Double(2 * logits * t.hidden * t.vocabulary) / Double(operations)
        let down = (1 - head) * Double(product) / Double(attention + 3 * product)
        var shares: [WeightFormat: Double] = [:]
        shares[formats.head ?? format, default: 0] += head
        shares[formats.down ?? format, default: 0] += down
        shares[formats.decoder ?? format, default: 0] += 1 - head - down
        return shares
    }

    /// Medians over all rounds but the first.
    func report() -> ForwardReport {
        let ratio = prefill.time.ratio(to: reducedPrefill.time).median
        let operations = Double(prefill.operations) / Double(reducedPrefill.operations)
        var usage = rusage()
        getrusage(RUSAGE_SELF.rawValue, &usage)
        return ForwardReport(
            backend: backend.name, weights: format.rawValue, threads: backend.threads,
            weightsBytes: ModelMemory(
                configuration, weights: weights, stored: .bf16, activations: backend.activationType
            ).weights,
            peakBytes: usage.ru_maxrss * 1024,
            limits: Dictionary(
                uniqueKeysWithValues: limits.map { ($0.rawValue, $1.sorted()[$1.count / 2]) }),
            tower: PartReport("tower", tower, limits), reducedTower: PartReport("tower, reduced", reducedTower, limits),
            prefill: PartReport("prefill", prefill, limits),
            reducedPrefill: PartReport("prefill, reduced", reducedPrefill, limits),
            decode: PartReport("decode, 1", decode[0], limits),
            decodeTogether: zip(Self.together, decode).dropFirst().map { PartReport("decode, \($0)", $1, limits) },
            prefillSpeedUp: ratio, operationRatio: operations, shareOfOperationRatio: ratio / operations,
            reductionShareOfTower: reduction.sorted()[reduction.count / 2] / tower.time.median,
            towerTimeWithReduction: reducedTower.time.ratio(to: tower.time).median)
    }
}

extension TileReduction {
    /// Seconds of filter, correlate and compress in the encoder.
    fileprivate var encoderSeconds: Double {
        history.steps.filter { $0.place == .visionEncoder }.reduce(0) { $0 + $1.seconds }
    }
}
