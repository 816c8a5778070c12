public import Tensors
public import TokenReduction

/// LLaVA-1.5 (Liu et al. 2024) in the order of the forward pass: tower, projector, decoder.
///
/// One instance belongs to one thread; every method takes many jobs at once as ragged rows.
public final class LLaVA {
    /// The model's sizes.
    public let configuration: LLaVAConfiguration
    /// Where its arithmetic happens.
    public let backend: any Backend
    private let tower: CLIPVision
    private let projector: Projector
    private let likeness: QuestionLikeness
    private let decoder: Llama

    /// Loads the checkpoint in `directory`; an original LLaVA checkpoint takes its tower from `visionTower`, and methods that
    /// weigh tokens by the question take CLIP's text tower from there, once the first one runs.
    ///
    /// Files stay mapped; a tensor's pages are dropped as soon as it is packed, so peak memory is the packed size plus
    /// one layer.
    public convenience init(
        directory: String, visionTower: String? = nil, backend: any Backend, progress: LayerProgress = LayerProgress()
    ) throws {
        let configuration = try LLaVAConfiguration(directory: directory, visionTower: visionTower)
        let checkpoint = CheckpointWeights(checkpoint: try Checkpoint(directory: directory), path: directory)
        let names = try WeightNames(recognising: checkpoint.checkpoint.names, at: directory)
        var tower = checkpoint, prefix = names.vision
        if prefix == nil {
            let path = try LLaVAConfiguration.towerDirectory(
                ConfigurationFile(path: directory + "/config.json"), directory: directory, given: visionTower)
            tower = CheckpointWeights(checkpoint: try Checkpoint(directory: path), path: path)
            prefix = "vision_model."
        }
        try self.init(
            configuration: configuration, tower: tower, decoder: checkpoint, names: names, visionPrefix: prefix ?? "",
            likeness: QuestionLikeness(
                directory: directory, visionTower: visionTower, vision: configuration.vision, backend: backend,
                progress: progress),
            backend: backend, progress: progress)
    }

    /// A model of the given sizes with random weights made in memory, for measuring speed.
    public convenience init(random configuration: LLaVAConfiguration, seed: UInt64, backend: any Backend) throws {
        let weights = RandomWeights(seed: seed)
        let names = WeightNames.released
        try self.init(
            configuration: configuration, tower: weights, decoder: weights, names: names,
            visionPrefix: names.vision ?? "",
            likeness: QuestionLikeness(
                directory: nil, visionTower: nil, vision: configuration.vision, backend: backend,
                progress: LayerProgress()),
            backend: backend, progress: LayerProgress())
    }

    private init(
        configuration c: LLaVAConfiguration, tower: any WeightSource, decoder: any WeightSource, names: WeightNames,
        visionPrefix: String, likeness: QuestionLikeness, backend: any Backend, progress: LayerProgress
    ) throws {
        configuration = c
        self.likeness = likeness
        self.backend = backend
        let weights = Weights(decoder, prefix: "", backend: backend)
        self.tower = try CLIPVision(
            c.vision, layersNeeded: c.visionLayersNeeded,
            weights: Weights(tower, prefix: visionPrefix, backend: backend), backend: backend, progress: progress)
        projector = try Projector(c, names: names.projector, weights: weights, backend: backend)
        self.decoder = try Llama(
            c.text, weights: Weights(decoder, prefix: names.decoder, backend: backend),
            head: weights.linear(names.head, inputs: c.text.hidden, outputs: c.text.vocabulary, bias: false),
            backend: backend, progress: progress)
    }

    /// One picture after tower and projector, or none.
    public struct EncodedPicture: Sendable {
        /// `(visual tokens, decoder width)`, what enters the decoder, in the residual type.
        public let features: Tensor
        /// `(visual tokens, tower width)`, what entered the projector; nil where nobody asked for it.
        public let towerFeatures: Tensor?
        /// The reduction so far; the decoder goes on with it.
        public let run: ReductionRun
        /// Operations of the tower; of CLIP's text tower, too, where the reduction reads the question.
        public let towerFLOPs: Int
        /// Operations of the projector.
        public let projectorFLOPs: Int
        /// All operations.
        public var flops: Int { towerFLOPs + projectorFLOPs }
    }

    /// Encodes pictures, each as patch rows `(patches, 3·patch²)`, and reduces them as their plans say; plans that read the
    /// question need it in `questions`.
    ///
    /// With `keepingTower`, the rows that enter the projector come out as well.
    public func encode(
        _ pictures: [Tensor], plans: [ReductionPlan], questions: [String?]? = nil, keepingTower: Bool = false
    ) throws -> [EncodedPicture] {
        let side = configuration.vision.side
        var runs = try plans.map { try ReductionRun(plan: $0, grid: PatchGrid(rows: side, columns: side)) }
        var flops = pictures.map { _ in 0 }
        var rows = try tower.encode(pictures, runs: &runs, flops: &flops)
        for run in runs { try run.checkDelivered(after: .visionEncoder) }
        if !configuration.keepsClassToken {
            rows.keep(rows.segments.map { Array(1..<$0.count) }, backend: backend)
        }
        let entered = rows.segments.map(\.count)
        let towerFeatures = rows.segments.map { keepingTower ? rows.tensor.copy(of: $0) : nil }
        let first = configuration.keepsClassToken ? 1 : 0
        let evidence = try likeness.evidence(
            rows, from: first, questions: questions ?? [String?](repeating: nil, count: pictures.count), runs: runs,
            flops: &flops)
        var projected = RaggedRows(projector.project(rows.tensor), lengths: entered)
        _ = try projected.reduce(
            &runs, .projector, layer: 0, at: .afterLayer, evidence: evidence, backend: backend
        ) { _, rows, _ in TokenLayout(rows: rows, image: first..<rows, classToken: first == 1 ? 0 : nil) }
        return projected.segments.enumerated().map { index, segment in
            EncodedPicture(
                features: projected.tensor.copy(of: segment), towerFeatures: towerFeatures[index], run: runs[index],
                towerFLOPs: flops[index], projectorFLOPs: projector.flops(rows: entered[index]))
        }
    }

    /// What stands for the picture of a prompt about none: no rows, and nothing to reduce.
    public func withoutPicture() -> EncodedPicture {
        EncodedPicture(
            features: Tensor(shape: [0, configuration.text.hidden], type: backend.residualType), towerFeatures: nil,
            run: ReductionRun(withoutPictureIn: configuration.depth), towerFLOPs: 0, projectorFLOPs: 0)
    }

    /// What several prompts about one picture begin with, read once: everything up to the picture's last row.
    public struct Prefix {
        let sequence: DecoderSequence
        /// Bytes of keys and values.
        public var bytes: Int { sequence.cacheBytes }
        /// Operations of reading it.
        public var flops: Int { sequence.prefillFLOPs }
    }

    /// Reads the beginnings of prompts. Their pictures must not be reduced in the decoder: which of their rows stay
    /// depends on the whole prompt there.
    public func readPrefixes(_ prompts: [MultimodalPrompt], _ pictures: [EncodedPicture]) throws -> [Prefix] {
        var inputs: [Tensor] = [], sequences: [DecoderSequence] = []
        for (prompt, picture) in zip(prompts, pictures) {
            precondition(!picture.run.plan.reduces(in: .languageModel), "prompts reduced in the decoder share nothing")
            let sequence = try sequence(prompt.before.count + picture.features.rows, prompt, picture, room: 0)
            inputs.append(RaggedRows(stacking: [decoder.embed(prompt.before), picture.features]).tensor)
            sequences.append(sequence)
        }
        try decoder.readPrefixes(inputs, sequences)
        return sequences.map(Prefix.init)
    }

    /// Reads prompts with their pictures, or from where a prefix ends; returns the sequences, ready for `decode`, and the
    /// logits after each, `(prompts, vocabulary)`. `room` is how many tokens each answer may have.
    public func prefill(
        _ prompts: [MultimodalPrompt], _ pictures: [EncodedPicture], prefixes: [Prefix?]? = nil, room: [Int]
    ) throws -> (sequences: [DecoderSequence], logits: Tensor) {
        var inputs: [Tensor] = [], sequences: [DecoderSequence] = []
        for (index, prompt) in prompts.enumerated() {
            let picture = pictures[index]
            let rows = prompt.before.count + picture.features.rows + prompt.after.count
            let fresh = try sequence(rows, prompt, picture, room: room[index])
            if let prefix = prefixes?[index], !prompt.after.isEmpty {
                inputs.append(decoder.embed(prompt.after))
                sequences.append(
                    DecoderSequence(continuing: prefix.sequence, promptTokens: rows, room: fresh.room))
            } else {
                let parts = [decoder.embed(prompt.before), picture.features, decoder.embed(prompt.after)]
                inputs.append(RaggedRows(stacking: parts).tensor)
                sequences.append(fresh)
            }
        }
        let logits = try decoder.prefill(inputs, sequences)
        for sequence in sequences { try sequence.run.checkDelivered(after: .languageModel) }
        return (sequences, logits)
    }

    /// A sequence of which nothing has been read yet; refuses what the model cannot take.
    private func sequence(
        _ rows: Int, _ prompt: MultimodalPrompt, _ picture: EncodedPicture, room: Int
    ) throws -> DecoderSequence {
        try check(prompt, rows: rows)
        // A class token that is handed on stands before the visual tokens.
        let end = prompt.before.count + picture.features.rows
        return DecoderSequence(
            promptTokens: rows, image: end - picture.run.positions.count..<end, run: picture.run,
            layers: configuration.text.layers, room: min(room, configuration.text.context - rows))
    }

    /// Adds one token to each sequence; returns the logits after it, `(sequences, vocabulary)`.
    public func decode(_ ids: [Int], _ sequences: [DecoderSequence]) throws -> Tensor {
        try decoder.decode(ids, sequences)
    }

    private func check(_ prompt: MultimodalPrompt, rows: Int) throws(ModelError) {
        let vocabulary = configuration.text.vocabulary
        guard (prompt.before + prompt.after).allSatisfy({ (0..<vocabulary).contains($0) }) else {
            throw ModelError(
                .vocabularyMismatch,
                "the prompt holds token ids that the model does not embed (it has \(vocabulary)); "
                    + "take tokenizer and weights from one checkpoint")
        }
        let context = configuration.text.context
        guard rows < context else {
            throw ModelError(
                .promptTooLong,
                "the prompt has \(rows) tokens\(prompt.hasPicture ? " with its picture" : ""), the model takes \(context) with the answer; "
                    + "shorten the prompt" + (prompt.hasPicture ? " or keep fewer visual tokens" : ""))
        }
    }
}

extension Tensor {
    /// Some rows in memory of their own: features may outlive the batch they were computed in.
    fileprivate func copy(of segment: Range<Int>) -> Tensor {
        let copy = Tensor(shape: [segment.count, width], type: type)
        copy.copy(from: rows(segment))
        return copy
    }
}

extension LLaVAConfiguration {
    /// What a reduction plan must know of this model.
    public var depth: ModelDepth {
        ModelDepth(visionLayers: visionLayersNeeded, languageLayers: text.layers, visualTokens: vision.patches)
    }
}
