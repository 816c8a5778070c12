import Analysis
import Foundation
import ImageDecoding
import JobVocabulary
import ResultFiles
import TestSupport
import Testing

@Suite struct ReportPageTests {
    private static let screens = RecordedScreens("report")

    private func page() throws -> (fixture: Any, page: ReportPage) { try View.compared.page() }

    /// The median latency of each batch, in milliseconds as the page writes it.
    private func medians(_ page: ReportPage) throws -> [Double] {
        struct Payload: Decodable {
            struct Latency: Decodable { let p50: Double }
            struct Batch: Decodable { let latency: Latency }
            let batches: [Batch]
        }
        let start = try #require(page.html.range(of: #"id="data">"#)).upperBound
        let end = try #require(page.html.range(of: "</script>", range: start..<page.html.endIndex)).lowerBound
        return try JSONDecoder().decode(Payload.self, from: Data(page.html[start..<end].utf8)).batches.map {
            1000 * $0.latency.p50
        }
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
            "−8.3 (−25.0&nbsp;to&nbsp;0)", ">medians; 95 % within ",
            // Methods side by side have a value each, and no mean of all.
            "14–<wbr><span>144<small>", ">means; least to most<",
        ] {
            #expect(text.contains(words), "\(words)")
        }
        #expect(text.components(separatedBy: "<svg").count == 1 + 6)
        // From the median of the fastest method to that of the slowest.
        let ends = try medians(page).sorted().map { String(format: "%.0f", $0) }
        #expect(ends[0] != ends[2] && text.contains("\(ends[0])–<wbr><span>\(ends[2])<small> ms"), "\(ends)")
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

    /// The pages that a report may be.
    enum View: String, CaseIterable {
        /// Three batches side by side, one batch, the cells of an evaluation, and more cells than there are colours.
        case compared, one, evaluation, grid
        /// Batches with long names.
        case long

        /// The page, with what must live as long.
        func page() throws -> (fixture: Any, page: ReportPage) {
            func page(_ sources: [ReportPage.Source], _ title: String?, _ gallery: Int) throws -> ReportPage {
                try ReportPage(
                    sources, title: title, gallery: gallery, software: "winnow test", now: ReportFixture.now)
            }
            switch self {
            case .compared:
                let fixture = try ReportFixture()
                return (fixture, try page(fixture.sources, "Half & <less>", 12))
            case .one:
                let fixture = try ReportFixture()
                return (fixture, try page([fixture.sources[2]], nil, 12))
            case .evaluation:
                let fixture = try EvaluationFixture(methods: ["fastv", "ficoco-v"], budgets: [72, 68, 64])
                return (fixture, try page(fixture.sources, nil, 2))
            case .grid:
                let fixture = try EvaluationFixture(
                    methods: ["fastv", "ficoco-v", "sparsevlm"], budgets: [96, 72, 68, 64])
                return (fixture, try page(fixture.sources, "grid", 2))
            case .long:
                let fixture = try ReportFixture(prefix: "receipts-of-the-second-quarter-of-2026-")
                return (fixture, try page(fixture.sources, nil, 2))
            }
        }
    }

    /// All text stays in its box, covers nothing and is large enough; in charts each point has a name.
    @Test(
        .enabled(if: Chromium.isInstalled, "needs Debian's chromium"), arguments: View.allCases, [1400, 900, 400])
    func allOfItCanBeRead(view: View, width: Int) throws {
        let (fixture, page) = try view.page()
        #expect(try PageLayout.faults(page.html, width: width) == [])
        if view == .compared {
            #expect(try PageLayout.faults(page.html, hash: "batch=2&job=q-3&step=3&patch=40", width: width) == [])
        }
        withExtendedLifetime(fixture) {}
    }

    /// The measure finds what is wrong with a page.
    @Test(.enabled(if: Chromium.isInstalled, "needs Debian's chromium")) func faultsOfLayoutAreFound() throws {
        let faults = try PageLayout.faults(
            """
            <!doctype html><body style="font:16px sans-serif"><div style="border:1px solid;width:90px;white-space:nowrap">6.37 ms to 18.4 ms</div>
            <div style="width:40px;overflow:hidden;white-space:nowrap">cut in the middle</div><input size="4" placeholder="id, question or answer">
            <svg viewBox="0 0 200 50" width="200" height="50"><text x="9" y="20">one</text><text x="19" y="24">two</text><circle class="point" cx="90" cy="9" r="4"/></svg>
            <p style="width:900px">wide</p></body>
            """, width: 400)
        for fault in [
            "text leaves its box: \"6.37", "text is cut off", "placeholder is cut off", "text covers",
            "1 points have 0 names", "scrolls sideways",
        ] {
            #expect(faults.contains { $0.contains(fault) }, "\(fault): \(faults)")
        }
    }

    /// Lines join the budgets of one method and nothing else.
    @Test(
        .enabled(if: Chromium.isInstalled, "needs Debian's chromium"),
        arguments: [(View.evaluation, 7, 2), (.grid, 12, 3), (.compared, 3, 1)])
    func noLineJoinsMethods(view: View, points: Int, lines: Int) throws {
        let (fixture, page) = try view.page()
        let shown = try Chromium(html: page.html).load()
        withExtendedLifetime(fixture) {}
        #expect(shown.complaints == [])
        #expect(shown.document.components(separatedBy: #"class="point""#).count == 1 + points)
        let joined = shown.document.components(separatedBy: "<polyline ").dropFirst().filter {
            $0.contains(#"class="joined""#)
        }
        #expect(joined.count == lines)
        let ends = joined.map { $0.prefix(while: { $0 != ">" }).split(separator: ",").count - 1 }
        #expect(ends.allSatisfy { $0 == (view == .grid ? 4 : view == .evaluation ? 3 : 2) }, "\(ends)")
    }

    /// Each batch and each phase has a colour that nothing else has, in light and in dark.
    @Test func noColourMeansTwoThings() throws {
        struct Payload: Decodable {
            struct Phase: Decodable { let name: String }
            struct Batch: Decodable { let flops, seconds: [Phase] }
            let batches: [Batch]
        }
        let pages = try [View.compared, .evaluation].map { try $0.page().page.html }
        let phases = try pages.flatMap { html in
            let start = try #require(html.range(of: #"id="data">"#)).upperBound
            let end = try #require(html.range(of: "</script>", range: start..<html.endIndex)).lowerBound
            return try JSONDecoder().decode(Payload.self, from: Data(html[start..<end].utf8)).batches.flatMap {
                ($0.flops + $0.seconds).map { "phase-" + $0.name.replacing(" ", with: "-") }
            }
        }
        let expected = Set(phases).union((0..<8).map { "b\($0)" }).union(["unreduced"])
        let blocks = try Palette.all(in: pages[0])
        #expect(blocks.count == 3)
        for palette in blocks {
            #expect(Set(palette.colours.keys) == expected)
            let pair = palette.nearest
            #expect(pair.distance > 12, "\(pair)")
        }
    }

    /// Screens that were looked at and committed; `WINNOW_RECORD=1` takes new ones.
    @Test(
        .enabled(if: Chromium.isInstalled, "needs Debian's chromium"),
        .enabled(if: screens.areThere, "no screens were recorded yet: run it with WINNOW_RECORD=1"),
        arguments: [
            ("compared-1400-light", View.compared, "theme=light", 1400, 2600),
            ("compared-1400-dark", .compared, "theme=dark&step=2&view=flow", 1400, 2600),
            ("compared-400-dark", .compared, "theme=dark", 400, 3600),
            ("detail-1400-light", .compared, "theme=light&batch=2&job=q-3&step=3&patch=40", 1400, 820),
            ("detail-400-light", .compared, "theme=light&batch=2&job=q-3&step=3&patch=40", 400, 900),
            ("one-1400-light", .one, "theme=light", 1400, 2200), ("one-1400-dark", .one, "theme=dark", 1400, 2200),
            ("one-400-light", .one, "theme=light", 400, 4200),
            ("evaluation-1400-light", .evaluation, "theme=light", 1400, 2400),
            ("evaluation-1400-dark", .evaluation, "theme=dark", 1400, 2400),
            ("evaluation-400-light", .evaluation, "theme=light", 400, 5200),
            ("grid-1400-light", .grid, "theme=light", 1400, 2200), ("grid-400-dark", .grid, "theme=dark", 400, 3600),
        ])
    func itLooksAsItDid(name: String, view: View, hash: String, width: Int, height: Int) throws {
        let (fixture, page) = try view.page()
        let taken = try Chromium(html: page.html, hash: hash).screen(width: width, height: height)
        withExtendedLifetime(fixture) {}
        let difference = try #require(try Self.screens.difference(of: taken, from: name))
        #expect(difference < 4, "\(name) differs by \(difference) of 255")
        if name == "compared-1400-light", !RecordedScreens.isRecording {
            // The measure tells pages apart: the dark one is far off.
            let far = try #require(try Self.screens.difference(between: name, and: "compared-1400-dark"))
            #expect(far > 40)
        }
    }
}
