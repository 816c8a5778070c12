import Foundation
import Testing

/// Runs a program on a pseudo-terminal; nil where there is none, as in a bare container.
private let script: String? = {
    let terminal = open("/dev/ptmx", O_RDWR)
    defer { close(terminal) }
    return terminal < 0 ? nil : ["/usr/bin/script"].first(where: FileManager.default.isExecutableFile)
}()

extension BlackBox {
    /// What one sees while a batch runs.
    @Suite struct ProgressTests {
        @Test func withoutATerminalThereArePlainLines() async throws {
            let batch = try TestBatch(Demo.items(4), maxTokens: 1)
            let end = try await winnow("run", batch.path)
            #expect(end.code == 0, "\(end)")
            let lines = end.errors.split(separator: "\n")
            #expect(lines.first?.contains("storing about") == true)
            #expect(lines.dropFirst().allSatisfy { $0.contains("/4  ") && $0.contains("jobs/s") })
            #expect(lines.last?.contains("4/4") == true)
            #expect(!end.errors.contains("\r") && !end.errors.contains("\u{1B}"))
        }

        @Test(.enabled(if: script != nil, "needs pseudo-terminals, and script of Debian's bsdutils"))
        func onATerminalThereIsABarWithRateAndTimeLeft() async throws {
            let batch = try TestBatch(Demo.items(40), maxTokens: 4)
            let binary = try RunningWinnow.binary()
            let terminal = try RunningWinnow(
                ["-qec", "'\(binary)' run '\(batch.path)' --output json", "/dev/null"], program: script)
            let end = try await terminal.end()
            #expect(end.code == 0, "\(end)")
            #expect(end.output.contains("\r\u{1B}[2K"))
            let last = try #require(end.output.components(separatedBy: "\r").last { $0.contains("40/40") })
            #expect(last.contains("█") && !last.contains("░") && last.contains("jobs/s") && last.contains("0:00 left"))
        }
    }
}
