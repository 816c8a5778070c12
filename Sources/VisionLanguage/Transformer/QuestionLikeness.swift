internal import JobVocabulary
import Tensors
import TokenReduction

/// How similar CLIP finds each visual token to the question, for methods that read the question.
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
    /// How many questions are remembered; each takes some kilobytes.
    private static let mostQuestions = 256
    private var questions: [String: Question] = [:]

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

    /// What a tile's tokens are likened to.
    private struct Question {
        /// Its pieces in CLIP's space, each of length one.
        let pieces: [[Double]]
        /// Operations of reading the question.
        let flops: Int
    }

    /// What the projector's reduction may look at for one tile, and what that took.
    struct Likeness {
        var evidence = Evidence()
        /// Operations of bringing the tile's tokens into the space of texts.
        var flops = 0
        /// Operations of reading the question, which is that of all tiles of a prompt.
        var questionFLOPs = 0
    }

    /// What the projector's reduction may look at for each tile, as far as it asks for it.
    ///
    /// `rows` are the rows that the projector reads, of which those from `first` on are visual tokens.
    func likenesses(
        _ rows: RaggedRows, from first: Int, questions: [String?], reductions: [TileReduction]
    ) throws -> [Likeness] {
        try rows.segments.enumerated().map { index, segment in
            var likeness = Likeness()
            guard reductions[index].needs(place: .projector, layer: 0).contains(.questionRelevance) else {
                return likeness
            }
            guard let text = questions[index] else {
                throw ModelError(
                    .malformedPrompt,
                    "this method weighs visual tokens by the question, and the prompt came as token ids without one; "
                        + "give the text, or set relevance=none")
            }
            let parts = try loaded.get(), question = question(text, parts)
            let tokens = rows.tensor.rows(segment.dropFirst(first))
            likeness.evidence.relevance = cosines(tokens, question.pieces, parts)
            likeness.flops = parts.visualProjection.flops(rows: tokens.rows)
            likeness.questionFLOPs = question.flops
            return likeness
        }
    }

    /// A question, which is read once for all tiles and pictures that it is asked about.
    private func question(_ text: String, _ parts: Parts) -> Question {
        if let known = questions[text] { return known }
        let embeddings = parts.text.embed(text)
        let question = Question(pieces: unitRows(embeddings.rows), flops: embeddings.flops)
        if questions.count == Self.mostQuestions { questions.removeAll() }
        questions[text] = question
        return question
    }

    /// The mean cosine of each of `patches`, `(visual tokens, tower width)` of the features' layer, which CLIP's last norm and
    /// projection bring into the space of texts as if they were class tokens.
    private func cosines(_ patches: Tensor, _ texts: [[Double]], _ parts: Parts) -> [Double] {
        let normalized = backend.normalize(patches, parts.postNorm, as: backend.activationType)
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
