import Evaluation
import Foundation
import TestSupport
import Testing

/// What a grid's answers come to, on answers that were made up.
struct GridSummaryTests {
    private func summary(_ answers: [CellAnswers]) -> GridSummary {
        GridSummary(
            answers, measure: "right",
            scores: answers.map { cell in cell.right.map { 100 * $0.reduce(0, +) / Double($0.count) } },
            contributions: answers.map(\.right))
    }

    /// Groups of 40 questions; what was made under other conditions, or failed, is not compared.
    @Test func timesAreComparedUnderEqualConditions() throws {
        let ids = (0..<100).map { "q\(1000 + $0)" }
        let grid = try MadeGrid(ids.map { ($0, "\($0).jpg") })
        let none = ids.map { MadeGrid.Row(id: $0, seconds: 2, threads: 4, capacity: 20) }
        let mixed = ids.enumerated().map { place, id in
            switch place {
            case 0: MadeGrid.Row(id: id, answer: nil, error: "no memory", seconds: 0)
            case ..<60: MadeGrid.Row(id: id, flops_to_first_token: 100_000, threads: 4, capacity: 20)
            case ..<80: MadeGrid.Row(id: id, seconds: 0.1, threads: 8, capacity: 20)
            default: MadeGrid.Row(id: id, seconds: 0.1, threads: 4, capacity: 1)
            }
        }
        let cells = try summary(grid.answers(none, [("random", 64, mixed)])).cells
        #expect(cells.count == 2 && cells[1].speedUp == 2 && cells[1].speedUpQuartiles == [2, 2])
        #expect(cells[1].failed == 1 && cells[0].flopsToFirstToken == 400_000)
        #expect(cells[1].flopsToFirstToken < 400_000)

        let faster = ids.map { MadeGrid.Row(id: $0, seconds: 0.1, threads: 8, capacity: 20) }
        let apart = try summary(grid.answers(none, [("random", 64, faster)])).cells[1]
        #expect(apart.speedUp == nil && apart.speedUpQuartiles.isEmpty)
        // Journals from before the conditions were written down compare among themselves.
        let old = ids.map { MadeGrid.Row(id: $0, seconds: 3) }, new = ids.map { MadeGrid.Row(id: $0) }
        #expect(try summary(grid.answers(old, [("random", 64, new)])).cells[1].speedUp == 3)
    }
}
