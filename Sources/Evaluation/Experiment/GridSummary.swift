import Foundation
import Intervals
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

        init(_ bootstrap: PairedBootstrap) {
            (value, low, high) = (bootstrap.mean, bootstrap.low, bootstrap.high)
        }
    }

    /// A difference to a method other than the baseline, at the same budget.
    public struct Comparison: Sendable, Codable, Hashable {
        /// The other method with its options.
        public let against: String
        /// The score minus the other's, with a 95 % interval over pictures.
        public let difference: Interval
    }

    /// One cell.
    public struct Cell: Sendable, Codable {
        /// The method with its options.
        public let method: String
        /// Visual tokens to keep; nil if nothing is reduced.
        public let keep: Int?
        /// Questions asked.
        public let questions: Int
        /// Questions that ended with an error.
        public let failed: Int
        /// Share of right answers in per cent, or the benchmark's own number; nil where it is not scored here.
        public let score: Double?
        /// The score minus the baseline's, with a 95 % interval over pictures.
        public let difference: Interval?
        /// The score as a share of the baseline's in per cent, with the same.
        public let retention: Interval?
        /// Differences to the methods that were asked for.
        public let comparisons: [Comparison]
        /// Share of right answers by kind of question, in per cent.
        public let kinds: [String: Double]
        /// Visual tokens that entered the decoder, on average. This and all averages below are over the questions with a
        /// picture: nothing happens to the others.
        public let delivered: Double
        /// Visual tokens left at the end, on average.
        public let left: Double
        /// Operations of one question, on average.
        public let flops: Double
        /// Operations before the first token of the answer.
        public let flopsToFirstToken: Double
        /// Operations as a share of the baseline's; 0 if that has none.
        public let flopsShare: Double
        /// Seconds in the model of one question, on average, whatever the answers were made with.
        public let seconds: Double
        /// How many times as fast as the baseline: median over groups of questions that both answered in turn, with equal
        /// threads and capacity; questions that failed in either do not count. Nil if nothing can be compared.
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
        /// Differences to means of the methods that were asked for.
        public let comparisons: [Comparison]
    }

    /// What the score is.
    public let measure: String
    /// The cells, the baseline first.
    public let cells: [Cell]
    /// Methods over the budgets that `averagedBudgets` names.
    public let averages: [Average]
    /// The budgets of `averages`.
    public let averagedBudgets: [Int]

    /// Sums up the answers of a grid, whose first cell is the baseline. `parts` holds what each question adds to the score of
    /// each cell; `scores` the scores. `against` names methods of the grid that the others are also compared with.
    public init(
        _ answers: [CellAnswers], measure: String, scores: [Double?], parts: [ScoreParts?],
        averagedBudgets: [Int] = [192, 128, 64], against: [String] = []
    ) {
        precondition(
            answers.first?.cell == .baseline && scores.count == answers.count && parts.count == answers.count,
            "the first cell reduces nothing")
        self.measure = measure
        let items = answers[0].items
        let pictures = items.map { $0.images.isEmpty ? $0.id.rawValue : $0.images.joined(separator: "\n") }
        let grid = Grid(cells: answers.map(\.cell), parts: parts, clusters: pictures, against: against)
        let baseline = Totals(answers[0])
        cells = answers.indices.map { index in
            let own = Totals(answers[index])
            let speed = Self.speedUps(answers[index], answers[0])
            var difference: Interval?, retention: Interval?
            if index > 0 {
                difference = grid.interval([index], [0]) { $0 - $1 }
                retention = grid.interval([index], [0]) { $1 > 0 ? 100 * $0 / $1 : 0 }
            }
            return Cell(
                method: answers[index].cell.choice.label, keep: answers[index].cell.keep, questions: items.count,
                failed: answers[index].failed, score: scores[index],
                difference: difference, retention: retention, comparisons: grid.comparisons([index]),
                kinds: Self.kinds(items, parts[index]?.shares),
                delivered: own.delivered, left: own.left,
                flops: own.flops, flopsToFirstToken: own.prefillFLOPs,
                flopsShare: baseline.flops > 0 ? own.flops / baseline.flops : 0,
                seconds: own.seconds, speedUp: speed?.median,
                speedUpQuartiles: speed.map { [$0.first, $0.third] } ?? [])
        }
        self.averagedBudgets = averagedBudgets
        averages = grid.averages(averagedBudgets)
    }

    /// What the intervals are worked out from.
    private struct Grid {
        let cells: [GridCell]
        let parts: [ScoreParts?]
        let clusters: [String]
        let against: [String]

        /// What `number` makes of the mean scores of two lists of cells; nil if one of them has no parts.
        func interval(
            _ mine: [Int], _ theirs: [Int], _ number: (Double, Double) -> Double
        ) -> Interval? {
            let all = (mine + theirs).compactMap { parts[$0] }
            guard all.count == mine.count + theirs.count else { return nil }
            var vectors: [[Double]] = [], pictures: [String] = []
            for (question, picture) in clusters.enumerated() {
                let own = all.compactMap { $0.vectors[question] }
                guard own.count == all.count else { continue }
                vectors.append(own.flatMap { $0 })
                pictures.append(picture)
            }
            let bootstrap = PairedBootstrap(sums: vectors, clusters: pictures) { sums in
                var start = 0, first = 0.0, second = 0.0
                for (place, part) in all.enumerated() {
                    let score = part.rule.score(sums[start..<start + part.rule.width])
                    start += part.rule.width
                    if place < mine.count { first += score } else { second += score }
                }
                return number(first / Double(mine.count), second / Double(theirs.count))
            }
            return Interval(bootstrap)
        }

        /// Differences of a method's cells to those of other methods at the same budgets.
        func comparisons(_ own: [Int]) -> [Comparison] {
            against.compactMap { label in
                let others = own.compactMap { index in
                    cells.firstIndex { $0.choice.label == label && $0.keep == cells[index].keep }
                }
                guard others.count == own.count, others != own, let difference = interval(own, others, { $0 - $1 })
                else { return nil }
                return Comparison(against: label, difference: difference)
            }
        }

        /// Each method over the budgets, if it has cells for all of them.
        func averages(_ budgets: [Int]) -> [Average] {
            guard !budgets.isEmpty else { return [] }
            var labels: [String] = []
            for cell in cells.dropFirst() where !labels.contains(cell.choice.label) { labels.append(cell.choice.label) }
            return labels.compactMap { label in
                let own = cells.indices.filter { index in
                    cells[index].choice.label == label && cells[index].keep.map(budgets.contains) ?? false
                }
                guard own.count == budgets.count, let difference = interval(own, [0], { $0 - $1 }) else { return nil }
                let scores = own.compactMap { parts[$0]?.score }
                return Average(
                    method: label, score: scores.reduce(0, +) / Double(scores.count), difference: difference,
                    comparisons: comparisons(own))
            }
        }
    }

    private struct Totals {
        let delivered, left, flops, prefillFLOPs, seconds: Double

        init(_ answers: CellAnswers) {
            let rows = answers.aboutPictures.compactMap { answers.rows[$0] }.filter { $0.error == nil }
            let count = Double(max(rows.count, 1))
            delivered = rows.reduce(0) { $0 + Double($1.delivered) } / count
            left = rows.reduce(0) { $0 + Double($1.left) } / count
            flops = rows.reduce(0) { $0 + Double($1.flops) } / count
            prefillFLOPs = rows.reduce(0) { $0 + Double($1.prefillFLOPs) } / count
            seconds = rows.reduce(0) { $0 + $1.seconds } / count
        }
    }

    private static func kinds(_ items: [Item], _ shares: [Double?]?) -> [String: Double] {
        guard let shares else { return [:] }
        var values: [String: [Double]] = [:]
        for (item, share) in zip(items, shares) {
            guard let share, let kind = item.labels["kind"] ?? item.labels["category"] else { continue }
            values[kind, default: []].append(share)
        }
        return values.mapValues { 100 * $0.reduce(0, +) / Double($0.count) }
    }

    private static func speedUps(
        _ cell: CellAnswers, _ baseline: CellAnswers
    ) -> (median: Double, first: Double, third: Double)? {
        let size = GridRunner.questionsAtOnce
        let places = cell.aboutPictures
        var ratios = stride(from: 0, to: places.count, by: size).compactMap { start -> Double? in
            var mine = 0.0, theirs = 0.0
            for place in places[start..<min(start + size, places.count)] {
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
        func quantile(_ share: Double) -> Double {
            let place = share * Double(ratios.count - 1), low = Int(place), high = min(low + 1, ratios.count - 1)
            return ratios[low] + (place - Double(low)) * (ratios[high] - ratios[low])
        }
        return (quantile(0.5), quantile(0.25), quantile(0.75))
    }
}
