import Analysis
import Foundation
import ImageDecoding
import JobVocabulary
import ResultFiles
import TestSupport
import Testing

@Suite struct ReportPageTests {
    private static let screens = RecordedScreens("report")

    private func page() throws -> (fixture: ReportFixture, page: ReportPage) {
        let fixture = try ReportFixture()
        return (
            fixture,
            try ReportPage(
                fixture.sources, title: "Half & <less>", gallery: 12, software: "winnow test", now: ReportFixture.now)
        )
    }

    @Test func thePageIsOneFileThatAsksForNothing() throws {
        let (_, page) = try page()
        #expect(page.remarks == [])
        #expect(page.html.contains("<title>Half &amp; &lt;less&gt;</title>"))
        // What is left of these in the script are braces, not names.
        #expect(page.html.components(separatedBy: "{{").dropFirst().allSatisfy { $0.hasPrefix(" ") })
        let addresses = page.html.components(separatedBy: "http").dropFirst().filter {
            !$0.hasPrefix("://www.w3.org/2000/svg") && !$0.hasPrefix("-equiv")
        }
        #expect(addresses == [])
        #expect(page.html.contains("default-src 'none'"))
        #expect(page.html.components(separatedBy: "data:image/webp;base64,").count == 1 + 4, "each picture once")
    }

    @Test func dataCannotEndTheirElement() throws {
        let tree = try ResultsTree()
        var row = ResultsTree.row("a")
        row.answer = "</script><script>alert(1)</script><!--"
        try tree.seal([row], as: 1)
        let page = try ReportPage(
            [ReportPage.Source(Catalogue(tree.folder))], title: nil, software: "", now: ReportFixture.now)
        #expect(!page.html.contains("<script>alert"))
        #expect(page.remarks.count == 1)  // its picture is nowhere
    }

    @Test func numbersThatAreNoneDoNotCostThePage() throws {
        let tree = try ResultsTree()
        var rows = ["a", "b", "c"].map { ResultsTree.row($0) }
        rows[0].finishedAt = .infinity
        rows[1].finishedAt = .nan
        rows[2].flops.prefill = -.infinity
        try tree.seal(rows, as: 1)
        let page = try ReportPage(
            [ReportPage.Source(Catalogue(tree.folder))], title: nil, software: "", now: ReportFixture.now)
        #expect(page.html.contains(#""\u0000""#))
    }

    @Test(.enabled(if: Chromium.isInstalled, "needs Debian's chromium")) func theBrowserShowsWhatIsThere() throws {
        let (fixture, page) = try page()
        let shown = try Chromium(html: page.html, hash: "right=0&wrong=2").load()
        withExtendedLifetime(fixture) {}
        let text = shown.document
        #expect(shown.complaints == [])
        #expect(text.contains(#"data-ready="true""#))
        for words in [
            "3 side by side", "images/broken.png ends after 12 bytes: replace it", "q-11",
            "3 shown of 12 in this page",
            "ficoco-v, keep 14", "144 → 14", "12 questions that all of them answered",
            // Half beside none: one question less is right, of 12, so 8.3 points; the interval is over the four pictures.
            "−8.3 (−25.0 to 0)", ">medians; 95 % within ",
        ] {
            #expect(text.contains(words), "\(words)")
        }
        #expect(text.components(separatedBy: "<svg").count == 1 + 6)
        // A question has its picture and one for each method, but for the job that failed.
        #expect(text.components(separatedBy: "<canvas").count == 1 + 12 * 4 - 1)
        #expect(text.contains(#"class="cell""#) && !text.contains(#"class="pair""#))
    }

    /// Jobs about a picture, of which so many tokens are kept, and others; nothing is stored of what became of tokens.
    private func batch(_ name: String, pictured: Int, keeping tokens: Int, alone: Int) throws -> ResultsTree {
        let tree = try ResultsTree()
        var header = ResultsTree.header(features: false)
        header.batch = name
        header.trace = .none
        var rows = (0..<alone).map { ResultsTree.textAlone("\(name)-alone-\($0)") }
        for index in rows.indices { rows[index].prompt = "Which is red?\nA. ring\nB. bar" }
        for number in 0..<pictured {
            var row = ResultsTree.row("\(name)-pictured-\(number)", features: false)
            row.reduceTrace(to: .none)
            row.visualTokensOut = tokens
            rows.append(row)
        }
        try tree.seal(rows, as: 1, header: header)
        return tree
    }

    @Test(.enabled(if: Chromium.isInstalled, "needs Debian's chromium"))
    func meansOfTokensAreOverPictures() throws {
        let trees = try [
            batch("some", pictured: 1, keeping: 4, alone: 3), batch("most", pictured: 3, keeping: 8, alone: 1),
            batch("words", pictured: 0, keeping: 0, alone: 2),
        ]
        let sources = try trees.map { try ReportPage.Source(Catalogue($0.folder)) }
        let page = try ReportPage(sources, title: nil, software: "", now: ReportFixture.now)
        let shown = try Chromium(html: page.html).load()
        withExtendedLifetime(trees) {}
        let text = shown.document
        #expect(shown.complaints == [])
        // One picture of which 4 are kept, three of which 8 are.
        #expect(text.contains("<span>7<small>") && text.contains("of 24 are kept, on average where there is a picture"))
        // There is room for the whole prompt, not for its first line only.
        #expect(text.contains(">Which is red?\nA. ring\nB. bar</div>"))
        let headings = ["jobs", "failed", "visual tokens"]
        for cells in [["4", "0", "24 → 4"], ["4", "0", "24 → 8"], ["2", "0", "–"]] {
            let row = zip(headings, cells).map { #"<td class="number" data-label="\#($0)">\#($1)</td>"# }
            #expect(text.contains(row.joined()), "\(cells)")
        }
    }

    /// What the gallery of a page has in place of pictures.
    private func gallery(_ tree: ResultsTree, count: Int) throws -> [String: Int] {
        struct Payload: Decodable {
            struct Item: Decodable {
                let id: String
                let image: Int
            }
            let gallery: [Item]
        }
        let page = try ReportPage(
            [ReportPage.Source(Catalogue(tree.folder))], title: nil, gallery: count, software: "",
            now: ReportFixture.now)
        let start = try #require(page.html.range(of: #"id="data">"#))
        let end = try #require(page.html.range(of: "</script>", range: start.upperBound..<page.html.endIndex))
        let payload = try JSONDecoder().decode(
            Payload.self, from: Data(page.html[start.upperBound..<end.lowerBound].utf8))
        return Dictionary(uniqueKeysWithValues: payload.gallery.map { ($0.id, $0.image) })
    }

    @Test func thoseAboutAPictureAreShownFirst() throws {
        let tree = try ResultsTree()
        let alone = (0..<4).map { ResultsTree.textAlone("alone-\($0)") }
        try tree.seal(alone + [ResultsTree.row("a"), ResultsTree.failure("b"), ResultsTree.row("c")], as: 1)
        // None of the pictures is there, and the failed job has none to show.
        #expect(try gallery(tree, count: 0) == [:])
        #expect(try gallery(tree, count: 2) == ["a": -1, "b": -1])
        #expect(try gallery(tree, count: 3) == ["a": -1, "b": -1, "c": -1])
        #expect(try gallery(tree, count: 5) == ["a": -1, "b": -1, "c": -1, "alone-0": -2, "alone-2": -2])
        #expect(try gallery(tree, count: 48).count == 7)
    }

    @Test func theGalleryIsSpreadOverTheBatch() throws {
        let tree = try ResultsTree()
        var rows: [ResultRow] = []
        for number in 0..<6 {
            rows += [ResultsTree.textAlone("alone-\(number)"), ResultsTree.row("pictured-\(number)")]
        }
        try tree.seal(rows, as: 1)
        let shown = try gallery(tree, count: 3)
        #expect(shown.keys.sorted() == ["pictured-0", "pictured-2", "pictured-4"])
    }

    /// Screens of the fixture beside those that were looked at and committed; `WINNOW_RECORD=1` takes new ones.
    @Test(
        .enabled(if: Chromium.isInstalled, "needs Debian's chromium"),
        .enabled(if: screens.areThere, "no screens were recorded yet: run it with WINNOW_RECORD=1"),
        arguments: [
            ("light", "theme=light", 1320, 2600), ("dark", "theme=dark&step=2&view=flow", 1320, 2600),
            ("detail", "theme=light&batch=2&job=q-3&step=3&patch=40", 1320, 820), ("narrow", "theme=dark", 420, 3600),
        ])
    func itLooksAsItDid(name: String, hash: String, width: Int, height: Int) throws {
        let (fixture, page) = try page()
        let taken = try Chromium(html: page.html, hash: hash).screen(width: width, height: height)
        withExtendedLifetime(fixture) {}
        let difference = try #require(try Self.screens.difference(of: taken, from: name))
        #expect(difference < 4, "\(name) differs by \(difference) of 255")
        if name == "light", !RecordedScreens.isRecording {
            // The measure tells pages apart: the dark one is far off.
            let far = try #require(try Self.screens.difference(between: "light", and: "dark"))
            #expect(far > 40)
        }
    }
}
