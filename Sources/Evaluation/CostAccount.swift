public import TokenReduction
public import VisionLanguage

/// What one picture and one prompt cost under a plan, by every way of counting.
public struct CostAccount: Sendable {
    /// What a published convention says.
    public struct Published: Sendable, Hashable {
        /// The convention.
        public let convention: PublishedConvention
        /// Reading the prompt, each layer at the rows that it works on.
        public let prefill: Double
        /// Reading the prompt as tables label it: every layer at the rows left at the end.
        public let constantPrefill: Double
        /// The vision tower's cost, if the convention counts it.
        public let tower: Double?
    }

    /// The reduction.
    public let plan: ReductionPlan
    /// The model.
    public let model: LLaVAConfiguration
    /// Tokens of the prompt beside the picture.
    public let textTokens: Int
    /// Rows of every part.
    public let rows: RowCounts
    /// What our own implementation runs.
    public let executed: ExecutedOperations
    /// What the published conventions say, in the order of their list.
    public let published: [Published]

    /// Counts for `plan` in `model` when the prompt has `textTokens` tokens beside the picture.
    ///
    /// - Parameter picture: How the picture lies on its tiles; nil for a model that takes every picture as one tile.
    public init(
        plan: ReductionPlan, model: LLaVAConfiguration, textTokens: Int, picture: PictureTiling? = nil
    ) throws(EvaluationError) {
        self.plan = plan
        self.model = model
        self.textTokens = textTokens
        let rows = try RowCounts(plan: plan, model: model, textTokens: textTokens, picture: picture)
        self.rows = rows
        executed = try ExecutedOperations(rows, model: model)
        published = PublishedConvention.allCases.map { convention in
            Published(
                convention: convention, prefill: convention.prefill(rows.decoder, of: model.text),
                constantPrefill: convention.prefill(rows.constantDecoder, of: model.text),
                tower: convention.tower(rows.tower, of: model.vision).map { $0 * Double(rows.tiles) })
        }
    }

    /// Bytes of keys and values after the prompt; with `constant`, as tables label it, every layer at the rows left at
    /// the end.
    public func cacheBytes(bitsPerNumber: Int = 16, constant: Bool = false) -> Int {
        model.text.cacheBytes(constant ? rows.constantDecoder : rows.decoder, bitsPerNumber: bitsPerNumber)
    }
}
