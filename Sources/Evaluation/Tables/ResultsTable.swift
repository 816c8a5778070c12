import TokenReduction
import VisionLanguage

/// Our rows beside the published ones, for one model.
///
/// Costs of our rows are counted, so they are there without a measurement; scores are there only where they were
/// measured.
public struct ResultsTable: Sendable {
    /// One row.
    public struct Row: Sendable, Hashable {
        /// The method.
        public let method: String
        /// Where the numbers are from: `measured here`, or a paper and how it came by them.
        public let source: String
        /// The cost as published, or the visual tokens that are left.
        public let label: String
        /// Prefill by the convention of FiCoCo's tables at one length, 10¹² operations; ours only.
        public let conventionTera: Double?
        /// Operations that run before the first token of the answer, vision tower included, 10¹²; ours only.
        public let countedTera: Double?
        /// Scores by column.
        public let values: [BenchmarkColumn: Double]
        /// Mean score as a share of the same columns' mean without reduction, in per cent; nil without both.
        public let retention: Double?
        /// The 95 % interval of that over samples of pictures; ours only, where all of its scores were kept with their draws.
        public let retentionInterval: ClosedRange<Double>?
    }

    /// The model.
    public let size: ModelSize
    /// Published rows, table by table.
    public let published: [Row]
    /// Our rows.
    public let ours: [Row]

    /// The table for `size` with what was measured.
    public init(_ size: ModelSize, measured: [MeasuredScore]) throws {
        self.size = size
        let rows = PublishedResults.rows.filter { $0.model == size }
        published = rows.map { row in
            let baseline = rows.first { $0.source == row.source && $0.isBaseline }
            return Row(
                method: row.method + (row.isTrained ? " (trained)" : ""),
                source: "\(row.source), \(row.origin.rawValue)", label: row.label, conventionTera: nil,
                countedTera: nil,
                values: row.values,
                retention: baseline.flatMap { Self.retention(row.values, of: $0.values) },
                retentionInterval: nil)
        }
        guard let configuration = LLaVAConfiguration.named(size.configuration) else {
            preconditionFailure("both sizes have a configuration")
        }
        let own = measured.filter { $0.size == size.rawValue }
        var choices = MethodChoice.all.filter { $0.method != "none" }
        for label in Set(own.map(\.method)).sorted() where !choices.contains(where: { $0.label == label }) {
            if let choice = try? MethodChoice(parsing: label), choice.method != "none" { choices.append(choice) }
        }
        let budgets = Set(size.budgets + own.compactMap(\.keep)).sorted(by: >)
        let grid = GridCell.grid(choices, budgets: budgets, model: configuration.depth)
        let whole = Self.scores(own, of: .baseline), baseline = Self.values(whole)
        ours = try grid.cells.map { cell in
            let account = try CostAccount(
                plan: cell.plan(configuration.depth), model: configuration, textTokens: size.textTokens)
            let convention = account.published.first { $0.convention == .llmViewer }?.constantPrefill ?? 0
            let executed = account.executed
            let scores = Self.scores(own, of: cell), values = Self.values(scores)
            return Row(
                method: cell.choice.label, source: "measured here", label: cell.keep.map { "\($0) tokens" } ?? "all",
                conventionTera: convention / 1e12,
                countedTera: Double(executed.vision + executed.projector + executed.prefill) / 1e12, values: values,
                retention: Self.retention(values, of: baseline),
                retentionInterval: cell == .baseline
                    ? nil : Self.interval(scores, of: whole, over: Self.common(values, baseline)))
        }
    }

    /// Columns in which any row has a number.
    public var columns: [BenchmarkColumn] {
        BenchmarkColumn.allCases.filter { column in (published + ours).contains { $0.values[column] != nil } }
    }

    /// What was measured for a cell, by column.
    private static func scores(
        _ measured: [MeasuredScore], of cell: GridCell
    ) -> [BenchmarkColumn: MeasuredScore] {
        var scores: [BenchmarkColumn: MeasuredScore] = [:]
        for column in BenchmarkColumn.allCases {
            scores[column] = measured.first {
                $0.benchmark == column.measured?.benchmark && $0.method == cell.choice.label && $0.keep == cell.keep
            }
        }
        return scores
    }

    private static func values(_ scores: [BenchmarkColumn: MeasuredScore]) -> [BenchmarkColumn: Double] {
        var values: [BenchmarkColumn: Double] = [:]
        for (column, own) in scores { values[column] = column.measured.flatMap { own.scores[$0.score] } }
        return values
    }

    /// The columns that count for retention, of those that both have: MME's points would outweigh per cent and are left out,
    /// and ScienceQA counts once.
    private static func common(
        _ own: [BenchmarkColumn: Double], _ baseline: [BenchmarkColumn: Double]
    ) -> [BenchmarkColumn] {
        BenchmarkColumn.allCases.filter {
            $0 != .mmePerception && $0 != .sqaTotal && own[$0] != nil && baseline[$0] != nil
        }
    }

    /// The interval of the retention over `columns`; nil unless all of them have draws. Each column's score is its benchmark's
    /// headline, which the draws are of.
    private static func interval(
        _ own: [BenchmarkColumn: MeasuredScore], of baseline: [BenchmarkColumn: MeasuredScore],
        over columns: [BenchmarkColumn]
    ) -> ClosedRange<Double>? {
        let (mine, whole) = (columns.compactMap { own[$0]?.draws }, columns.compactMap { baseline[$0]?.draws })
        return mine.count == columns.count ? ScoreDraws.retention(mine, of: whole) : nil
    }

    /// Over the columns that both have.
    ///
    /// FiCoCo's own column divides a mean of five benchmarks by one of six in two rows of 13B; this does not.
    static func retention(_ values: [BenchmarkColumn: Double], of baseline: [BenchmarkColumn: Double]) -> Double? {
        let common = common(values, baseline)
        let whole = common.reduce(0) { $0 + (baseline[$1] ?? 0) }
        return whole > 0 ? 100 * common.reduce(0) { $0 + (values[$1] ?? 0) } / whole : nil
    }
}
