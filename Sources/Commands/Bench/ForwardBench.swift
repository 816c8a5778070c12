import Foundation
import Tensors
import TokenReduction
import VisionLanguage

/// The measurements of `winnow bench forward`.
final class ForwardBench {
    private let configuration: LLaVAConfiguration
    private let backend: OneDNNBackend
    private let model: LLaVA
    private let full: ReductionPlan
    private let reduced: ReductionPlan
    private let picture: Tensor
    private let prompt: MultimodalPrompt
    private var bareTower: BareProducts
    private var barePrefill: BareProducts
    private var rounds = 0

    private var tower = Measurement(), reducedTower = Measurement(), bareTowerTime = Measurement()
    private var prefill = Measurement(), reducedPrefill = Measurement(), barePrefillTime = Measurement()
    private var reduction: [Double] = []
    private var towerFLOPs = 0, prefillFLOPs = 0, reducedPrefillFLOPs = 0

    init(
        _ c: LLaVAConfiguration, backend: OneDNNBackend, method: String, keep: Int, textTokens: Int
    ) throws {
        configuration = c
        self.backend = backend
        model = try LLaVA(random: c, seed: 1, backend: backend)
        full = try ReductionPlan(method: "none", keep: nil, model: c.depth)
        reduced = try ReductionPlan(method: method, keep: keep, model: c.depth)
        let patch = 3 * c.vision.patchSize * c.vision.patchSize
        picture = Tensor(
            (0..<c.vision.patches * patch).map { Float(sin(Double($0))) }, shape: [c.vision.patches, patch])
        let before = textTokens / 2
        prompt = try MultimodalPrompt(
            ids: (0..<before).map { 100 + $0 } + [c.imageToken] + (before..<textTokens).map { 100 + $0 },
            imageToken: c.imageToken, visualTokens: c.visualTokens)

        bareTower = BareProducts(backend)
        barePrefill = BareProducts(backend)
        let v = c.vision, t = c.text, rows = c.visualTokens + textTokens
        try bareTower.add(rows: v.patches, inputs: patch, outputs: v.hidden)
        for _ in 0..<c.visionLayersNeeded {
            for (inputs, outputs) in [
                (v.hidden, 3 * v.hidden), (v.hidden, v.hidden), (v.hidden, v.intermediate), (v.intermediate, v.hidden),
            ] { try bareTower.add(rows: v.patches + 1, inputs: inputs, outputs: outputs) }
        }
        let head = t.heads * t.headSize, keyValue = t.keyValueHeads * t.headSize
        for layer in 0..<t.layers {
            try barePrefill.add(rows: rows, inputs: t.hidden, outputs: head + 2 * keyValue)
            try barePrefill.add(rows: rows, inputs: head, outputs: t.hidden)
            // The last layer's MLP is only needed for the next token.
            let wide = layer == t.layers - 1 ? 1 : rows
            try barePrefill.add(rows: wide, inputs: t.hidden, outputs: 2 * t.intermediate)
            try barePrefill.add(rows: wide, inputs: t.intermediate, outputs: t.hidden)
        }
        try barePrefill.add(rows: 1, inputs: t.hidden, outputs: t.vocabulary)
    }

    /// Everything once, in turn.
    func round() throws {
        var tower = Measurement(), reducedTower = Measurement(), bareTowerTime = Measurement()
        var prefill = Measurement(), reducedPrefill = Measurement(), barePrefillTime = Measurement()
        var encoded: [LLaVA.EncodedPicture] = [], fewer: [LLaVA.EncodedPicture] = []
        var sequences: [DecoderSequence] = []
        bareTowerTime.time { bareTower.run() }
        try tower.time { encoded = try model.encode([picture], plans: [full]) }
        try reducedTower.time { fewer = try model.encode([picture], plans: [reduced]) }
        barePrefillTime.time { barePrefill.run() }
        try prefill.time { sequences = try model.prefill([prompt], encoded, room: [1]).sequences }
        prefillFLOPs = sequences[0].prefillFLOPs
        try reducedPrefill.time { sequences = try model.prefill([prompt], fewer, room: [1]).sequences }
        reducedPrefillFLOPs = sequences[0].prefillFLOPs
        towerFLOPs = encoded[0].flops
        rounds += 1
        guard rounds > 1 else { return }
        self.tower.join(tower)
        self.reducedTower.join(reducedTower)
        self.bareTowerTime.join(bareTowerTime)
        self.prefill.join(prefill)
        self.reducedPrefill.join(reducedPrefill)
        self.barePrefillTime.join(barePrefillTime)
        reduction.append(try fewer[0].run.encoderSeconds())
    }

    /// The ratios of all rounds but the first.
    func report() -> ForwardReport {
        let own = reduction.sorted()[reduction.count / 2]
        return ForwardReport(
            backend: backend.name, threads: backend.threads,
            tower: Share(tower, towerFLOPs, of: bareTowerTime, bareTower.flops),
            prefill: Share(prefill, prefillFLOPs, of: barePrefillTime, barePrefill.flops),
            speedUp: prefill.ratio(to: reducedPrefill).median,
            flopRatio: Double(prefillFLOPs) / Double(reducedPrefillFLOPs),
            reductionShareOfTower: own / tower.median,
            towerTimeWithReduction: reducedTower.ratio(to: tower).median)
    }
}

/// A part of the model beside its bare products.
struct Share: Encodable {
    /// GFLOP/s of the model, all of its operations counted.
    let rate: Double
    /// GFLOP/s of the bare products.
    let bareRate: Double
    /// The ratio of the two; median, least and greatest of the rounds.
    let share, least, greatest: Double

    init(_ model: Measurement, _ flops: Int, of bare: Measurement, _ bareFLOPs: Int) {
        rate = Double(flops) / model.median / 1e9
        bareRate = Double(bareFLOPs) / bare.median / 1e9
        let ratio = bare.ratio(to: model)
        let factor = Double(flops) / Double(bareFLOPs)
        (share, least, greatest) = (ratio.median * factor, ratio.least * factor, ratio.greatest * factor)
    }
}

/// What `winnow bench forward` prints.
struct ForwardReport: Encodable {
    let backend: String
    let threads: Int
    let tower: Share
    let prefill: Share
    let speedUp: Double
    let flopRatio: Double
    let reductionShareOfTower: Double
    let towerTimeWithReduction: Double

    func table() -> String {
        var table = TextTable(
            ["part", "GFLOP/s", "bare loop", "share", "least", "greatest"], rightAligned: [1, 2, 3, 4, 5])
        for (name, share) in [("vision tower", tower), ("prefill", prefill)] {
            table.add([
                name, String(format: "%.0f", share.rate), String(format: "%.0f", share.bareRate), percent(share.share),
                percent(share.least), percent(share.greatest),
            ])
        }
        return """
            \(backend), \(threads) threads
            \(table.text())

            prefill with fewer visual tokens: \(String(format: "%.2f", speedUp)) times as fast, \
            FLOP ratio \(String(format: "%.2f", flopRatio)), share \(percent(speedUp / flopRatio))
            the reduction's own arithmetic: \(percent(reductionShareOfTower)) of the tower's time without it
            the tower with the reduction: \(percent(towerTimeWithReduction)) of its time without
            """
    }

    private func percent(_ value: Double) -> String { String(format: "%.1f %%", 100 * value) }
}

extension ReductionRun {
    /// Seconds of filter, correlate and compress in the encoder.
    fileprivate func encoderSeconds() throws -> Double {
        try trace().steps.filter { $0.place == .visionEncoder }.reduce(0) { $0 + $1.seconds }
    }
}
