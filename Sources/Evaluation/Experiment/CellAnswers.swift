import Foundation
public import JobModel

/// What one cell answered to all questions.
public struct CellAnswers: Sendable {
    /// The cell.
    public let cell: GridCell
    /// The questions, in order.
    public let items: [Item]
    /// The answers, in the order of the questions; nil if one is still to come.
    public let rows: [AnswerRow?]

    init(_ cell: GridCell, items: [Item], rows: [String: AnswerRow]) {
        self.cell = cell
        self.items = items
        self.rows = items.map { rows[$0.id.rawValue] }
    }

    /// The places of the questions about a picture; all where there is none.
    var aboutPictures: [Int] {
        let places = items.indices.filter { !items[$0].images.isEmpty }
        return places.isEmpty ? Array(items.indices) : places
    }

    /// 1 if an answer is among the accepted ones, 0 elsewhere; nil if the items name none.
    ///
    /// A question that could not be answered counts as answered wrongly.
    public var right: [Double]? {
        guard items.allSatisfy({ !$0.answers.isEmpty }) else { return nil }
        return zip(items, rows).map { item, row in
            guard let answer = row?.answer else { return 0 }
            return AcceptedAnswers.contain(answer, item.answers) == true ? 1 : 0
        }
    }

    /// Questions that ended with an error.
    public var failed: Int { rows.count { $0?.error != nil } }

    /// The answers by row of the benchmark that the items ask, where they do.
    public var benchmark: (name: String, texts: [Int: String])? {
        guard let first = items.first.flatMap({ BenchmarkItems.question($0.id.rawValue) }) else { return nil }
        var texts: [Int: String] = [:]
        for (item, row) in zip(items, rows) {
            guard let question = BenchmarkItems.question(item.id.rawValue), question.benchmark == first.benchmark else {
                return nil
            }
            // An error is an answer that says nothing: official scripts know no other.
            if let row { texts[question.row] = row.answer ?? "" }
        }
        return (first.benchmark, texts)
    }
}
