import Foundation
import JobModel

/// A grid's cells in numbers, each against the one that reduces nothing.
public struct GridSummary: Sendable, Codable {
    /// A number with its interval.
    public struct Interval: Sendable, Codable, Hashable {
        /// The number.
        public let value: Double
        /// Where the interval begins.
        public let low: Double
        /// Where it ends.
        public let high: Double

        init(_ bootstrap: PairedBootstrap, times factor: Double) {
            (value, low, high) = (bootstrap.mean * factor, bootstrap.low * factor, bootstrap.high * factor)
        }
    }

    /// One cell.
    public struct Cell: Sendable, Codable {
        /// The method with its options.
        public let method: String
        /// Visual tokens to keep; nil where nothing is reduced.
        public let keep: Int?
        /// Questions asked.
        public let questions: Int
        /// Questions that ended with an error.
        public let failed: Int
        /// Share of right answers in per cent, or the benchmark's own number; nil where it is not scored here.
        public let score: Double?
        /// The score minus the baseline's, with a 95 % interval over pictures.
        public let difference: Interval?
        /// Share of right answers by kind of question, in per cent.
        public let kinds: [String: Double]
        /// Visual tokens that entered the decoder, on average.
        public let delivered: Double
        /// Visual tokens left at the end, on average.
        public let left: Double
        /// Operations of one question, on average.
        public let flops: Double
        /// Of those, the ones before the first token of the answer.
        public let flopsToFirstToken: Double
        /// Operations as a share of the baseline's.
        public let flopsShare: Double
        /// Seconds in the model of one question, on average over all answers, whatever they were made with.
        public let seconds: Double
        /// How many times as fast as the baseline: median over groups of questions that both answered in turn, with equal
        /// threads and capacity; questions that failed in either do not count. Nil where nothing can be compared.
        ///
        /// It depends on the questions per picture: the tower and the prompt up to the picture's end run once for all of
        /// them, in both cells, so that the more there are, the less a saving there shows.
        public let speedUp: Double?
        /// The first and third quartile of that.
        public let speedUpQuartiles: [Double]
    }

    /// A method over several budgets.
    public struct Average: Sendable, Codable {
        /// The method with its options.
        public let method: String
        /// The mean score.
        public let score: Double
        /// The mean score minus the baseline's.
        public let difference: Interval
    }

    /// What the score is.
    public let measure: String
    /// The cells, the baseline first.
    public let cells: [Cell]
    /// Methods over the budgets that `averagedBudgets` names.
    public let averages: [Average]
    /// The budgets of `averages`.
    public let averagedBudgets: [Int]

    /// Sums up the answers of a grid, whose first cell is the baseline. `contributions` holds what each question
    /// contributes to the score of each cell, where the score is a mean of those; `scores` the scores.
    public init(
        _ answers: [CellAnswers], measure: String, scores: [Double?], contributions: [[Double]?],
        averagedBudgets: [Int] = [192, 128, 64]
    ) {
        precondition(
            answers.first?.cell == .baseline && scores.count == answers.count, "the first cell reduces nothing")
        self.measure = measure
        let items = answers[0].items, clusters = items.map(\.image)
        let baseline = Totals(answers[0])
        cells = answers.indices.map { index in
            let own = Totals(answers[index])
            var difference: Interval?
            if index > 0, let mine = contributions[index], let theirs = contributions[0] {
                difference = Interval(PairedBootstrap(zip(mine, theirs).map(-), clusters: clusters), times: 100)
            }
            let speed = Self.speedUps(answers[index], answers[0])
            return Cell(
                method: answers[index].cell.choice.label, keep: answers[index].cell.keep, questions: items.count,
                failed: answers[index].failed, score: scores[index], difference: difference,
                kinds: Self.kinds(items, contributions[index]), delivered: own.delivered, left: own.left,
                flops: own.flops, flopsToFirstToken: own.prefillFLOPs, flopsShare: own.flops / baseline.flops,
                seconds: own.seconds, speedUp: speed?.median,
                speedUpQuartiles: speed.map { [$0.first, $0.third] } ?? [])
        }
        self.averagedBudgets = averagedBudgets
        averages = Self.averages(answers, contributions, clusters, averagedBudgets)
    }

    private struct Totals {
        let delivered, left, flops, prefillFLOPs, seconds: Double

        init(_ answers: CellAnswers) {
            let rows = answers.rows.compactMap(\.self).filter { $0.error == nil }
            let count = Double(max(rows.count, 1))
            delivered = rows.reduce(0) { $0 + Double($1.delivered) } / count
            left = rows.reduce(0) { $0 + Double($1.left) } / count
            flops = rows.reduce(0) { $0 + Double($1.flops) } / count
            prefillFLOPs = rows.reduce(0) { $0 + Double($1.prefillFLOPs) } / count
            seconds = rows.reduce(0) { $0 + $1.seconds } / count
        }
    }

    private static func kinds(_ items: [Item], _ contributions: [Double]?) -> [String: Double] {
        guard let contributions else { return [:] }
        var values: [String: [Double]] = [:]
        for (item, value) in zip(items, contributions) {
            if let kind = item.labels["kind"] ?? item.labels["category"] { values[kind, default: []].append(value) }
        }
        return values.mapValues { 100 * $0.reduce(0, +) / Double($0.count) }
    }

    private static func speedUps(
        _ cell: CellAnswers, _ baseline: CellAnswers
    ) -> (median: Double, first: Double, third: Double)? {
        let size = GridRunner.questionsAtOnce
        var ratios = stride(from: 0, to: cell.rows.count, by: size).compactMap { start -> Double? in
            var mine = 0.0, theirs = 0.0
            for place in start..<min(start + size, cell.rows.count) {
                guard let own = cell.rows[place], let other = baseline.rows[place], own.isTimed(like: other) else {
                    continue
                }
                mine += own.seconds
                theirs += other.seconds
            }
            return mine > 0 ? theirs / mine : nil
        }
        guard !ratios.isEmpty else { return nil }
        ratios.sort()
        func quantile(_ share: Double) -> Double { ratios[Int((share * Double(ratios.count - 1)).rounded())] }
        return (quantile(0.5), quantile(0.25), quantile(0.75))
    }

    private static func averages(
        _ answers: [CellAnswers], _ contributions: [[Double]?], _ clusters: [String], _ budgets: [Int]
    ) -> [Average] {
        guard let baseline = contributions[0], !budgets.isEmpty else { return [] }
        var labels: [String] = []
        for answers in answers.dropFirst() where !labels.contains(answers.cell.choice.label) {
            labels.append(answers.cell.choice.label)
        }
        return labels.compactMap { label in
            let own = answers.indices.filter { index in
                answers[index].cell.choice.label == label && answers[index].cell.keep.map(budgets.contains) ?? false
            }
            let values = own.compactMap { contributions[$0] }
            guard own.count == budgets.count, values.count == own.count else { return nil }
            let means = baseline.indices.map { question in
                values.reduce(0) { $0 + $1[question] } / Double(values.count)
            }
            return Average(
                method: label, score: 100 * means.reduce(0, +) / Double(max(means.count, 1)),
                difference: Interval(PairedBootstrap(zip(means, baseline).map(-), clusters: clusters), times: 100))
        }
    }
}
