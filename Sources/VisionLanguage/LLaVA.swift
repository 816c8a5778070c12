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

    /// One tile of a picture after tower and projector; LLaVA-1.5 takes every picture as one tile.
    public struct EncodedTile: Sendable {
        /// `(visual tokens, decoder width)`, what enters the decoder, in the residual type.
        public let features: Tensor
        /// `(visual tokens, tower width)`, what entered the projector; nil where nobody asked for it.
        public let towerFeatures: Tensor?
        /// The reduction so far; the decoder goes on with what is left.
        public let reduction: TileReduction
        /// Operations of the tower; of CLIP's text tower, too, where the reduction reads the question.
        public let towerFLOPs: Int
        /// Operations of the projector.
        public let projectorFLOPs: Int
        /// All operations.
        public var flops: Int { towerFLOPs + projectorFLOPs }
    }

    /// What is to be encoded of one tile.
    public struct TileRequest: Sendable {
        /// `(patches, 3·patch²)`.
        public let patches: Tensor
        /// How it is reduced.
        public let plan: ReductionPlan
        /// What the user asks, for plans that read it.
        public let question: String?
        /// Whether the rows that enter the projector come out as well.
        public let keepsTower: Bool

        /// A tile and how it is reduced.
        public init(patches: Tensor, plan: ReductionPlan, question: String? = nil, keepsTower: Bool = false) {
            self.patches = patches
            self.plan = plan
            self.question = question
            self.keepsTower = keepsTower
        }
    }

    /// Encodes tiles and reduces them as their plans say.
    public func encode(_ tiles: [TileRequest]) throws -> [EncodedTile] {
        let side = configuration.vision.side
        var reductions = try tiles.map { try TileReduction(plan: $0.plan, grid: PatchGrid(rows: side, columns: side)) }
        var flops = tiles.map { _ in 0 }
        var rows = try tower.encode(tiles.map(\.patches), reductions: &reductions, flops: &flops)
        for reduction in reductions { try reduction.checkDelivered(after: .visionEncoder) }
        if !configuration.keepsClassToken {
            rows.keep(rows.segments.map { Array(1..<$0.count) }, backend: backend)
        }
        let entered = rows.segments.map(\.count)
        let towerFeatures = zip(rows.segments, tiles).map { $1.keepsTower ? rows.tensor.copy(of: $0) : nil }
        let first = configuration.keepsClassToken ? 1 : 0
        let evidence = try likeness.evidence(
            rows, from: first, questions: tiles.map(\.question), reductions: reductions, flops: &flops)
        var projected = RaggedRows(projector.project(rows.tensor), lengths: entered)
        let layouts = entered.map { rows in
            TokenLayout(rows: rows, visual: [first..<rows], classToken: first == 1 ? 0 : nil)
        }
        _ = try projected.reduce(
            &reductions, .projector, layer: 0, at: .afterLayer, evidence: evidence, layouts: layouts, backend: backend)
        return projected.segments.enumerated().map { index, segment in
            EncodedTile(
                features: projected.tensor.copy(of: segment), towerFeatures: towerFeatures[index],
                reduction: reductions[index], towerFLOPs: flops[index],
                projectorFLOPs: projector.flops(rows: entered[index]))
        }
    }

    /// A prompt with what tower and projector made of its pictures.
    public struct DecoderInput: Sendable {
        /// Text, and the places of pictures.
        public let prompt: MultimodalPrompt
        /// One for each picture.
        public let tiles: [EncodedTile]
        /// How the pictures are reduced.
        public let plan: ReductionPlan

        /// A prompt of as many pictures as there are tiles.
        public init(_ prompt: MultimodalPrompt, _ tiles: [EncodedTile], plan: ReductionPlan) {
            precondition(prompt.pictures == tiles.count, "a prompt and its pictures come together")
            self.prompt = prompt
            self.tiles = tiles
            self.plan = plan
        }

        /// Rows of the whole prompt.
        public var rows: Int { prompt.text.count + tiles.reduce(0) { $0 + $1.features.rows } }
        /// Rows up to the last picture's last; all of them where there is no picture.
        public var beginning: Int { rows - prompt.after.count }

        /// What each row is. A class token that is handed on stands before its picture's visual tokens, and counts as text.
        var layout: TokenLayout {
            var visual: [Range<Int>] = [], row = 0
            for part in prompt.parts {
                switch part {
                case .text(let ids): row += ids.count
                case .picture(let picture):
                    let tile = tiles[picture]
                    row += tile.features.rows
                    visual.append(row - tile.reduction.positions.count..<row)
                }
            }
            return TokenLayout(rows: row, visual: visual)
        }
    }

    /// What several prompts begin with: everything up to the last picture's last row, in all layers or, where pictures are
    /// reduced in the decoder, in those before the first that a reduction looks at.
    public struct Prefix {
        let beginning: DecoderSequence.Prefix
        /// Operations of reading it.
        public let flops: Int
        /// Bytes of keys and values, and of rows that wait for the rest of a prompt.
        public var bytes: Int { beginning.bytes }
    }

    /// The beginning of a prompt that was read as one that others share.
    public func prefix(of sequence: DecoderSequence) -> Prefix {
        let beginning = DecoderSequence.Prefix(of: sequence)
        return Prefix(beginning: beginning, flops: decoder.flops(of: beginning.work))
    }

    /// Reads prompts with their pictures, or from where a prefix ends; returns the sequences, ready for `decode`, and the
    /// logits after each, `(prompts, vocabulary)`. `room` is how many tokens each answer may have; `shares` says of which
    /// prompts the beginning will be asked for.
    public func prefill(
        _ inputs: [DecoderInput], prefixes: [Prefix?]? = nil, shares: [Bool]? = nil, room: [Int]
    ) throws -> (sequences: [DecoderSequence], logits: Tensor) {
        var unread: [Tensor] = [], whole: [Tensor?] = [], sequences: [DecoderSequence] = []
        for (index, input) in inputs.enumerated() {
            try check(input)
            let prefix = input.prompt.after.isEmpty ? nil : prefixes?[index]?.beginning
            let reduction = try SequenceReduction(input.tiles.map(\.reduction), plan: input.plan)
            let all = reduction.looksAtEntry ? rows(input.prompt.parts[...], input.tiles) : nil
            whole.append(all)
            unread.append(
                prefix == nil
                    ? all ?? rows(input.prompt.parts[...], input.tiles) : decoder.embed(input.prompt.after))
            sequences.append(
                DecoderSequence(
                    input.layout, reduction, layers: configuration.text.layers,
                    room: min(room[index], configuration.text.context - input.rows), continuing: prefix,
                    sharedRows: shares?[index] == true ? input.beginning : 0))
        }
        let logits = try decoder.prefill(unread, whole: whole, sequences)
        for sequence in sequences { try sequence.reduction.checkDelivered() }
        return (sequences, logits)
    }

    /// `(visual tokens, decoder width)`, what enters the decoder for all pictures of a prompt.
    public func features(of tiles: [EncodedTile]) -> Tensor {
        guard !tiles.isEmpty else {
            return Tensor(shape: [0, configuration.text.hidden], type: backend.residualType)
        }
        return RaggedRows(stacking: tiles.map(\.features)).tensor
    }

    /// `(visual tokens, tower width)`, what entered the projector for all pictures of a prompt; nil where nobody asked for it.
    public func towerFeatures(of tiles: [EncodedTile]) -> Tensor? {
        let rows = tiles.compactMap(\.towerFeatures)
        return rows.isEmpty ? nil : RaggedRows(stacking: rows).tensor
    }

    /// `(rows, decoder width)` of some parts of a prompt.
    private func rows(_ parts: ArraySlice<PromptPart>, _ tiles: [EncodedTile]) -> Tensor {
        RaggedRows(
            stacking: parts.map { part in
                switch part {
                case .text(let ids): decoder.embed(ids)
                case .picture(let picture): tiles[picture].features
                }
            }
        ).tensor
    }

    /// Adds one token to each sequence; returns the logits after it, `(sequences, vocabulary)`.
    public func decode(_ ids: [Int], _ sequences: [DecoderSequence]) throws -> Tensor {
        try decoder.decode(ids, sequences)
    }

    /// Refuses what the model cannot take.
    private func check(_ input: DecoderInput) throws(ModelError) {
        let vocabulary = configuration.text.vocabulary
        guard input.prompt.text.allSatisfy({ (0..<vocabulary).contains($0) }) else {
            throw ModelError(
                .vocabularyMismatch,
                "the prompt holds token ids that the model does not embed (it has \(vocabulary)); "
                    + "take tokenizer and weights from one checkpoint")
        }
        let context = configuration.text.context
        guard input.rows < context else {
            let (whose, less) =
                switch input.tiles.count {
                case 0: ("", "")
                case 1: (" with its picture", " or keep fewer visual tokens")
                default: (" with its pictures", ", keep fewer visual tokens or give fewer pictures")
                }
            throw ModelError(
                .promptTooLong,
                "the prompt has \(input.rows) tokens\(whose), the model takes \(context) with the answer; "
                    + "shorten the prompt\(less)")
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
