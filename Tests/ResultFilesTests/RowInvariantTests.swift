import JobVocabulary
import ResultFiles
import Testing

@Suite struct RowInvariantTests {
    let results: ResultsFixture

    init() throws { results = try ResultsFixture() }

    /// Ways to break a row.
    enum Damage: CaseIterable {
        case method, grid, scores, keptTwice, keptAndLeft, keptOutside, lost, stepCounts, noStep, wentOutside
        case mergeOutside, mergeStep, shares, features, logProbs, counts, failedWithTokens, failedWithoutReason
        case segmentLeftOut, segmentTwice, segmentOfNoPicture, endlessWindow, segmentOfFailure
        case stepBeyondAnyGrid, tokensOfNoPicture, infiniteFeature, undefinedFeature, infiniteScore, undefinedLogProb

        func apply(to row: inout ResultRow) {
            switch self {
            case .method: row.method = "unheard-of"
            case .grid:
                row.tokens.leftAt.append(0)
                row.tokens.wentTo.append(0)
                row.tokens.score.append(0)
                row.visualTokensIn += 1
            case .scores: row.tokens.score.removeLast()
            case .keptTwice: row.kept[1] = row.kept[0]
            case .keptAndLeft: row.kept[0] = UInt16(row.tokens.leftAt.firstIndex { $0 == 0 } ?? 0)
            case .keptOutside: row.kept[0] = 24
            case .lost:
                row.kept.removeLast()
                row.visualTokensOut -= 1
            case .stepCounts: row.steps.append(layer: 20, place: .visionEncoder, tokensIn: 9, tokensOut: 8, seconds: 0)
            case .stepBeyondAnyGrid:
                row.steps.append(layer: 20, place: .visionEncoder, tokensIn: Int.min, tokensOut: Int.max, seconds: 0)
            case .noStep: row.tokens.leftAt[row.tokens.leftAt.firstIndex { $0 == 1 } ?? 0] = 2
            case .wentOutside: row.tokens.wentTo[0] = 24
            case .mergeOutside: row.merges.append(step: 0, source: 24, target: 0, weight: 1)
            case .mergeStep: row.merges.append(step: 2, source: 3, target: 0, weight: 1)
            case .shares: row.merges.append(step: 0, source: row.merges.source[0], target: 0, weight: 0.01)
            case .features: row.features.removeLast()
            case .logProbs: row.tokenLogProbs.append(0)
            // What a number beyond 65,504 becomes as float16.
            case .infiniteFeature: row.features[1] = Float16(Float(65_520))
            case .undefinedFeature: row.features[0] = .nan
            case .infiniteScore: row.tokens.score[0] = -.infinity
            case .undefinedLogProb: row.tokenLogProbs[0] = .nan
            case .counts: row.answerTokens += 1
            case .tokensOfNoPicture: row.pictures = ResultRow.Pictures([])
            case .segmentLeftOut: row.segments = ResultRow.Segments()
            case .segmentTwice:
                row.segments = ResultRow.Segments()
                for _ in 0..<2 {
                    row.segments.append(
                        picture: 0, tile: 0, rows: 2, columns: 6, left: 0, top: 0, width: 1, height: 1)
                }
            case .segmentOfNoPicture:
                row.segments = ResultRow.Segments()
                row.segments.append(picture: 1, tile: 0, rows: 4, columns: 6, left: 0, top: 0, width: 1, height: 1)
            case .endlessWindow:
                row.segments = ResultRow.Segments()
                row.segments.append(
                    picture: 0, tile: 0, rows: 4, columns: 6, left: .nan, top: 0, width: 1, height: 1)
            case .segmentOfFailure:
                let segments = row.segments
                row = ResultRow(id: row.id, images: row.pictures.image, prompt: "", method: "none", attempt: 1)
                (row.status, row.error, row.segments) = (.failed, "broken", segments)
            case .failedWithTokens:
                row.status = .failed
                row.error = "broken"
            case .failedWithoutReason:
                row = ResultRow(id: row.id, images: [], prompt: "", method: "none", attempt: 1)
                row.status = .failed
            }
        }
    }

    @Test(arguments: Damage.allCases)
    func aBrokenRowIsRefusedByNameAndHarmsNoOther(damage: Damage) throws {
        var sample = SampleRows(seed: 1)
        let good = (0..<3).map { sample.row($0) }
        var bad = sample.row(3)
        damage.apply(to: &bad)
        var writer = try results.writer(good)
        let before = writer.byteCount
        do {
            try writer.add(bad, at: .now)
            Issue.record("\(damage) was taken")
        } catch {
            #expect(error.code == .invalidRow)
            #expect(error.job == "job-3")
            #expect(error.message.contains("job-3"))
        }
        #expect(writer.byteCount == before)
        let shard = try writer.seal(as: ResultsFixture.id(1))
        let read = try ShardReader(results.path(shard)).rows()
        #expect(read == good)
    }

    /// Ways to give a text-only row something that belongs to a picture.
    enum Remnant: CaseIterable {
        case segments, tokens, kept, steps, merges, features, tokensIn, tokensOut

        func add(to row: inout ResultRow) {
            switch self {
            case .segments:
                row.segments.append(picture: 0, tile: 0, rows: 1, columns: 1, left: 0, top: 0, width: 1, height: 1)
            case .tokens:
                row.tokens.leftAt = [ResultRow.Tokens.survived]
                row.tokens.wentTo = [0]
            case .kept: row.kept = [0]
            case .steps: row.steps.append(layer: 11, place: .visionEncoder, tokensIn: 0, tokensOut: 0, seconds: 0)
            case .merges: row.merges.append(step: 0, source: 0, target: 0, weight: 1)
            case .features: row.features = [Float16](repeating: 1, count: SampleRows.width)
            case .tokensIn: row.visualTokensIn = 576
            case .tokensOut: row.visualTokensOut = 1
            }
        }
    }

    @Test(arguments: Remnant.allCases, StoredTrace.allCases)
    func aRowAboutNoPictureHasNothingOfOne(remnant: Remnant, trace: StoredTrace) throws {
        var sample = SampleRows(seed: 3)
        let good = sample.textAlone(0)
        var bad = sample.textAlone(1)
        remnant.add(to: &bad)
        if trace == .full { bad.tokens.score = bad.tokens.leftAt.map { _ in 0 } }
        var writer = ShardWriter(folder: results.folder, header: SampleRows.header(trace: trace))
        try writer.add(good, at: .now)
        let failure = code { try writer.add(bad, at: .now) }
        #expect(failure == .invalidRow)
        #expect(writer.rows == [good])
    }

    /// A job may fail once its picture was read, or without any: its row says what is known.
    @Test func aFailedRowKeepsWhatIsKnownOfItsPicture() throws {
        var sample = SampleRows(seed: 4)
        var pictured = sample.failed(0), alone = sample.failed(1)
        pictured.pictures.describe(0, sha256: String(repeating: "0f", count: 32), width: 640, height: 480)
        alone.pictures = ResultRow.Pictures([])
        let rows = [pictured, alone]
        let reader = try ShardReader(results.path(try results.seal(rows)))
        #expect(try reader.rows() == rows)
        #expect(try reader.verify() == rows)
    }

    @Test func roundingOfManySharesIsTolerated() throws {
        var sample = SampleRows(seed: 2)
        for parts in [3, 7, 13, 22] {
            var row = sample.row(0)
            let source = row.merges.source[0]
            row.merges = ResultRow.Merges()
            for target in 0..<parts {
                row.merges.append(step: 0, source: source, target: UInt16(target), weight: Float16(1 / Double(parts)))
            }
            var writer = try results.writer([])
            try writer.add(row, at: .now)
            #expect(writer.rows.count == 1)
        }
    }
}
