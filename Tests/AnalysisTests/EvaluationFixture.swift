import Analysis
import Foundation
import JobModel
import ResultFiles

/// Cells of an evaluation about the pictures of a report's fixture, always the same.
struct EvaluationFixture {
    private let pictures: ReportFixture
    let sources: [ReportPage.Source]

    /// Cells of some methods, budgets falling, beside the one that reduces nothing.
    ///
    /// Budgets of one method cost nearly the same and are nearly as often right, so that points and intervals lie close together.
    init(methods: [String], budgets: [Int]) throws {
        let pictures = try ReportFixture()
        self.pictures = pictures
        let cells = [("none", nil)] + methods.flatMap { method in budgets.map { (method, Optional($0)) } }
        sources = cells.map { method, budget in
            let keep = budget ?? 144, place = Double(methods.firstIndex(of: method) ?? 0)
            let answers = (0..<12).map { index in
                let row = ReportFixture.row(index, keep, 6 + 5 * keep / 144)
                let scale = 1 + 0.25 * place
                return EvaluatedMethod.Answer(
                    item: Item(
                        id: ItemID(row.id), images: ["picture-\(index % 4).png"], prompt: row.prompt,
                        answers: ["bar"],
                        labels: ["kind": index % 2 == 0 ? "even" : "odd"]),
                    text: row.answer, error: nil, isRight: row.correct == 1, tokensIn: 144, tokensOut: keep,
                    flops: row.flops.total * scale, flopsToFirstToken: (row.flops.total - row.flops.decode) * scale,
                    seconds: row.seconds.vision + row.seconds.prefill)
            }
            return ReportPage.Source(
                EvaluatedMethod(
                    name: budget.map { "\(method)@\($0)" } ?? method, method: method, budget: budget,
                    model: "llava-tiny",
                    path: "/evaluations/made", images: pictures.images, answers: answers
                ) { answer in
                    let number = Int(answer.item.id.rawValue.dropFirst(2)) ?? 0
                    return ReportFixture.row(number, keep, 6 + 5 * keep / 144)
                })
        }
    }
}
