import Analysis
import Foundation
import Intervals
import JobVocabulary
import ResultFiles
import TestSupport
import Testing

/// The same questions, method beside method.
@Suite struct ComparisonTests {
    private struct Payload: Decodable {
        struct Share: Decodable, Equatable {
            let share: Double
            let scored: Int
        }
        struct Difference: Decodable { let value, low, high: Double }
        struct Pair: Decodable {
            let first, second, both, onlyFirst, onlySecond, neither: Int
            let agreement: Share?
            let difference: Difference?
        }
        struct Group: Decodable {
            struct Cell: Decodable {
                let accuracy: Share?
                let difference: Difference?
            }
            let label, value: String
            let questions: Int
            let cells: [Cell]
        }
        struct Comparison: Decodable {
            let questions: Int
            let unshared: [Int]
            let pairs: [Pair]
            let groups: [Group]
        }
        struct Batch: Decodable { let name, series: String }
        struct Job: Decodable {
            let id: String
            let batch: Int
        }
        let comparison: Comparison?
        let batches: [Batch]
        let gallery: [Job]

        init(_ page: ReportPage) throws {
            let start = try #require(page.html.range(of: #"id="data">"#))
            let end = try #require(page.html.range(of: "</script>", range: start.upperBound..<page.html.endIndex))
            self = try JSONDecoder().decode(
                Payload.self, from: Data(page.html[start.upperBound..<end.lowerBound].utf8))
        }
    }

    private func page(_ sources: [ReportPage.Source], gallery: Int = 48) throws -> ReportPage {
        try ReportPage(sources, title: nil, gallery: gallery, software: "", now: ReportFixture.now)
    }

    @Test func pairsAndLabelsOfTheFixture() throws {
        let fixture = try ReportFixture()
        let page = try page(fixture.sources), payload = try Payload(page)
        let comparison = try #require(payload.comparison)
        #expect(comparison.questions == 12 && comparison.unshared == [0, 0, 0] && page.sharedQuestions == 12)
        #expect(comparison.pairs.map(\.first) == [0, 0, 1] && comparison.pairs.map(\.second) == [1, 2, 2])
        let counts = comparison.pairs.map { [$0.both, $0.onlyFirst, $0.onlySecond, $0.neither] }
        // The job that failed in the third batch is not scored.
        #expect(counts == [[8, 1, 0, 3], [6, 3, 0, 2], [6, 2, 0, 3]])
        let equal = [(11, 12), (8, 11), (9, 11)].map { Payload.Share(share: Double($0) / Double($1), scored: $1) }
        #expect(comparison.pairs.map(\.agreement) == equal)
        // The interval of an evaluation: differences of questions, drawn picture by picture.
        let first = try #require(comparison.pairs[0].difference)
        let differences: [Double] = (0..<12).map { $0 == 8 ? -1 : 0 }
        let bootstrap = PairedBootstrap(differences, clusters: (0..<12).map { "picture-\($0 % 4).png" })
        #expect(first.value == bootstrap.mean && first.low == bootstrap.low && first.high == bootstrap.high)
        #expect(abs(first.value + 1.0 / 12) < 1e-12 && first.low < first.value)

        // "number" has a value of its own for every question and makes no groups.
        #expect(comparison.groups.map { "\($0.label) \($0.value)" } == [" ", "kind even", "kind odd"])
        #expect(comparison.groups.map(\.questions) == [12, 6, 6])
        let even = [5, 4, 3].map { Payload.Share(share: Double($0) / 6, scored: 6) }
        #expect(comparison.groups[1].cells.map(\.accuracy) == even)
        #expect(comparison.groups.allSatisfy { $0.cells[0].difference == nil && $0.cells[1].difference != nil })
    }

    @Test func questionsOnWhichMethodsDifferComeFirst() throws {
        let fixture = try ReportFixture()
        let jobs = try Payload(page(fixture.sources, gallery: 4)).gallery
        // They differ on q-6 to q-8 and q-11, where one failed; a quarter of the page is for others.
        #expect(jobs.map(\.batch) == [0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2])
        #expect(jobs.filter { $0.batch == 0 }.map(\.id) == ["q-6", "q-7", "q-8", "q-0"])
        let all = try Payload(page(fixture.sources)).gallery.filter { $0.batch == 0 }.map(\.id)
        #expect(all.count == 12 && all.prefix(4) == ["q-6", "q-7", "q-8", "q-11"])
        #expect(try Payload(page(fixture.sources, gallery: 0)).gallery.isEmpty)
    }

    /// A folder with some rows of a batch called demo.
    private func tree(_ rows: [ResultRow], method: String = "ficoco-v") throws -> ResultsTree {
        let tree = try ResultsTree()
        try tree.seal(rows, as: 1, header: ResultsTree.header(method: method))
        return tree
    }

    @Test func batchesOfOneNameAreToldApart() throws {
        let rows = [ResultsTree.row("a")]
        let trees = try [tree(rows), tree(rows), tree(rows)]
        let names = try Payload(page(trees.map { try ReportPage.Source(Catalogue($0.folder)) })).batches.map(\.name)
        // All lie in folders called batch, inside of folders of their own.
        #expect(Set(names).count == 3)
        for (name, tree) in zip(names, trees) {
            #expect(name == "demo-1 (\(tree.directory.url.lastPathComponent)/batch)")
        }
        let others = try [tree(rows), tree([ResultsTree.row("a", method: "ficoco-l")], method: "ficoco-l")]
        let payload = try Payload(page(others.map { try ReportPage.Source(Catalogue($0.folder)) }))
        #expect(payload.batches.map(\.name) == ["demo-1 · ficoco-v, keep 192", "demo-1 · ficoco-l, keep 192"])
        #expect(Set(payload.batches.map(\.series)).count == 2, "no line joins these")
    }

    @Test func onlyTheSameQuestionsStandSideBySide() throws {
        var changed = ResultsTree.row("b")
        changed.prompt = "Another question under the same id?"
        let trees = try [tree([ResultsTree.row("a"), ResultsTree.row("b")]), tree([ResultsTree.row("a"), changed])]
        let sources = try trees.map { try ReportPage.Source(Catalogue($0.folder)) }
        let comparison = try #require(try Payload(page(sources)).comparison)
        #expect(comparison.questions == 1 && comparison.unshared == [1, 1])
        #expect(comparison.pairs[0].agreement == .init(share: 1, scored: 1))

        let strangers = try [tree([ResultsTree.row("a")]), tree([ResultsTree.row("c")])]
        defer { withExtendedLifetime(strangers) {} }
        let page = try page(strangers.map { try ReportPage.Source(Catalogue($0.folder)) })
        #expect(try Payload(page).comparison == nil && page.sharedQuestions == nil)
        #expect(try Payload(page).gallery.map(\.id) == ["a", "c"])
        #expect(page.remarks.contains { $0.contains("no question is in all of these results") })
        #expect(try Payload(self.page([sources[0]])).comparison == nil)
    }

    /// Lines join the budgets of one method.
    @Test func budgetsOfOneMethodAreASeries() throws {
        let fixture = try ReportFixture()
        let series = try Payload(page(fixture.sources)).batches.map(\.series)
        #expect(series[1] == series[2] && series[0] != series[1])
    }

    /// A question alone says nothing about others: its difference stands there without an interval, and not in bold.
    @Test(.enabled(if: Chromium.isInstalled, "needs Debian's chromium")) func oneQuestionMakesNoInterval() throws {
        let trees = try [false, true].map { isRight in
            let rows = (0..<6).map { number in
                var row = ResultsTree.row("q-\(number)")
                row.labels = #"{"kind":"\#(number == 0 ? "rare" : "usual")"}"#
                // The second method is right everywhere, the first neither there nor on one of the usual questions.
                let isWrong = !isRight && [0, 3].contains(number)
                (row.answer, row.correct) = (isWrong ? "no" : row.id, isWrong ? 0 : 1)
                return row
            }
            return try tree(rows, method: isRight ? "ficoco-v" : "ficoco-l")
        }
        let page = try page(trees.map { try ReportPage.Source(Catalogue($0.folder)) })
        let shown = try Chromium(html: page.html).load()
        withExtendedLifetime(trees) {}
        #expect(shown.complaints == [])
        let row = try #require(shown.document.components(separatedBy: "<tr").first { $0.contains("kind: rare") })
        #expect(row.contains(">+100.0</span>") && !row.contains("<strong"), "\(row)")
    }

    @Test(.enabled(if: Chromium.isInstalled, "needs Debian's chromium")) func hostileTextStaysText() throws {
        let evil = "<img src=x onerror=alert(1)>"
        var row = ResultsTree.row("a")
        (row.id, row.prompt, row.answer, row.labels) = (evil, evil, evil, #"{"kind":"\#(evil)"}"#)
        var header = ResultsTree.header()
        header.batch = evil
        let trees = try [ResultsTree(), ResultsTree()]
        defer { withExtendedLifetime(trees) {} }
        for tree in trees {
            try tree.seal(
                [row, ResultsTree.row("b"), ResultsTree.row("c"), ResultsTree.row("d")], as: 1, header: header)
        }
        let page = try page(trees.map { try ReportPage.Source(Catalogue($0.folder)) })
        let shown = try Chromium(html: page.html).load()
        #expect(!shown.document.contains("<img") && shown.document.contains("&lt;img"))
        #expect(shown.complaints == [])
        let count = shown.document.firstRange(of: "id=\"shown\"").map { shown.document[$0.lowerBound...].prefix(60) }
        #expect(count?.contains("4 shown of 4 in this page") == true, "\(count ?? "") \(page.remarks)")
    }

    /// Nothing is wider than a narrow screen, and no text is smaller than can be read there.
    @Test(.enabled(if: Chromium.isInstalled, "needs Debian's chromium")) func narrowScreensCutNothingOff() throws {
        let fixture = try ReportFixture()
        let probe = """
            <script>const seen = setInterval(() => { if (!document.documentElement.dataset.ready) return; clearInterval(seen);
            const all = [...document.querySelectorAll("main *")].filter((e) => e.getClientRects().length && !e.closest("option, select"));
            const wide = all.filter((e) => e.getBoundingClientRect().right > innerWidth + 1 || (e.closest(".scroll, .cells") && e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).display !== "inline"));
            const small = all.filter((e) => [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim()) && parseFloat(getComputedStyle(e).fontSize) < 11);
            document.documentElement.dataset.probe = `${innerWidth} ${wide.length} ${small.length} ${[...wide, ...small].slice(0, 3).map((e) => e.outerHTML.slice(0, 90))}`; }, 50);
            </script></body>
            """
        let html = try page(fixture.sources).html.replacing("</body>", with: probe)
        let text = try Chromium(html: html).load(width: 500).document
        #expect(
            text.contains(#"data-probe="500 0 0 ""#),
            "\(text.firstRange(of: "data-probe").map { text[$0.lowerBound...].prefix(600) } ?? "")")
    }
}
