import Evaluation
import Foundation
import TokenReduction

/// What `winnow flops` prints.
struct FLOPsReport: Encodable {
    /// Operations that this program runs; a multiply-add counts 2.
    struct Executed: Encodable {
        let vision, projector, prefill: Int
        let prefillLayers: [Int]
        let decodeFirstToken, decodeFurtherTokenAdds: Int
    }

    /// One published convention.
    struct Published: Encodable {
        let name, unit, formula, source, leavesOut: String
        let vision: Double?
        let prefill, prefillConstantLength: Double
    }

    /// Bytes of keys and values after the prompt.
    struct Cache: Encodable {
        let bitsPerNumber, bytes, bytesConstantLength: Int
    }

    let model, method: String
    let options: [String: String]
    let textTokens: Int
    /// Tiles that the picture lies on.
    let tiles: Int
    /// Rows of the language model that end a line of the picture.
    let newlines: Int
    let visualTokens, visualTokensDelivered, visualTokensLeft: Int
    /// Rows that enter each layer of the language model.
    let prefillRows: [Int]
    let executed: Executed
    let published: [Published]
    let cache: Cache

    init(_ account: CostAccount, model: String, cacheBits: Int) {
        let plan = account.plan
        self.model = model
        method = plan.method.name
        options = Dictionary(plan.method.options.map { ($0.name, $0.value) }) { first, _ in first }
        textTokens = account.textTokens
        tiles = account.rows.tiles
        newlines = account.rows.newlines
        visualTokens = account.rows.visualTokens
        visualTokensDelivered = account.rows.delivered
        visualTokensLeft = account.rows.kept
        prefillRows = account.rows.decoder.map(\.attention)
        let executed = account.executed
        self.executed = Executed(
            vision: executed.vision, projector: executed.projector, prefill: executed.prefill,
            prefillLayers: executed.prefillLayers, decodeFirstToken: executed.firstToken,
            decodeFurtherTokenAdds: executed.growth)
        published = account.published.map { entry in
            let convention = entry.convention
            return Published(
                name: convention.rawValue, unit: convention.unit, formula: convention.formula,
                source: convention.source, leavesOut: convention.leavesOut, vision: entry.tower,
                prefill: entry.prefill, prefillConstantLength: entry.constantPrefill)
        }
        cache = Cache(
            bitsPerNumber: cacheBits, bytes: account.cacheBytes(bitsPerNumber: cacheBits),
            bytesConstantLength: account.cacheBytes(bitsPerNumber: cacheBits, constant: true))
    }

    /// All operations that run up to the answer's first token.
    var operations: Int { executed.vision + executed.projector + executed.prefill }

    /// The report as tables.
    func text() -> String {
        let scale = Scale(largest: Double(executed.prefill))
        var costs = TextTable(
            [
                "counted as", "vision tower", "projector", "prefill", "one length", "unit",
                "one layer of the language model",
            ],
            rightAligned: [1, 2, 3, 4])
        costs.add(
            ["operations that run"] + [executed.vision, executed.projector, executed.prefill].map { scale.text($0) }
                + ["–", scale.name + "FLOP", "as it runs"])
        for entry in published {
            costs.add([
                entry.name, entry.vision.map(scale.text) ?? "–", "–", scale.text(entry.prefill),
                scale.text(entry.prefillConstantLength), scale.name + entry.unit, entry.formula,
            ])
        }
        let left = published.map { "  \($0.name) (\($0.source)): \($0.leavesOut)" }.joined(separator: "\n")
        return """
            \(model), \(method): of \(visualTokens) visual tokens\(tiles > 1 ? " in \(tiles) tiles" : "") \(visualTokensDelivered) enter the language model and \
            \(visualTokensLeft) are left at its end; \(textTokens) text tokens\(newlines > 0 ? ", \(newlines) newlines" : "")

            \(costs.text())

            decode: \(scaled(executed.decodeFirstToken)) for the answer's first token that is read back, \
            \(scaled(executed.decodeFurtherTokenAdds)) more for each further one
            key-value cache after the prompt, \(cache.bitsPerNumber) bits a number: \(megabytes(cache.bytes)); \
            at one length \(megabytes(cache.bytesConstantLength))

            A FLOP is an operation, a MAC a multiply-add, MB 10⁶ bytes. "prefill" counts each layer at the rows it works on, \
            "one length" all layers at the rows left at the end, as tables do. Left out:
              operations that run: norms, softmax, activations, the reduction's own arithmetic, CLIP's text tower
            \(left)
            """
    }

    private func scaled(_ count: Int) -> String {
        let scale = Scale(largest: Double(count))
        return "\(scale.text(count)) \(scale.name)FLOP"
    }

    private func megabytes(_ bytes: Int) -> String {
        String(format: bytes < 1_000_000 ? "%.3f MB" : "%.1f MB", Double(bytes) / 1e6)
    }
}

/// The power of ten that one table's counts are printed in.
private struct Scale {
    let name: String
    let unit: Double

    /// The largest unit in which `largest` has a digit before the point or two behind it.
    init(largest: Double) {
        let scales = [("T", 1e12), ("G", 1e9), ("M", 1e6)]
        (name, unit) = scales.first { largest >= $0.1 / 10 } ?? ("k", 1e3)
    }

    func text(_ count: Double) -> String { String(format: "%.3f", count / unit) }
    func text(_ count: Int) -> String { text(Double(count)) }
}
