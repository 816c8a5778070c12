internal import JobVocabulary
public import TokenReduction
public import VisionLanguage

/// How many rows one layer works on.
public struct LayerRows: Sendable, Hashable {
    /// Rows whose queries, keys and values are computed: more than attention sees where a reduction looked ahead to this
    /// layer before it gave tokens up.
    public let projected: Int
    /// Rows that its attention sees; in the language model, also the rows whose keys and values are kept.
    public let attention: Int
    /// Rows that its MLP sees: fewer where the reduction happens between the two.
    public let feedForward: Int

    /// A layer with these rows.
    public init(attention: Int, feedForward: Int, projected: Int? = nil) {
        self.projected = projected ?? attention
        self.attention = attention
        self.feedForward = feedForward
    }

    /// `layers` layers that all work on the same rows.
    public static func constant(_ rows: Int, layers: Int) -> [LayerRows] {
        [LayerRows](repeating: LayerRows(attention: rows, feedForward: rows), count: layers)
    }
}

/// How many rows every part of a model works on for one picture and one prompt: what all costs are counted over.
public struct RowCounts: Sendable, Hashable {
    /// Tiles of the picture, each of which goes through tower and projector on its own.
    public let tiles: Int
    /// Rows that end a line of the picture in the language model.
    public let newlines: Int
    /// Visual tokens of all tiles before any reduction.
    public let visualTokens: Int
    /// Visual tokens that enter the language model.
    public let delivered: Int
    /// Visual tokens that are left at the end of the language model.
    public let kept: Int
    /// The layers of the vision tower that run, for each tile; patches and the class token.
    public let tower: [LayerRows]
    /// Rows of each tile for which a reduction asks the layer behind the last one that runs for queries and keys.
    public let beyondTower: Int
    /// Rows of each tile that the projector reads.
    public let projector: Int
    /// The layers of the language model while it reads the prompt; visual tokens, newlines and text.
    public let decoder: [LayerRows]
    /// Rows that are left behind the last layer of the language model.
    public let left: Int

    /// The rows of `plan` in `model` when the prompt has `textTokens` tokens beside the picture.
    ///
    /// - Parameter picture: How the picture lies on its tiles; nil for a model that takes every picture as one tile.
    public init(
        plan: ReductionPlan, model: LLaVAConfiguration, textTokens: Int, picture: PictureTiling? = nil
    ) throws(EvaluationError) {
        guard plan.model == model.depth else {
            throw EvaluationError(.mismatch, "the plan is for a model of other depth: plan for this one")
        }
        guard picture != nil || model.anyResolution == nil else {
            throw EvaluationError(
                .mismatch,
                "the cost of a picture in LLaVA-NeXT depends on its size, because it is split into tiles: give the size"
            )
        }
        let picture = picture ?? PictureTiling(side: model.vision.side)
        let isArranged = picture.isArranged(under: plan)
        let sequence: ReductionPlan
        do {
            sequence = try plan.joined(
                tiles: picture.tiles,
                leavingOut: isArranged ? picture.tiles * plan.model.visualTokens - picture.tokens.count : 0)
        } catch {
            throw EvaluationError(.mismatch, error.message)
        }
        // Some models hand the class token on as one more row that is never reduced.
        let classToken = model.keepsClassToken ? 1 : 0
        newlines = isArranged ? picture.rows.count : 0
        let others = classToken * picture.tiles + newlines
        let visual = sequence.delivered + others
        let context = model.text.context
        guard textTokens >= 0, textTokens < context - visual else {
            throw EvaluationError(
                .badLength,
                "\(visual) visual tokens and \(textTokens) of text cannot be read: the model takes fewer than \(context) "
                    + "together")
        }
        let beside = others + textTokens
        tiles = picture.tiles
        visualTokens = sequence.model.visualTokens
        delivered = sequence.delivered
        kept = sequence.tokens(entering: model.text.layers, of: .languageModel)
        tower = plan.rows(in: .visionEncoder, beside: 1)
        let last = tower.count - 1
        beyondTower = plan.looksAhead(in: .visionEncoder, layer: last) ? tower[last].feedForward : 0
        projector = plan.tokens(entering: 0, of: .projector) + classToken
        decoder = sequence.rows(in: .languageModel, beside: beside)
        left = kept + beside
    }

    /// The layers of the language model as if all of them worked on the rows that are left at its end, which is how
    /// published tables label methods that reduce inside it.
    public var constantDecoder: [LayerRows] { LayerRows.constant(left, layers: decoder.count) }
}

extension ReductionPlan {
    /// The layers of `place`, whose sequences hold `others` rows that are not visual tokens.
    fileprivate func rows(in place: ReductionPlace, beside others: Int) -> [LayerRows] {
        var entering = tokens(entering: 0, of: place) + others, projected = entering
        let beforeMLP = method.stages(in: place)?.schedule.moment == .afterAttention
        return removals(in: place).enumerated().map { layer, removal in
            defer {
                let left = entering - removal, isAhead = looksAhead(in: place, layer: layer)
                // What was projected ahead is of no use for rows that have taken something in since.
                projected = isAhead ? entering + (removal > 0 && merges(in: place) ? left : 0) : left
                entering = left
            }
            return LayerRows(
                attention: entering, feedForward: beforeMLP ? entering - removal : entering, projected: projected)
        }
    }

    /// Whether a reduction behind layer `layer` looks at the next one.
    fileprivate func looksAhead(in place: ReductionPlace, layer: Int) -> Bool {
        method.stages(in: place)?.needs.looksAhead == true && reduces(in: place, layer: layer)
    }
}
