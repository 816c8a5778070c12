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
            #expect(lines.dropFirst().allSatisfy { $0.contains("/4, ") && !$0.contains("█") })
            #expect(lines.last?.contains("4/4, finished") == true)
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
            #expect(last.contains("█") && !last.contains("░") && last.contains("jobs/s") && last.contains("finished"))
            #expect(end.output.contains(" left  "))
        }

        /// What a command shows in a terminal of 60 columns, one text for each time that a line was written.
        private func narrow(_ arguments: String) async throws -> [Substring] {
            let binary = try RunningWinnow.binary()
            let terminal = try RunningWinnow(
                ["-qec", "stty cols 60; '\(binary)' \(arguments)", "/dev/null"], program: script)
            let end = try await terminal.end()
            #expect(end.code == 0, "\(end)")
            return end.output.replacing("\u{1B}[2K", with: "").split { $0.isNewline || $0 == "\r" }
        }

        @Test(
            .enabled(if: script != nil, "needs pseudo-terminals, and script of Debian's bsdutils"),
            arguments: [
                "methods", "methods show sparsevlm",
                "flops --model llava-1.5-7b --method ficoco-v --keep 64 --text-tokens 60",
            ])
        func tablesFitTheTerminal(_ arguments: String) async throws {
            let lines = try await narrow(arguments)
            #expect(lines.count > 10)
            for line in lines { #expect(line.count <= 60, "\(line)") }
        }

        @Test(.enabled(if: script != nil, "needs pseudo-terminals, and script of Debian's bsdutils"))
        func progressAndAnswersFitTheTerminal() async throws {
            let batch = try TestBatch(Demo.items(20), maxTokens: 4)
            let lines = try await narrow("run '\(batch.path)'")
            for line in lines where line.contains("█") || line.contains("░") { #expect(line.count < 60, "\(line)") }
            #expect(lines.contains { $0.contains("20/20") && $0.contains("█") && $0.contains("finished") })
            let table = lines.drop { !$0.hasPrefix("id") }.prefix { !$0.contains("jobs succeeded") }
            #expect(table.count > 20 && table.allSatisfy { $0.count <= 60 })
        }
    }
}
