internal import Foundation
internal import ResultFiles

/// One job in the gallery of a report; arrays travel as base64 of little-endian numbers.
struct GalleryItem: Encodable {
    struct Step: Encodable {
        let place: String
        let layer, `in`, out: Int
    }

    /// Merges of one job that travel, the weightiest first.
    private static let mostMerges = 4096

    /// In `image`: the picture could not be read, or the job failed.
    static let notShown = -1
    /// In `image`: the prompt is about no picture.
    static let noPicture = -2

    let batch: Int
    let id, prompt, answer, status, error: String
    let expected: [String]
    let correct: Int
    /// Which of the page's pictures; else `notShown` or `noPicture`.
    let image: Int
    let rows, columns, tokensIn, tokensOut: Int
    let flops, seconds: Double
    let steps: [Step]
    let left, went, score, merges: Data

    init(_ row: ResultRow, header: ShardHeader, batch: Int, image: Int) {
        self.batch = batch
        id = row.id
        prompt = row.prompt
        answer = row.answer
        status = row.status.name
        error = row.error
        expected = AnswerScoring.expected(row.expectedAnswers)
        correct =
            row.status == .ok ? AnswerScoring.score(row.answer, expected: expected, correct: Int(row.correct)) : -1
        self.image = image
        rows = header.grid.first ?? 1
        columns = header.grid.last ?? 1
        tokensIn = row.visualTokensIn
        tokensOut = row.visualTokensOut
        flops = row.flops.vision + row.flops.projector + row.flops.prefill + row.flops.decode
        seconds = row.seconds.load + row.seconds.vision + row.seconds.prefill + row.seconds.decode
        steps = row.steps.layer.indices.map { index in
            Step(
                place: row.steps.place[index].name, layer: Int(row.steps.layer[index]), in: row.steps.tokensIn[index],
                out: row.steps.tokensOut[index])
        }
        left = Data(row.tokens.leftAt)
        went = Data(row.tokens.wentTo.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8(truncatingIfNeeded: $0 >> 8)] })
        score = Self.ranks(row.tokens.score)
        merges = Self.packed(row.merges)
    }

    /// The scores as their ranks, from 0 to 255: readings of one method are not comparable with another's.
    private static func ranks(_ scores: [Float16]) -> Data {
        let order = scores.indices.sorted { Float(scores[$0]) < Float(scores[$1]) }
        var ranks = Data(count: scores.count)
        for (rank, token) in order.enumerated() { ranks[token] = UInt8(rank * 255 / max(1, scores.count - 1)) }
        return ranks
    }

    /// Six bytes a merge: step, weight of 255, source, target.
    private static func packed(_ merges: ResultRow.Merges) -> Data {
        var places = Array(merges.step.indices)
        if places.count > mostMerges {
            places = Array(places.sorted { merges.weight[$0] > merges.weight[$1] }.prefix(mostMerges)).sorted()
        }
        return Data(
            places.flatMap { index -> [UInt8] in
                let weight = (min(1, max(0, Float(merges.weight[index]))) * 255).rounded()
                let (source, target) = (merges.source[index], merges.target[index])
                return [
                    merges.step[index], weight.isNaN ? 0 : UInt8(weight), UInt8(truncatingIfNeeded: source),
                    UInt8(truncatingIfNeeded: source >> 8), UInt8(truncatingIfNeeded: target),
                    UInt8(truncatingIfNeeded: target >> 8),
                ]
            })
    }
}
