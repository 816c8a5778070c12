internal import JobVocabulary
import Tensors
import TokenReduction

/// The CLIP vision tower (Radford et al. 2021): pixels in, one row for each patch out.
///
/// Runs only as many layers as the features need, and reduces visual tokens between attention and MLP, or after a layer,
/// where a picture's plan says so. Pictures of one batch may have different plans: rows are ragged, never padded.
final class CLIPVision {
    private let configuration: LLaVAConfiguration.Vision
    private let backend: any Backend
    private let patchEmbedding: Linear
    /// `(1 + patches, hidden)`: the position table with the class embedding added to its first row.
    private let start: Tensor
    private let preNorm: Normalization
    private let layers: [TransformerLayer]
    /// Norm, queries and keys of the layer behind the last one that runs, for reductions that look ahead to it; nil if
    /// the tower ends there.
    private let beyond: (norm: Normalization, queryKey: Linear)?
    private let heads: Heads
    private let progress: LayerProgress

    /// Builds the first `layersNeeded` layers.
    init(
        _ c: LLaVAConfiguration.Vision, layersNeeded: Int, weights: Weights, backend: any Backend,
        progress: LayerProgress
    ) throws {
        configuration = c
        self.progress = progress
        self.backend = backend
        heads = Heads(count: c.heads, size: c.hidden / c.heads)

        let embeddings = weights.under("embeddings")
        let patchWidth = 3 * c.patchSize * c.patchSize
        patchEmbedding = try backend.pack(
            [
                embeddings.tensor("patch_embedding.weight", [c.hidden, 3, c.patchSize, c.patchSize])
                    .reshaped([c.hidden, patchWidth])
            ], bias: [])
        start = try Self.startRows(
            embeddings.tensor("class_embedding", [c.hidden]),
            embeddings.tensor("position_embedding.weight", [c.patches + 1, c.hidden]), backend)
        // The name is spelled like this in every file.
        preNorm = try weights.layerNorm("pre_layrnorm", width: c.hidden, epsilon: c.epsilon)
        layers = try (0..<layersNeeded).map { index in
            progress.action()
            return try TransformerLayer(
                clip: weights.under("encoder.layers.\(index)"), hidden: c.hidden, intermediate: c.intermediate,
                epsilon: c.epsilon, activation: Activation(clip: c.activation))
        }
        beyond = try Self.beyond(layersNeeded, c, weights)
    }

    /// Norm, queries and keys of layer `index`; nil if the tower ends before it, or the checkpoint leaves it out.
    private static func beyond(
        _ index: Int, _ c: LLaVAConfiguration.Vision, _ weights: Weights
    ) throws -> (norm: Normalization, queryKey: Linear)? {
        guard index < c.layers else { return nil }
        let layer = weights.under("encoder.layers.\(index)")
        do {
            return try (
                layer.layerNorm("layer_norm1", width: c.hidden, epsilon: c.epsilon),
                layer.under("self_attn").linear(
                    ["q_proj", "k_proj"], inputs: c.hidden, outputs: [c.hidden, c.hidden], bias: true)
            )
        } catch let error as ModelError where error.code == .missingTensor {
            return nil
        }
    }

    private static func startRows(_ classEmbedding: Tensor, _ positions: Tensor, _ backend: any Backend) -> Tensor {
        var rows = positions.doubles
        for (column, value) in classEmbedding.doubles.enumerated() { rows[column] += value }
        return backend.convert(Tensor(rows, shape: positions.shape), to: backend.residualType)
    }

    /// The rows that the tower has worked on for one tile.
    private struct Work {
        var layers: [LayerWork]
        /// Rows that the layer behind the last one was asked about.
        var beyond = 0
    }

    /// Runs tiles, each `(patches, 3·patch²)`, through the tower; `reductions` holds one for each tile and is advanced.
    ///
    /// Returns `(class token + surviving patches, hidden)` of each tile, and each tile's operations.
    func encode(
        _ tiles: [Tensor], reductions: inout [TileReduction]
    ) throws -> (rows: RaggedRows, flops: [Int]) {
        var rows = embed(tiles), work = tiles.map { _ in Work(layers: layers.map { _ in LayerWork() }) }
        for (index, layer) in layers.enumerated() {
            let mixed = rows.projections { rows, numbers in mix(index, rows, of: numbers, &work) }
            var source = EvidenceSource(
                reductions.map { $0.needs(place: .visionEncoder, layer: index) }, heads: heads, backend: backend)
            try attend(layer, index, rows, mixed, reductions, &source, &work)
            for number in reductions.indices {
                reductions[number].remember(
                    source.offered[number], place: .visionEncoder, layer: index,
                    layout: .encoder(visualTokens: rows.segments[number].count - 1))
            }
            try reduce(&rows, &reductions, layer: index, at: .afterAttention, source)
            layer.feedForward(rows.tensor, on: backend)
            for (number, segment) in rows.segments.enumerated() { work[number].layers[index].fed += segment.count }
            rows.ahead = try lookAhead(index + 1, rows, &source, &work)
            try reduce(&rows, &reductions, layer: index, at: .afterLayer, source)
            progress.action()
        }
        return (rows, zip(tiles, work).map { flops(patches: $0.rows, $1) })
    }

    private func flops(patches: Int, _ work: Work) -> Int {
        patchEmbedding.flops(rows: patches) + layers.flops(of: work.layers, width: heads.width)
            + (beyond?.queryKey.flops(rows: work.beyond) ?? 0)
    }

    private func reduce(
        _ rows: inout RaggedRows, _ reductions: inout [TileReduction], layer: Int, at moment: Moment,
        _ source: EvidenceSource
    ) throws {
        _ = try rows.reduce(
            &reductions, .visionEncoder, layer: layer, at: moment, evidence: source.offered,
            layouts: rows.segments.map { .encoder(visualTokens: $0.count - 1) }, backend: backend)
    }

    /// Offers what reductions after layer `next - 1` ask about layer `next`; returns its queries, keys and values for the tiles
    /// that look ahead to it, if it runs.
    private func lookAhead(
        _ next: Int, _ rows: RaggedRows, _ source: inout EvidenceSource, _ work: inout [Work]
    ) throws -> LookedAhead? {
        let asking = source.lookingAhead, width = configuration.hidden
        guard !asking.isEmpty else { return nil }
        let rows = rows.only(asking)
        let mixed = next < layers.count ? mix(next, rows, of: asking, &work) : nil
        for (number, segment) in zip(asking, rows.segments) {
            let own: Tensor
            if let mixed {
                own = mixed.rows(segment)
            } else if let beyond {
                let normalized = backend.normalize(
                    rows.tensor.rows(segment), beyond.norm, as: backend.activationType)
                own = backend.linear(normalized, beyond.queryKey, activation: .none, as: backend.activationType)
                work[number].beyond += segment.count
            } else {
                continue
            }
            try source.lookAhead(
                number, queries: Columns(own, first: 0, count: width),
                keys: Columns(own, first: width, count: width), observer: 0)
        }
        return mixed.map { LookedAhead($0, of: asking, lengths: rows.segments.map(\.count)) }
    }

    private func embed(_ pictures: [Tensor]) -> RaggedRows {
        let rows = RaggedRows(stacking: pictures.map { _ in start })
        for (index, segment) in rows.segments.enumerated() {
            let patches = backend.convert(pictures[index], to: backend.activationType)
            backend.linear(patches, patchEmbedding, addingTo: rows.tensor.rows(segment.dropFirst()))
        }
        let normalized = backend.normalize(rows.tensor, preNorm, as: backend.residualType)
        return RaggedRows(normalized, lengths: rows.segments.map(\.count))
    }

    /// Queries, keys and values that layer `index` makes of the rows of the tiles `numbers`, side by side.
    private func mix(_ index: Int, _ rows: RaggedRows, of numbers: [Int], _ work: inout [Work]) -> Tensor {
        for (number, segment) in zip(numbers, rows.segments) {
            work[number].layers[index].projected += segment.count
        }
        return layers[index].projections(of: rows.tensor, as: backend.activationType, on: backend)
    }

    /// Adds attention to every tile's rows, and offers evidence of it.
    private func attend(
        _ layer: TransformerLayer, _ index: Int, _ rows: RaggedRows, _ mixed: Tensor, _ reductions: [TileReduction],
        _ source: inout EvidenceSource, _ work: inout [Work]
    ) throws {
        let width = configuration.hidden
        let attended = Tensor(shape: [rows.tensor.rows, width], type: backend.activationType)
        for (number, segment) in rows.segments.enumerated() {
            let own = mixed.rows(segment)
            work[number].layers[index].attendAll(segment.count)
            try source.attend(
                number,
                Attention(
                    queries: Columns(own, first: 0, count: width), keys: Columns(own, first: width, count: width),
                    values: Columns(own, first: 2 * width, count: width), heads: heads, causal: false,
                    keyBias: reductions[number].keyBias(place: .visionEncoder).map { [0] + $0 }),
                output: attended.rows(segment), observer: 0)
        }
        layer.add(attended, to: rows.tensor, on: backend)
    }
}
