import Foundation
public import Tensors
import Tokenization

/// CLIP's text side (Radford et al. 2021): a text in, one embedding for each piece of it out.
///
/// A piece is what the tower reads at once, 77 ids of OpenAI's models. Pieces run together as ragged rows, without
/// padding: in causal attention nothing up to a piece's end sees what would stand behind it.
public final class CLIPText {
    private let sizes: CLIPSizes.Text
    private let tokenizer: CLIPTokenizer
    private let backend: any Backend
    /// `(vocabulary, hidden)` and `(positions, hidden)`, only ever gathered from.
    private let tokens: Tensor
    private let positions: Tensor
    private let layers: [TransformerLayer]
    private let finalNorm: Normalization
    private let projection: Linear
    private let heads: Heads
    private let progress: LayerProgress

    /// Reads tokenizer and tower of a whole CLIP model; its weights become `format`, or stay as they are stored.
    public init(
        _ folder: CLIPFolder, weights format: WeightFormat? = nil, backend: any Backend,
        progress: LayerProgress = LayerProgress()
    ) throws {
        let c = folder.sizes.text
        sizes = c
        tokenizer = try CLIPTokenizer(directory: URL(fileURLWithPath: folder.path, isDirectory: true))
        guard tokenizer.vocabularySize <= c.vocabulary else {
            throw ModelError(
                .vocabularyMismatch,
                "vocab.json has \(tokenizer.vocabularySize) tokens, the text tower embeds "
                    + "\(c.vocabulary); take both from one checkpoint", at: folder.path)
        }
        let weights = Weights(folder.weights, prefix: "", format: format, backend: backend)
        self.backend = backend
        self.progress = progress
        heads = Heads(count: c.heads, size: c.hidden / c.heads)
        let model = weights.under("text_model")
        tokens = try model.tensor("embeddings.token_embedding.weight", [c.vocabulary, c.hidden])
        positions = try model.tensor("embeddings.position_embedding.weight", [c.positions, c.hidden])
        layers = try (0..<c.layers).map { index in
            progress.action()
            return try TransformerLayer(
                clip: model.under("encoder.layers.\(index)"), hidden: c.hidden, intermediate: c.intermediate,
                epsilon: c.epsilon, activation: Activation(clip: c.activation))
        }
        finalNorm = try model.layerNorm("final_layer_norm", width: c.hidden, epsilon: c.epsilon)
        projection = try weights.linear(
            "text_projection", inputs: c.hidden, outputs: folder.sizes.projection, bias: false)
    }

    /// What the pieces of a text become.
    public struct Embeddings {
        /// `(pieces, projection)`, in the residual type.
        public let rows: Tensor
        /// Operations of reading the pieces.
        public let flops: Int
    }

    /// Cuts a text into pieces and reads them, all at once.
    public func embed(_ text: String) -> Embeddings {
        let pieces = tokenizer.encode(text, inPiecesOf: sizes.positions)
        let lengths = pieces.map(\.count)
        let rows = RaggedRows(start(pieces), lengths: lengths)
        for layer in layers {
            attend(layer, rows)
            layer.feedForward(rows.tensor, on: backend)
            progress.action()
        }
        let ends = zip(rows.segments, pieces).map { $0.lowerBound + sizes.pooled.position(in: $1) }
        let pooled = backend.gather(rows.tensor, rows: ends, as: backend.residualType)
        let projected = backend.linear(
            backend.normalize(pooled, finalNorm, as: backend.activationType), projection, activation: .none,
            as: backend.residualType)
        return Embeddings(rows: projected, flops: flops(lengths))
    }

    /// Operations of reading pieces of `lengths` ids.
    private func flops(_ lengths: [Int]) -> Int {
        lengths.reduce(projection.flops(rows: lengths.count)) { sum, length in
            sum + layers.flops(of: layers.map { _ in .reading(length) }, width: sizes.hidden)
        }
    }

    /// Embeddings of ids and of their positions, added up.
    private func start(_ pieces: [[Int]]) -> Tensor {
        let embedded = backend.gather(tokens, rows: pieces.flatMap(\.self), as: backend.residualType)
        let places = backend.gather(positions, rows: pieces.flatMap { Array($0.indices) }, as: backend.residualType)
        let sums = zip(embedded.doubles, places.doubles).map { $0 + $1 }
        return backend.convert(Tensor(sums, shape: embedded.shape), to: backend.residualType)
    }

    private func attend(_ layer: TransformerLayer, _ rows: RaggedRows) {
        let width = sizes.hidden
        let mixed = layer.projections(of: rows.tensor, as: backend.activationType, on: backend)
        let attended = Tensor(shape: [rows.tensor.rows, width], type: backend.activationType)
        for segment in rows.segments {
            let own = mixed.rows(segment)
            _ = backend.attend(
                Attention(
                    queries: Columns(own, first: 0, count: width), keys: Columns(own, first: width, count: width),
                    values: Columns(own, first: 2 * width, count: width), heads: heads, causal: true),
                output: attended.rows(segment), map: nil)
        }
        layer.add(attended, to: rows.tensor, on: backend)
    }
}

extension Activation {
    /// What CLIP's files call it.
    init(clip name: String) { self = name == "gelu" ? .gelu : .quickGELU }
}
