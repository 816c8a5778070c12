internal import Foundation
internal import JobVocabulary
internal import ResultFiles

/// One tile of a job in the gallery of a report, as one method left it; arrays travel as base64 of little-endian numbers. Tokens are numbered within
/// the tile.
struct GalleryItem: Encodable {
    struct Step: Encodable {
        /// Where in the model; empty if only the tokens before and after all steps are known.
        let place: String
        let layer, `in`, out: Int
    }

    /// Merges of one job that travel, the weightiest first.
    private static let mostMerges = 4096

    /// In `image`: the picture could not be read, or the job failed.
    static let notShown = -1
    /// In `image`: the job is text-only.
    static let noPicture = -2

    let batch: Int
    /// Which of several tiles it is, such as `picture 2 of 3`; empty if there is one.
    let tile: String
    let id, prompt, answer, status, error: String
    let expected: [String]
    let correct: Int
    /// Which of the page's pictures; else `notShown` or `noPicture`.
    let image: Int
    let rows, columns, tokensIn, tokensOut: Int
    let flops, seconds: Double
    let steps: [Step]
    let left, went, score, merges: Data

    init(_ row: ResultRow, segment: Int, batch: Int, image: Int) {
        self.batch = batch
        tile = row.name(ofSegment: segment)
        id = row.id
        prompt = row.prompt
        answer = row.answer
        status = row.status.rawValue
        error = row.error
        expected =
            row.expectedAnswers.isEmpty
            ? [] : (try? JSONDecoder().decode([String].self, from: Data(row.expectedAnswers.utf8))) ?? []
        correct = row.status == .ok ? Int(row.correct) : -1
        self.image = image
        let isThere = segment < row.segments.count
        rows = isThere ? max(1, Int(row.segments.rows[segment])) : 1
        columns = isThere ? max(1, Int(row.segments.columns[segment])) : 1
        let own = isThere ? row.segments.tokens(of: segment) : 0..<0
        tokensIn = row.visualTokensIn
        tokensOut = row.visualTokensOut
        flops = row.flops.total
        seconds = row.seconds.load + row.seconds.vision + row.seconds.prefill + row.seconds.decode
        let steps = row.steps.layer.indices.map { index in
            Step(
                place: row.steps.place[index].rawValue, layer: Int(row.steps.layer[index]),
                in: row.steps.tokensIn[index],
                out: row.steps.tokensOut[index])
        }
        let isReduced = row.tokens.leftAt.contains { $0 < ResultRow.Tokens.leftOut }
        self.steps =
            steps.isEmpty && isReduced
            ? [Step(place: "", layer: 0, in: row.visualTokensIn, out: row.visualTokensOut)] : steps
        left = Data(Self.part(row.tokens.leftAt, own))
        went = Data(
            Self.part(row.tokens.wentTo, own).flatMap { target in
                let target = Self.local(target, own) ?? ResultRow.Tokens.discarded
                return [UInt8(truncatingIfNeeded: target), UInt8(truncatingIfNeeded: target >> 8)]
            })
        score = Self.ranks(Self.part(row.tokens.score, own))
        merges = Self.packed(row.merges, own)
    }

    /// The entries of a tile's tokens; none if nothing was stored.
    private static func part<Value>(_ values: [Value], _ own: Range<Int>) -> [Value] {
        own.upperBound <= values.count ? Array(values[own]) : []
    }

    /// The number of a token within a tile; nil for one of another tile.
    private static func local(_ token: UInt16, _ own: Range<Int>) -> UInt16? {
        own.contains(Int(token)) ? token - UInt16(own.lowerBound) : nil
    }

    /// The scores as their ranks, from 0 to 255: readings of one method are not comparable with another's.
    private static func ranks(_ scores: [Float16]) -> Data {
        let order = scores.indices.sorted { Float(scores[$0]) < Float(scores[$1]) }
        var ranks = Data(count: scores.count)
        for (rank, token) in order.enumerated() { ranks[token] = UInt8(rank * 255 / max(1, scores.count - 1)) }
        return ranks
    }

    /// Six bytes a merge inside the tile: step, weight of 255, source, target.
    private static func packed(_ merges: ResultRow.Merges, _ own: Range<Int>) -> Data {
        var places = merges.step.indices.filter {
            own.contains(Int(merges.source[$0])) && own.contains(Int(merges.target[$0]))
        }
        if places.count > mostMerges {
            places = Array(places.sorted { merges.weight[$0] > merges.weight[$1] }.prefix(mostMerges)).sorted()
        }
        return Data(
            places.flatMap { index -> [UInt8] in
                let weight = (min(1, max(0, Float(merges.weight[index]))) * 255).rounded()
                let first = UInt16(own.lowerBound)
                let (source, target) = (merges.source[index] - first, merges.target[index] - first)
                return [
                    merges.step[index], weight.isNaN ? 0 : UInt8(weight), UInt8(truncatingIfNeeded: source),
                    UInt8(truncatingIfNeeded: source >> 8), UInt8(truncatingIfNeeded: target),
                    UInt8(truncatingIfNeeded: target >> 8),
                ]
            })
    }
}
