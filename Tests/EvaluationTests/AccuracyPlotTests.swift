import Evaluation
import Foundation
import Testing

/// The picture that an evaluation leaves.
struct AccuracyPlotTests {
    /// Two methods at four budgets that cost nearly the same; of ten answers so many are wrong without reduction, and so many more
    /// with small and with large budgets.
    private func svg(wrong: Int = 1, more: (small: Int, large: Int) = (3, 1)) throws -> String {
        let ids = (0..<40).map { "q\(100 + $0)" }
        let grid = try MadeGrid(ids.enumerated().map { ($1, "\($0 / 2).jpg") })
        func rows(_ wrong: Int, _ flops: Int) -> [MadeGrid.Row] {
            ids.enumerated().map { MadeGrid.Row(id: $1, answer: $0 % 10 < wrong ? "y" : "x", flops: flops) }
        }
        let answers = try grid.answers(
            rows(wrong, 1_000_000),
            [192, 128, 64, 32].flatMap { keep in
                ["random", "fastv"].map {
                    ($0, keep, rows(wrong + (keep < 100 ? more.small : more.large), 500_000 + 200 * keep))
                }
            })
        let right = answers.map { $0.right ?? [] }
        let summary = GridSummary(
            answers, measure: "right & <wrong>", scores: right.map { 100 * $0.reduce(0, +) / 40 },
            parts: right.map { ScoreParts(mean: $0) })
        return AccuracyPlot(summary, title: "made").svg
    }

    /// Attributes of the elements that a pattern finds, as numbers.
    private func numbers(_ pattern: String, in svg: String) throws -> [[Double]] {
        let expression = try NSRegularExpression(pattern: pattern)
        return expression.matches(in: svg, range: NSRange(svg.startIndex..., in: svg)).map { match in
            (1..<match.numberOfRanges).compactMap { Range(match.range(at: $0), in: svg).flatMap { Double(svg[$0]) } }
        }
    }

    @Test func budgetsAndIntervalsStandApart() throws {
        let svg = try svg()
        #expect(svg.contains("right &amp; &lt;wrong>"))
        // An interval and a point for each cell.
        let bars = try numbers(#"<path d="M([0-9.]+) ([0-9.]+)V([0-9.]+)M"#, in: svg)
        #expect(bars.count == 8 && bars.allSatisfy { $0[2] > $0[1] + 4 })
        #expect(svg.components(separatedBy: "<circle").count == 1 + 8)
        // The budget stands at each point and covers neither interval nor other budget.
        let labels = try numbers(
            ##"<text x="([0-9.]+)" y="([0-9.]+)" font-size="10.0" fill="#000" [^>]*>(192|128|64|32)<"##, in: svg)
        #expect(labels.map { $0[2] }.sorted() == [32, 32, 64, 64, 128, 128, 192, 192])
        for (place, label) in labels.enumerated() {
            let half = label[2] > 99 ? 9.0 : 6.0
            #expect(bars.contains { abs($0[0] - label[0]) < 0.01 })
            for bar in bars where abs(bar[0] - label[0]) < half {
                #expect(label[1] <= bar[1] || label[1] - 8 >= bar[2], "\(label) covers \(bar)")
            }
            for other in labels[(place + 1)...] where abs(other[0] - label[0]) < 12 {
                #expect(abs(other[1] - label[1]) >= 8, "\(label) covers \(other)")
            }
        }
    }

    /// A line joins the four budgets of each method.
    @Test func noLineJoinsMethods() throws {
        let lines = try svg().components(separatedBy: "<polyline points=\"").dropFirst().map {
            $0.prefix { $0 != "\"" }
        }
        #expect(lines.count == 2 && lines.allSatisfy { $0.split(separator: " ").count == 4 })
    }

    /// A budget covers the line of no reduction neither where the two meet nor elsewhere.
    @Test(arguments: [(0, (4, 1)), (0, (5, 1)), (0, (1, 0)), (0, (0, 0)), (0, (10, 9))])
    func budgetsLeaveTheBaselineFree(wrong: Int, more: (small: Int, large: Int)) throws {
        let svg = try svg(wrong: wrong, more: more)
        let labels = try numbers(
            ##"<text x="([0-9.]+)" y="([0-9.]+)" font-size="10.0" fill="#000" [^>]*>(192|128|64|32)<"##, in: svg)
        #expect(labels.count == 8)
        let lines = try numbers(
            ##"<line x1="([0-9.]+)" x2="([0-9.]+)" y1="([0-9.]+)" y2="[0-9.]+" stroke="#888""##, in: svg)
        for line in lines {
            for label in labels where (line[0]...line[1]).contains(label[0]) {
                #expect(line[2] > label[1] + 1 || line[2] < label[1] - 8, "\(label) covers \(line)")
            }
        }
    }

    /// Shares end at 0 and 100, and so do the numbers of their axes.
    @Test func axesOfSharesEndWhereSharesDo() throws {
        let svg = try svg(wrong: 0, more: (small: 10, large: 0)) + svg(wrong: 10, more: (small: 0, large: 0))
        let marks = try numbers(##"font-size="10.0" fill="#555" text-anchor="end" [^>]*>(-?[0-9]+)<"##, in: svg)
        #expect(marks.count > 4 && marks.allSatisfy { (0...100).contains($0[0]) }, "\(marks)")
        #expect(marks.contains([0]) && marks.contains([100]) && !svg.contains(">-0<"))
    }
}
