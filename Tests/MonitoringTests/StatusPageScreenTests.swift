import Foundation
import Monitoring
import TestSupport
import Testing

/// The status page in each of its states, beside screens that were looked at and committed; `WINNOW_RECORD=1` takes new ones.
@Suite(.serialized) struct StatusPageScreenTests {
    private static let screens = RecordedScreens("status")

    /// What is shown: a state of a coordinator, and of it all or one batch.
    struct View: CustomTestStringConvertible {
        let state: ShownState
        var batch = ""
        var testDescription: String { batch.isEmpty ? "\(state)" : "\(state)-batch" }
        var hash: String { batch.isEmpty ? "" : "batch=\(batch)" }

        static let all =
            ShownState.allCases.map { View(state: $0) }
            + [.working, .failures].map { View(state: $0, batch: "receipts") }
    }

    /// Lets a test look at the page of a coordinator in some state.
    private func look<Seen: Sendable>(
        at state: ShownState, _ body: @escaping @Sendable (_ url: String) throws -> Seen
    ) async throws -> Seen {
        let answering = AnsweringCoordinator()
        let board = StatusBoard { answering.answer() }
        let address = try #require(ListenAddress("0"))
        let server = try await awayFromTasks { try MonitoringServer(address, board: board) }
        defer { server.stop() }
        answering.begin(board, state)
        let url = server.url
        return try await awayFromTasks { try body(url) }
    }

    @Test(
        .enabled(if: Chromium.isInstalled, "needs Debian's chromium"),
        .enabled(if: screens.areThere, "no screens were recorded yet: run it with WINNOW_RECORD=1"),
        arguments: View.all, [(1400, 1240, false), (1400, 1240, true), (400, 1800, true)])
    func itLooksAsItDid(view: View, screen: (width: Int, height: Int, isDark: Bool)) async throws {
        let name = "\(view.testDescription)-\(screen.width)-\(screen.isDark ? "dark" : "light")"
        let difference = try await look(at: view.state) { url in
            let taken = try Chromium(url + "/#" + view.hash).screen(
                width: screen.width, height: screen.height, isDark: screen.isDark)
            return try Self.screens.difference(of: taken, from: name)
        }
        #expect(try #require(difference) < 0.5, "\(name) differs by \(difference ?? 255) of 255")
    }

    /// Nothing is cut off, and nothing scrolls sideways.
    @Test(.enabled(if: Chromium.isInstalled, "needs Debian's chromium"), arguments: View.all, [1400, 400])
    func allOfItCanBeRead(view: View, width: Int) async throws {
        let faults = try await look(at: view.state) { url in
            // One page with all in it, which may be measured; what it asks for is what the server says now.
            let parts = try ["/page.css", "/page.js", "/status.json?\(view.hash)", "/"].map {
                try WebClient.get(url + $0).text
            }
            let page = parts[3].replacing(
                #"<link rel="stylesheet" href="/page.css">"#, with: "<style>\(parts[0])</style>"
            )
            .replacing(#"<script src="/page.js" defer></script>"#, with: "")
            .replacing(
                "</body>",
                with:
                    "<script>window.fetch = async () => new Response(JSON.stringify(\(parts[2])));\n\(parts[1])</script></body>"
            )
            return try PageLayout.faults(page, hash: view.hash, width: width)
        }
        #expect(faults == [])
    }

    /// A batch's row leads to a page about it, which has its method, its results, its parameters and its failures.
    @Test(.enabled(if: Chromium.isInstalled, "needs Debian's chromium")) func aBatchHasAPage() async throws {
        let (all, one, none) = try await look(at: .failures) { url in
            let pages = try ["", "/#batch=receipts", "/#batch=reciepts"].map { try Chromium(url + $0).load() }
            return (pages[0], pages[1], pages[2])
        }
        #expect(all.complaints + one.complaints + none.complaints == [])
        // The name with method and results, and the number of failures.
        #expect(all.document.components(separatedBy: ##"href="#batch=receipts""##).count >= 1 + 2)
        #expect(all.document.contains(#"<div id="batch" hidden"#) && !one.document.contains(#"<div id="batch" hidden"#))
        for words in [
            ">Batch receipts<", "ficoco-v, 64 tokens", "<code>/data/results/receipts</code>",
            "model: /models/llava-1.5-7b",
            "<code>winnow jobs receipts --state failed</code>", ">9,990<", "scan-2", "TIFF pictures are not read",
        ] { #expect(one.document.contains(words), "\(words)") }
        #expect(none.document.contains("There is no batch reciepts") && !none.document.contains("scan-2"))
    }

    /// What a worker holds is told apart: what it computes, what waits there, and what is to be written.
    @Test(.enabled(if: Chromium.isInstalled, "needs Debian's chromium")) func numbersOfWorkAddUp() async throws {
        let page = try await look(at: .working) { try Chromium($0).load() }.document
        #expect(
            page.contains(">8 of 8 in work, 2 sent ahead, 370 to write<")
                && page.contains(">8 of 8 in work, 2 sent ahead<"))
        #expect(page.contains(">370 to write, 20 handed out, 5,510 waiting<"))
        #expect(page.contains(#"<b id="running">16</b>"#) && page.contains(">4 sent ahead, 370 to write<"))
    }

    /// The measure tells the states apart.
    @Test(.enabled(if: screens.areThere, "no screens were recorded yet"))
    func theStatesLookDifferent() throws {
        let names = View.all.map { "\($0.testDescription)-1400-light" }
        for (number, name) in names.enumerated() {
            for other in names[(number + 1)...] {
                let difference = try #require(try Self.screens.difference(between: name, and: other))
                #expect(difference > 1, "\(name) and \(other) differ by \(difference) of 255")
            }
        }
    }
}
