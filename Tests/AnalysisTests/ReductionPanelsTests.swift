import Analysis
import ImageDecoding
import JobVocabulary
import ResultFiles
import Testing

/// What `winnow results show` draws.
@Suite struct ReductionPanelsTests {
    private static func panels(keeping count: Int = 30) -> ReductionPanels {
        var pixels: [UInt8] = []
        for place in 0..<84 * 84 { pixels += [UInt8(place % 84 * 3), UInt8(place / 84 * 3), 90] }
        let view = ModelView(picture: Picture(width: 84, height: 84, pixels: pixels), rows: 6, columns: 6)
        var row = ResultRow(id: "a", images: ["a.png"], prompt: "?", method: "random", attempt: 1)
        row.tokens.leftAt = (0..<36).map { $0 < count ? ResultRow.Tokens.survived : 0 }
        row.tokens.wentTo = (0..<36).map { $0 < count ? UInt16($0) : 0 }
        row.steps.append(layer: 11, place: .visionEncoder, tokensIn: 36, tokensOut: count, seconds: 0)
        return ReductionPanels(view, row: row)
    }

    /// Whether each row of pixels between two columns has something dark.
    private static func dark(_ picture: Picture, _ columns: Range<Int>) -> [Bool] {
        (0..<picture.height).map { y in
            columns.contains { picture.pixels[(y * picture.width + $0) * 3] < 128 }
        }
    }

    @Test func theSheetSaysWhatItShows() {
        let panels = Self.panels(), sheet = ReductionPanels.sheet([panels], gap: 10)
        #expect(panels.panels.map(\.title) == ["the model's view", "after layer 11: 30 tokens", "where content went"])
        // Titles take the lines that the longest needs in 84 pixels: three of 16, and 4 pixels below.
        #expect(sheet.width == 4 * 10 + 3 * 84 && sheet.height == 10 + 3 * 16 + 4 + 84 + 10)
        for columns in [10..<94, 104..<188, 198..<282] {
            let dark = Self.dark(sheet, columns)
            #expect((0..<3).allSatisfy { line in dark[10 + 16 * line..<26 + 16 * line].contains(true) })
            #expect(!dark[..<10].contains(true))
        }
        // Another count makes another picture, in the title as well.
        let other = ReductionPanels.sheet([Self.panels(keeping: 20)], gap: 10)
        let titles = [sheet, other].map { $0.pixels[..<($0.width * 60 * 3)] }
        #expect(titles[0] != titles[1])

        let named = ReductionPanels.sheet([panels, panels], names: ["picture 1 of 2", ""], gap: 10)
        #expect(named.height == 10 + 16 + 2 * (3 * 16 + 4 + 84 + 10))
        #expect(Self.dark(named, 10..<120)[10..<26].contains(true))
    }

    @Test(arguments: [(200, 1), (26, 2), (12, 3), (5, 3)])
    func wideTerminalsShowPanelsSideBySide(width: Int, bands: Int) {
        let text = Self.panels().blocks(columns: 12, width: width)
        let groups = text.split(separator: "\n\n", omittingEmptySubsequences: true)
        #expect(groups.count == bands)
        let lines = text.split(separator: "\n").map { line in
            line.replacing(/\u{1B}\[[0-9;]*m/, with: "").count
        }
        #expect(lines.allSatisfy { $0 <= max(width, 5) }, "\(lines)")
        #expect(lines.max() == min(width, bands == 1 ? 40 : bands == 2 ? 26 : 12))
    }
}
