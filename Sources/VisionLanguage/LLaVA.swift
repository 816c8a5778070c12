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

    /// Loads the checkpoint in `directory` with its weights in `weights`, or as it holds them; see ``ModelFolder``.
    public convenience init(
        directory: String, visionTower: String? = nil, weights: WeightFormat? = nil, backend: any Backend,
        progress: LayerProgress = LayerProgress()
    ) throws {
        try self.init(
            ModelFolder(directory: directory, visionTower: visionTower), weights: weights, backend: backend,
            progress: progress)
    }

    /// Loads the model of a folder; methods that weigh tokens by the question take CLIP's text tower from its `visionTower`,
    /// once the first one runs.
    ///
    /// Files stay mapped; a tensor's pages are dropped as soon as it is packed, so peak memory is the packed size plus
    /// one layer. Throws `notFinite`, with tensor and row, where a weight cannot be stored in the format.
    public convenience init(
        _ folder: ModelFolder, weights: WeightFormat? = nil, backend: any Backend,
        progress: LayerProgress = LayerProgress()
    ) throws {
        let formats = WeightFormats(weights)
        try self.init(
            configuration: folder.configuration, tower: folder.tower, decoder: folder.decoder, names: folder.names,
            visionPrefix: folder.towerPrefix,
            likeness: QuestionLikeness(
                directory: folder.directory, visionTower: folder.visionTower, vision: folder.configuration.vision,
                format: formats.tower, backend: backend, progress: progress),
            formats: formats, backend: backend, progress: progress)
    }

    /// A model of the given sizes with random weights made in memory, for measuring speed.
    public convenience init(
        random configuration: LLaVAConfiguration, seed: UInt64, weights format: WeightFormat? = nil,
        backend: any Backend
    ) throws {
        let weights = RandomWeights(seed: seed)
        let names = WeightNames.released, formats = WeightFormats(format)
        try self.init(
            configuration: configuration, tower: weights, decoder: weights, names: names,
            visionPrefix: names.vision ?? "",
            likeness: QuestionLikeness(
                directory: nil, visionTower: nil, vision: configuration.vision, format: formats.tower,
                backend: backend, progress: LayerProgress()),
            formats: formats, backend: backend, progress: LayerProgress())
    }

    private init(
        configuration c: LLaVAConfiguration, tower: any WeightSource, decoder: any WeightSource, names: WeightNames,
        visionPrefix: String, likeness: QuestionLikeness, formats: WeightFormats, backend: any Backend,
        progress: LayerProgress
    ) throws {
        configuration = c
        self.likeness = likeness
        self.backend = backend
        self.tower = try CLIPVision(
            c.vision, layersNeeded: c.visionLayersNeeded,
            weights: Weights(tower, prefix: visionPrefix, format: formats.tower, backend: backend), backend: backend,
            progress: progress)
        projector = try Projector(
            c, names: names.projector,
            weights: Weights(decoder, prefix: "", format: formats.projector, backend: backend), backend: backend)
        self.decoder = try Llama(
            c.text, weights: Weights(decoder, prefix: names.decoder, format: formats.decoder, backend: backend),
            down: formats.down,
            head: Weights(decoder, prefix: "", format: formats.head, backend: backend).linear(
                names.head, inputs: c.text.hidden, outputs: c.text.vocabulary, bias: false),
            backend: backend, progress: progress)
    }

    /// Bytes of the keys and values of one row in all decoder layers.
    public var cacheBytesPerRow: Int { configuration.text.cacheBytesPerRow(backend.activationType) }

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

    /// What several prompts about one picture begin with: everything up to the picture's last row, in all layers or, where
    /// the picture is reduced in the decoder, in those before the first that a reduction looks at.
    public struct Prefix {
        let sequence: DecoderSequence
        /// Bytes of keys and values, and of rows that wait for the rest of a prompt.
        public var bytes: Int { sequence.heldBytes }
        /// Operations of reading it.
        public var flops: Int { sequence.prefillFLOPs }
    }

    /// The beginning of a prompt that was read as one that others share.
    public func prefix(of sequence: DecoderSequence, _ picture: EncodedPicture) -> Prefix {
        let beginning = DecoderSequence(beginningOf: sequence, run: picture.run)
        beginning.prefillFLOPs = decoder.flops(of: beginning.work)
        return Prefix(sequence: beginning)
    }

    /// Reads prompts with their pictures, or from where a prefix ends; returns the sequences, ready for `decode`, and the
    /// logits after each, `(prompts, vocabulary)`. `room` is how many tokens each answer may have; `shares` says of which
    /// prompts the beginning will be asked for.
    public func prefill(
        _ prompts: [MultimodalPrompt], _ pictures: [EncodedPicture], prefixes: [Prefix?]? = nil,
        shares: [Bool]? = nil, room: [Int]
    ) throws -> (sequences: [DecoderSequence], logits: Tensor) {
        var inputs: [Tensor] = [], whole: [Tensor?] = [], sequences: [DecoderSequence] = []
        for (index, prompt) in prompts.enumerated() {
            let picture = pictures[index]
            let start = prompt.before.count + picture.features.rows
            let fresh = try sequence(
                start + prompt.after.count, prompt, picture, room: room[index],
                sharedRows: shares?[index] == true ? start : 0)
            func all() -> Tensor {
                RaggedRows(
                    stacking: [decoder.embed(prompt.before), picture.features, decoder.embed(prompt.after)]
                ).tensor
            }
            whole.append(picture.run.looksAtEntry(of: .languageModel) ? all() : nil)
            if let prefix = prefixes?[index], !prompt.after.isEmpty {
                inputs.append(decoder.embed(prompt.after))
                sequences.append(
                    DecoderSequence(
                        continuing: prefix.sequence, promptTokens: fresh.promptTokens, room: fresh.room))
            } else {
                inputs.append(whole[index] ?? all())
                sequences.append(fresh)
            }
        }
        let logits = try decoder.prefill(inputs, whole: whole, sequences)
        for sequence in sequences { try sequence.run.checkDelivered(after: .languageModel) }
        return (sequences, logits)
    }

    /// A sequence of which nothing has been read yet; refuses what the model cannot take.
    private func sequence(
        _ rows: Int, _ prompt: MultimodalPrompt, _ picture: EncodedPicture, room: Int, sharedRows: Int
    ) throws -> DecoderSequence {
        try check(prompt, rows: rows)
        // A class token that is handed on stands before the visual tokens.
        let end = prompt.before.count + picture.features.rows
        return DecoderSequence(
            promptTokens: rows, image: end - picture.run.positions.count..<end, run: picture.run,
            layers: configuration.text.layers, room: min(room, configuration.text.context - rows),
            sharedRows: sharedRows)
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
    func copy(of segment: Range<Int>) -> Tensor {
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
