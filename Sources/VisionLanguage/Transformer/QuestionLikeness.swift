internal import JobVocabulary
import Tensors
import TokenReduction

/// How much CLIP likens each visual token to the question: what methods that read the question go by.
///
/// Reads the text tower when the first method asks for it; a model whose methods do not ask needs none.
final class QuestionLikeness {
    private let directory: String?
    private let visionTower: String?
    private let vision: LLaVAConfiguration.Vision
    private let format: WeightFormat?
    private let backend: any Backend
    private let progress: LayerProgress
    private lazy var loaded = Result { try Parts(self) }

    /// Looks for CLIP's text side where the checkpoint in `directory` and `visionTower` say; a model without a folder has
    /// none. The towers' weights become `format`, or stay as they are stored.
    init(
        directory: String?, visionTower: String?, vision: LLaVAConfiguration.Vision, format: WeightFormat?,
        backend: any Backend, progress: LayerProgress
    ) {
        self.directory = directory
        self.visionTower = visionTower
        self.vision = vision
        self.format = format
        self.backend = backend
        self.progress = progress
    }

    /// What the projector's reduction may look at for each picture, as far as its reduction asks for it.
    ///
    /// `rows` are the rows that the projector reads, of which those from `first` on are visual tokens; `flops` receives
    /// what bringing a tile's tokens into CLIP's space costs, `questionFLOPs` what reading its question does.
    func evidence(
        _ rows: RaggedRows, from first: Int, questions: [String?], reductions: [TileReduction], flops: inout [Int],
        questionFLOPs: inout [Int]
    ) throws -> [Evidence] {
        var read: [String: (rows: [[Double]], flops: Int)] = [:]
        return try rows.segments.enumerated().map { index, segment in
            var evidence = Evidence()
            if reductions[index].needs(place: .projector, layer: 0).contains(.questionRelevance) {
                guard let question = questions[index] else {
                    throw ModelError(
                        .malformedPrompt,
                        "this method weighs visual tokens by the question, and the prompt came as token ids without one; "
                            + "give the text, or set relevance=none")
                }
                let texts = try read[question] ?? texts(of: question)
                read[question] = texts
                questionFLOPs[index] = texts.flops
                evidence.relevance = try cosines(
                    rows.tensor.rows(segment.dropFirst(first)), texts.rows, &flops[index])
            }
            return evidence
        }
    }

    /// The pieces of a question in CLIP's space, and what reading them takes.
    private func texts(of question: String) throws -> (rows: [[Double]], flops: Int) {
        var flops = 0
        return (unitRows(try loaded.get().text.embed(question, flops: &flops)), flops)
    }

    /// The mean cosine of each of `patches`, `(visual tokens, tower width)` of the features' layer, which CLIP's last norm and
    /// projection bring into the space of texts as if they were class tokens.
    private func cosines(_ patches: Tensor, _ texts: [[Double]], _ flops: inout Int) throws -> [Double] {
        let parts = try loaded.get()
        let normalized = backend.normalize(patches, parts.postNorm, as: backend.activationType)
        flops += parts.visualProjection.flops(rows: patches.rows)
        let images = unitRows(
            backend.linear(normalized, parts.visualProjection, activation: .none, as: backend.residualType))
        return images.map { image in
            let sum = texts.reduce(0) { sum, text in zip(image, text).reduce(sum) { $0 + $1.0 * $1.1 } }
            return sum / Double(texts.count)
        }
    }

    /// The rows of a tensor, each of length one; a row of zeros stays one. In Double whatever the backend computes in, where
    /// ``UnitRows`` stays in the precision of its rows.
    private func unitRows(_ tensor: Tensor) -> [[Double]] {
        let numbers = tensor.doubles
        return (0..<tensor.rows).map { row in
            let cells = numbers[row * tensor.width..<(row + 1) * tensor.width]
            let length = cells.reduce(0) { $0 + $1 * $1 }.squareRoot()
            return length == 0 ? Array(cells) : cells.map { $0 / length }
        }
    }

    /// The pieces of a CLIP model that LLaVA leaves behind.
    private struct Parts {
        let text: CLIPText
        let postNorm: Normalization
        let visualProjection: Linear

        init(_ owner: QuestionLikeness) throws {
            guard let directory = owner.directory else {
                throw ModelError(
                    .missingTextTower,
                    "a model of random weights has no text tower to weigh visual tokens with; set relevance=none")
            }
            let folder = try CLIPFolder(of: directory, visionTower: owner.visionTower)
            let weights = Weights(folder.weights, prefix: "", format: owner.format, backend: owner.backend)
            let vision = owner.vision
            // Another CLIP model may have the same widths; this shape tells 224 from 336 pixels.
            let positions = "vision_model.embeddings.position_embedding.weight"
            if folder.weights.checkpoint.contains(positions) {
                _ = try weights.tensor(positions, [vision.patches + 1, vision.hidden])
            }
            postNorm = try weights.layerNorm(
                "vision_model.post_layernorm", width: vision.hidden, epsilon: vision.epsilon)
            visualProjection = try weights.linear(
                "visual_projection", inputs: vision.hidden, outputs: folder.sizes.projection, bias: false)
            text = try CLIPText(
                folder, weights: owner.format, backend: owner.backend, progress: owner.progress)
        }
    }
}
