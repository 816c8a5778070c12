internal import JobVocabulary
public import Tensors
public import TokenReduction

/// LLaVA-1.5 and LLaVA-NeXT (Liu et al. 2024) in the order of the forward pass: tower, projector, decoder.
///
/// One instance belongs to one thread; every method takes many jobs at once as ragged rows.
public final class LLaVA: VisionLanguageModel {
    /// The model's sizes.
    public let configuration: LLaVAConfiguration
    /// Where its arithmetic happens.
    public let backend: any Backend
    private let tower: CLIPVision
    private let projector: Projector
    private let likeness: QuestionLikeness
    private let decoder: Llama
    /// `(1, decoder width)`, the row behind each line of a picture, in the residual type; nil if pictures have no lines.
    private let newline: Tensor?

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
        newline = try c.anyResolution.map { _ in
            let row = try Weights(decoder, prefix: "", backend: backend).tensor(names.newline, [c.text.hidden])
            return backend.convert(row.reshaped([1, c.text.hidden]), to: backend.residualType)
        }
        self.decoder = try Llama(
            c.text, weights: Weights(decoder, prefix: names.decoder, format: formats.decoder, backend: backend),
            down: formats.down,
            head: Weights(decoder, prefix: "", format: formats.head, backend: backend).linear(
                names.head, inputs: c.text.hidden, outputs: c.text.vocabulary, bias: false),
            backend: backend, progress: progress)
    }

    /// Encodes tiles and reduces them as their plans say.
    public func encode(_ tiles: [TileRequest]) throws -> [EncodedTile] {
        let side = configuration.vision.side
        var reductions = try tiles.map { try TileReduction(plan: $0.plan, grid: PatchGrid(rows: side, columns: side)) }
        var (rows, towerFLOPs) = try tower.encode(tiles.map(\.patches), reductions: &reductions)
        for reduction in reductions { try reduction.checkDelivered(after: .visionEncoder) }
        if !configuration.keepsClassToken {
            rows.keep(rows.segments.map { Array(1..<$0.count) }, backend: backend)
        }
        let entered = rows.segments.map(\.count)
        let towerFeatures = zip(rows.segments, tiles).map { $1.keepsTower ? rows.tensor.copy(of: $0) : nil }
        let first = configuration.keepsClassToken ? 1 : 0
        let likenesses = try likeness.likenesses(
            rows, from: first, questions: tiles.map(\.question), reductions: reductions)
        var projected = RaggedRows(projector.project(rows.tensor), lengths: entered)
        let layouts = entered.map { rows in
            TokenLayout(rows: rows, visual: [first..<rows], classToken: first == 1 ? 0 : nil)
        }
        _ = try projected.reduce(
            &reductions, .projector, layer: 0, at: .afterLayer, evidence: likenesses.map(\.evidence),
            layouts: layouts, backend: backend)
        return projected.segments.enumerated().map { index, segment in
            EncodedTile(
                features: projected.tensor.copy(of: segment), towerFeatures: towerFeatures[index],
                reduction: reductions[index], towerFLOPs: towerFLOPs[index] + likenesses[index].flops,
                questionFLOPs: likenesses[index].questionFLOPs, projectorFLOPs: projector.flops(rows: entered[index]))
        }
    }

    /// The beginning of a prompt that was read as one that others share.
    public func prefix(of sequence: DecoderSequence) -> PromptPrefix {
        let beginning = DecoderSequence.Prefix(of: sequence)
        return PromptPrefix(beginning: beginning, flops: decoder.flops(of: beginning.work))
    }

    /// Bytes of the keys and values of one row in all decoder layers.
    public var cacheBytesPerRow: Int { configuration.text.cacheBytesPerRow(decoder.keyValueType) }

    /// What ``PromptPrefix/bytes`` of a prompt's beginning would be.
    public func prefixBytes(of input: DecoderInput) -> Int {
        let layers = configuration.text.layers, undisturbed = input.plan.undisturbedLayers(of: .languageModel)
        let waiting = undisturbed < layers ? configuration.text.hidden * backend.residualType.size : 0
        return input.beginning * (cacheBytesPerRow / layers * undisturbed + waiting)
    }

    /// A prompt with its pictures, of which nothing has been read, or what `prefix` holds. `room` is how many tokens the answer may
    /// have; `isShared` says whether the beginning will be asked for.
    public func open(
        _ input: DecoderInput, prefix: PromptPrefix?, isShared: Bool, room: Int
    ) throws -> UnreadPrompt {
        try check(input)
        let prefix = input.prompt.after.isEmpty ? nil : prefix?.beginning
        let reduction = try SequenceReduction(
            input.tiles.map(\.reduction), plan: input.plan, entering: input.entering)
        let whole = reduction.looksAtEntry ? rows(of: input) : nil
        return UnreadPrompt(
            sequence: DecoderSequence(
                input.layout, reduction, layers: configuration.text.layers,
                room: min(room, configuration.text.context - input.rows), continuing: prefix,
                sharedRows: isShared ? input.beginning : 0),
            tensor: prefix == nil ? whole ?? rows(of: input) : decoder.embed(input.prompt.after), whole: whole)
    }

    /// Reads the first `count` of the rows of a prompt that are left, and not the last of them.
    public func readOn(_ count: Int, of prompt: inout UnreadPrompt) throws {
        precondition(prompt.isDivisible && count > 0 && count < prompt.rows, "some rows are read, and some are left")
        try decoder.readOn(prompt.tensor.rows(0..<count), prompt.sequence)
        prompt.tensor = prompt.tensor.rows(count..<prompt.rows)
    }

    /// Reads prompts to their ends; returns the sequences, ready for `decode`, and the logits after each,
    /// `(prompts, vocabulary)`.
    public func finish(_ prompts: [UnreadPrompt]) throws -> (sequences: [DecoderSequence], logits: Tensor) {
        let sequences = prompts.map(\.sequence)
        let logits = try decoder.prefill(prompts.map(\.tensor), whole: prompts.map(\.whole), sequences)
        for sequence in sequences { try sequence.reduction.checkDelivered() }
        return (sequences, logits)
    }

    /// `(visual tokens, decoder width)`, what enters the decoder for all pictures of a prompt, without newlines: in the order of
    /// the sequence, or by the tokens' numbers (`byNumber`), as results store them if the decoder reduces further.
    public func features(of input: DecoderInput, byNumber: Bool) -> Tensor {
        guard !input.pictures.isEmpty else {
            return Tensor(shape: [0, configuration.text.hidden], type: backend.residualType)
        }
        return RaggedRows(
            stacking: input.pictures.map { entering(stacked($0.tiles), of: $0, in: input, byNumber: byNumber) }
        ).tensor
    }

    /// `(visual tokens, tower width)`, what entered the projector for the same tokens in the same order; nil if nobody asked
    /// for it.
    public func towerFeatures(of input: DecoderInput, byNumber: Bool) -> Tensor? {
        let rows = input.pictures.compactMap { picture -> Tensor? in
            let tiles = picture.tiles.compactMap(\.towerFeatures)
            return tiles.isEmpty
                ? nil : entering(RaggedRows(stacking: tiles).tensor, of: picture, in: input, byNumber: byNumber)
        }
        return rows.isEmpty ? nil : RaggedRows(stacking: rows).tensor
    }

    /// Of the rows of a picture's tokens, tile after tile, those whose tokens enter the language model.
    private func entering(
        _ tokens: Tensor, of picture: EncodedPicture, in input: DecoderInput, byNumber: Bool
    ) -> Tensor {
        guard input.isArranged(picture) else { return tokens }
        let entering = picture.tiling.tokens
        return rows(byNumber ? entering.sorted() : entering, of: tokens)
    }

    /// `(rows, decoder width)` of a prompt.
    private func rows(of input: DecoderInput) -> Tensor {
        RaggedRows(
            stacking: input.prompt.parts.map { part in
                switch part {
                case .text(let ids): decoder.embed(ids)
                case .picture(let number): rows(of: input.pictures[number], in: input)
                }
            }
        ).tensor
    }

    /// `(rows, decoder width)` of a picture, with the newlines behind its lines if it has any.
    private func rows(of picture: EncodedPicture, in input: DecoderInput) -> Tensor {
        let tokens = stacked(picture.tiles)
        guard input.isArranged(picture), let newline else { return tokens }
        let all = RaggedRows(stacking: [tokens, newline]).tensor
        return rows(
            picture.tiling.sequence.map { row in
                switch row {
                case .token(let token): token
                case .newline: tokens.rows
                }
            }, of: all)
    }

    /// `(rows, decoder width)` of tiles, one after another.
    private func stacked(_ tiles: [EncodedTile]) -> Tensor {
        tiles.count == 1 ? tiles[0].features : RaggedRows(stacking: tiles.map(\.features)).tensor
    }

    private func rows(_ rows: [Int], of tensor: Tensor) -> Tensor {
        backend.gather(tensor, rows: rows, as: tensor.type)
    }

    /// Adds one token to each sequence; returns the logits after it, `(sequences, vocabulary)`.
    public func decode(_ ids: [Int], _ sequences: [DecoderSequence]) throws -> Tensor {
        try decoder.decode(ids, sequences)
    }

    /// Refuses what the model cannot take.
    private func check(_ input: DecoderInput) throws(ModelError) {
        try check(input.prompt, rows: input.rows)
    }

    /// Refuses a prompt that the model cannot take, before its pictures have been encoded; how many tokens of a picture stay
    /// may be for the picture to settle, which only `prefill` sees.
    public func check(
        _ prompt: MultimodalPrompt, _ pictures: [PictureTiling], plan: ReductionPlan
    ) throws(ModelError) {
        let tokens = pictures.reduce(0) { $0 + $1.tiles } * configuration.vision.patches
        guard tokens <= PatchGrid.mostTokens else {
            throw ModelError(
                .promptTooLong,
                "the pictures of the prompt have \(tokens) visual tokens before any reduction, and a job's record tells "
                    + "\(PatchGrid.mostTokens) apart; give it fewer pictures")
        }
        try check(
            prompt,
            rows: pictures.reduce(prompt.text.count) { $0 + configuration.leastRows(of: $1, under: plan) },
            isLeast: plan.isOpen && pictures.contains { !$0.isArranged(under: plan) })
    }

    private func check(_ prompt: MultimodalPrompt, rows: Int, isLeast: Bool = false) throws(ModelError) {
        let vocabulary = configuration.text.vocabulary
        guard prompt.text.allSatisfy({ (0..<vocabulary).contains($0) }) else {
            throw ModelError(
                .vocabularyMismatch,
                "the prompt holds token ids that the model does not embed (it has \(vocabulary)); "
                    + "take tokenizer and weights from one checkpoint")
        }
        let context = configuration.text.context
        guard rows < context else {
            let (whose, less) =
                switch prompt.pictures {
                case 0: ("", "")
                case 1: (" with its picture", " or keep fewer visual tokens")
                default: (" with its pictures", ", keep fewer visual tokens or give fewer pictures")
                }
            throw ModelError(
                .promptTooLong,
                "the prompt has \(isLeast ? "at least " : "")\(rows) tokens\(whose), the model takes \(context) with the answer; "
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

    /// Rows of the language model for a picture before any reduction, newlines included.
    public func rows(of picture: PictureTiling) -> Int {
        picture.sequenceLength + (keepsClassToken ? picture.tiles : 0)
    }

    /// Rows of the language model for a picture under `plan`, newlines included: at most so many where the picture settles
    /// itself what stays.
    public func rows(of picture: PictureTiling, under plan: ReductionPlan) -> Int {
        picture.isArranged(under: plan)
            ? rows(of: picture) : picture.tiles * (plan.delivered + (keepsClassToken ? 1 : 0))
    }

    /// Rows of the language model for a picture under `plan`, newlines included: at least so many, one a tile, where the
    /// picture settles itself what stays.
    func leastRows(of picture: PictureTiling, under plan: ReductionPlan) -> Int {
        plan.isOpen && !picture.isArranged(under: plan)
            ? picture.tiles * (1 + (keepsClassToken ? 1 : 0)) : rows(of: picture, under: plan)
    }
}
