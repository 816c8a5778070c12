public import VisionLanguage

/// The operations that this implementation runs for one picture and one prompt, as a closed form; a multiply-add counts 2.
///
/// Equals, to the last operation, what the model counts while it runs: every matrix product with weights, and the two
/// products of attention, of which the language model computes the causal half. The last layer's MLP and the head work
/// for the next token only, and so does its attention where no reduction happens there.
///
/// Left out here: CLIP's text tower where the reduction reads the question, for its cost depends on how many ids the question
/// has in CLIP's vocabulary (0.17 GFLOP for each in ViT-L/14). The model counts it.
///
/// Left out, here and there: normalisation, softmax, activations, rotary positions, residual additions, and the
/// reduction's own arithmetic with the attention map that it asks for (`winnow bench reduce` measures those in time).
public struct ExecutedOperations: Sendable, Hashable {
    /// Patches to rows.
    public let patchEmbedding: Int
    /// The layers of the vision tower; last, what a reduction asks of the layer behind them.
    public let towerLayers: [Int]
    /// The projector.
    public let projector: Int
    /// The layers of the language model, reading the prompt.
    public let prefillLayers: [Int]
    /// The head, once for each token that is chosen.
    public let head: Int
    /// Running the first token of the answer through the language model, head included.
    public let firstToken: Int
    /// What each further token costs more than the one before it: its attention sees one more row.
    public let growth: Int

    /// Operations for `rows` of `model`.
    public init(_ rows: RowCounts, model: LLaVAConfiguration) throws(EvaluationError) {
        let sizes = Sizes(model)
        let tiles = Int128(rows.tiles)
        let patches = tiles * sizes.patchEmbedding
        let tower = rows.tower.map { tiles * sizes.tower($0) } + [tiles * sizes.beyondTower * Int128(rows.beyondTower)]
        let projected = tiles * sizes.projector * Int128(rows.projector)
        let prefill = rows.decoder.enumerated().map { index, layer in
            sizes.prefill(layer, isLast: index == rows.decoder.count - 1)
        }
        let first = rows.decoder.reduce(sizes.head) { $0 + sizes.decode(keys: $1.attention + 1) }
        let growth = sizes.pair * Int128(rows.decoder.count)
        // Whatever an answer can add inside the context, so that no sum of the parts can overflow.
        let longest = Int128(model.text.context)
        let all =
            patches + tower.reduce(0, +) + projected + prefill.reduce(sizes.head, +)
            + longest * (first + longest * growth)
        guard all <= Int128(Int.max) else {
            throw EvaluationError(.tooLarge, "the operations of this model do not fit into 64 bits: check its sizes")
        }
        patchEmbedding = Int(patches)
        towerLayers = tower.map { Int($0) }
        projector = Int(projected)
        prefillLayers = prefill.map { Int($0) }
        head = Int(sizes.head)
        firstToken = Int(first)
        self.growth = Int(growth)
    }

    /// The vision tower.
    public var vision: Int { towerLayers.reduce(patchEmbedding, +) }
    /// Reading the prompt, the choice of the first token included.
    public var prefill: Int { prefillLayers.reduce(head, +) }

    /// Running `tokens` tokens of the answer through the language model, at most as many as the context holds; the last
    /// token of an answer never is.
    public func decode(tokens: Int) -> Int { tokens * firstToken + growth * (tokens * (tokens - 1) / 2) }
}

/// Operations of a model's parts for one row, in numbers that no configuration can overflow.
private struct Sizes {
    let patchEmbedding, visionWidth, visionMLP, beyondTower: Int128
    let projector: Int128
    /// The projections of one row to query, key and value, and the one behind attention.
    let queryKeyValue, attended: Int128
    /// One query with one key: the product with the key and the one with the value.
    let pair: Int128
    let gatedMLP: Int128
    let head: Int128

    init(_ c: LLaVAConfiguration) {
        let v = c.vision, t = c.text
        visionWidth = Int128(v.hidden)
        patchEmbedding = 2 * Int128(v.patches) * Int128(3 * v.patchSize * v.patchSize) * visionWidth
        visionMLP = 2 * 2 * visionWidth * Int128(v.intermediate)
        beyondTower = 2 * 2 * visionWidth * visionWidth
        let hidden = Int128(t.hidden)
        projector = 2 * (visionWidth * hidden + hidden * hidden)
        let width = Int128(t.heads * t.headSize), keyWidth = Int128(t.keyValueHeads * t.headSize)
        queryKeyValue = 2 * hidden * (width + 2 * keyWidth)
        attended = 2 * hidden * width
        pair = 2 * 2 * width
        gatedMLP = 3 * 2 * hidden * Int128(t.intermediate)
        head = 2 * hidden * Int128(t.vocabulary)
    }

    func tower(_ rows: LayerRows) -> Int128 {
        let n = Int128(rows.attention)
        let projections = (3 * Int128(rows.projected) + n) * 2 * visionWidth * visionWidth
        return projections + 2 * 2 * n * n * visionWidth + Int128(rows.feedForward) * visionMLP
    }

    func prefill(_ rows: LayerRows, isLast: Bool) -> Int128 {
        let n = Int128(rows.attention), projections = Int128(rows.projected) * queryKeyValue
        guard !isLast || rows.attention != rows.feedForward else {
            return projections + attended + pair * n + gatedMLP
        }
        return projections + n * attended + pair * (n * (n + 1) / 2)
            + (isLast ? 1 : Int128(rows.feedForward)) * gatedMLP
    }

    func decode(keys: Int) -> Int128 { queryKeyValue + attended + pair * Int128(keys) + gatedMLP }
}
