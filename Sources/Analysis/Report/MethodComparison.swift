internal import Intervals

/// The questions that several methods answered, method beside method.
struct MethodComparison: Encodable {
    /// A difference of two shares, from -1 to 1, with its 95 % interval: paired, over pictures.
    struct Difference: Encodable {
        let value, low, high: Double

        /// Of the questions that both methods are scored on; nil without one.
        init?(_ first: [Bool?], _ second: [Bool?], clusters: [String], resamples: Int) {
            var differences: [Double] = [], pictures: [String] = []
            for (place, cluster) in clusters.enumerated() {
                guard let a = first[place], let b = second[place] else { continue }
                differences.append((b ? 1 : 0) - (a ? 1 : 0))
                pictures.append(cluster)
            }
            guard !differences.isEmpty else { return nil }
            let bootstrap = PairedBootstrap(differences, clusters: pictures, resamples: resamples)
            (value, low, high) = (bootstrap.mean, bootstrap.low, bootstrap.high)
        }
    }

    /// Two methods, by their numbers, on the questions that all methods share.
    struct Pair: Encodable {
        let first, second: Int
        /// Equal answers, of the questions that both answered.
        let agreement: Proportion?
        /// Questions by who was right, of those that both are scored on.
        let both, onlyFirst, onlySecond, neither: Int
        /// The second's accuracy minus the first's.
        let difference: Difference?
    }

    /// The accuracy of every method over questions with one label; over all questions if `label` is empty.
    struct Group: Encodable {
        struct Cell: Encodable {
            let accuracy: Proportion?
            /// The accuracy minus the first method's; nil for that one.
            let difference: Difference?
        }
        let label, value: String
        let questions: Int
        let cells: [Cell]
    }

    /// All pairs of so many methods are listed; of more only the first with each other one.
    static let mostMethodsInPairs = 6
    /// Whether a label of so many values makes groups of the questions: one that numbers them does not.
    private static func isGrouping(_ values: Int, _ questions: Int) -> Bool {
        values >= 2 && values <= min(16, questions / 2)
    }
    /// Samples of pictures for an interval: as many as `winnow eval run` draws, and fewer for each of many groups.
    fileprivate static let (resamples, resamplesOfGroup) = (10_000, 2_000)

    /// Questions that all methods have.
    let questions: Int
    /// Answers of each method to questions that some other has not.
    let unshared: [Int]
    let pairs: [Pair]
    let groups: [Group]
    /// The ids of the shared questions in the order of the first method, and whether methods differ on them.
    private let shared: [(id: String, isContested: Bool)]

    private enum CodingKeys: CodingKey { case questions, unshared, pairs, groups }

    /// Compares the answers of at least two methods; nil if they share no question.
    init?(_ methods: [[ComparedAnswer]]) {
        let found = methods.map { answers in
            Dictionary(answers.map { ($0.id, $0) }) { _, last in last }
        }
        // One list a question, with an answer of each method.
        let rows: [[ComparedAnswer]] = (methods.first ?? []).compactMap { answer in
            let row = found.compactMap { $0[answer.id] }
            return row.count == methods.count && row.allSatisfy { $0.question == answer.question } ? row : nil
        }
        guard methods.count > 1, !rows.isEmpty else { return nil }
        questions = rows.count
        unshared = methods.map { $0.count - rows.count }
        shared = rows.map { row in
            let verdicts = row.map(\.isRight)
            let isContested =
                verdicts.contains(nil)
                ? row.contains { $0.form != row[0].form } : Set(verdicts).count > 1
            return (row[0].id, isContested)
        }
        let count = methods.count
        let clusters = rows.map { $0[0].cluster }
        let right = (0..<count).map { method in rows.map { $0[method].isRight } }
        let indices = (0..<count).flatMap { first in
            (first + 1..<count).filter { _ in count <= Self.mostMethodsInPairs || first == 0 }.map { (first, $0) }
        }
        pairs = indices.map { first, second in
            Pair(first, second, rows: rows, right: right, clusters: clusters)
        }
        groups = Self.groups(rows.map { $0[0].labels }, right: right, clusters: clusters)
    }

    /// Ids of at most `count` shared questions: those on which methods differ, then others, both evenly spread and in the order of
    /// the first method. A quarter is for others, as far as there are so many: without any, methods would seem to differ always.
    func shown(_ count: Int) -> [String] {
        let contested = shared.filter(\.isContested).map(\.id)
        let others = shared.filter { !$0.isContested }.map(\.id)
        let first = contested.spread(count - min(others.count, count / 4))
        return first + others.spread(count - first.count)
    }

    /// All questions, then those of each value of each label that has some.
    private static func groups(_ labels: [[String: String]], right: [[Bool?]], clusters: [String]) -> [Group] {
        var places: [String: [String: [Int]]] = [:]
        for (place, own) in labels.enumerated() {
            for (label, value) in own {
                places[label, default: [:]][value, default: []].append(place)
            }
        }
        let all = Group("", "", Array(clusters.indices), right: right, clusters: clusters, resamples: resamples)
        return [all]
            + places.sorted { $0.key < $1.key }.filter { isGrouping($0.value.count, labels.count) }.flatMap {
                label, values in
                values.sorted { $0.key < $1.key }.map { value, places in
                    Group(label, value, places, right: right, clusters: clusters, resamples: resamplesOfGroup)
                }
            }
    }
}

extension MethodComparison.Pair {
    fileprivate init(
        _ first: Int, _ second: Int, rows: [[ComparedAnswer]], right: [[Bool?]], clusters: [String]
    ) {
        (self.first, self.second) = (first, second)
        var answered = 0, equal = 0, counts = [0, 0, 0, 0]
        for (place, row) in rows.enumerated() {
            if let a = row[first].form, let b = row[second].form {
                answered += 1
                equal += a == b ? 1 : 0
            }
            if let a = right[first][place], let b = right[second][place] { counts[(a ? 0 : 2) + (b ? 0 : 1)] += 1 }
        }
        agreement = answered > 0 ? Proportion(equal, of: answered) : nil
        (both, onlyFirst, onlySecond, neither) = (counts[0], counts[1], counts[2], counts[3])
        difference = MethodComparison.Difference(
            right[first], right[second], clusters: clusters, resamples: MethodComparison.resamples)
    }
}

extension MethodComparison.Group {
    fileprivate init(
        _ label: String, _ value: String, _ places: [Int], right: [[Bool?]], clusters: [String], resamples: Int
    ) {
        (self.label, self.value) = (label, value)
        questions = places.count
        let own = right.map { method in places.map { method[$0] } }, pictures = places.map { clusters[$0] }
        cells = own.enumerated().map { number, method in
            let scored = method.compactMap(\.self)
            return Cell(
                accuracy: scored.isEmpty ? nil : Proportion(scored.count { $0 }, of: scored.count),
                difference: number == 0
                    ? nil
                    : MethodComparison.Difference(own[0], method, clusters: pictures, resamples: resamples))
        }
    }
}
