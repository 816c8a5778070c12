import Foundation
import JobModel
import TestSupport
import Testing

extension BlackBox {
    /// `winnow run`, from the batch file to the result files.
    @Suite struct RunTests {
        struct Report: Decodable {
            struct Answer: Decodable {
                let id, question, answer, error: String
                let visualTokens: Int
                let milliseconds: Double
            }

            let batch: Services.Batch
            let answers: [Answer]
            let shards: [String]
        }

        @Test(arguments: [("none", 576), ("ficoco-v", 192), ("ficoco-l", 192), ("ficoco-vl", 192)])
        func everyMethodDeliversWhatWasAskedFor(method: String, tokens: Int) async throws {
            let reduces = method != "none"
            let batch = try TestBatch(
                Demo.items(6, every: 3), method: reduces ? "{name: \(method), keep: \(tokens)}" : method, workers: 2)
            let end = try await winnow("run", batch.path, "--output", "json")
            try #require(end.code == 0, "\(end)")
            let report = try Report(printed: end.output)
            #expect(report.answers.map(\.id) == batch.items.map(\.id))
            #expect(report.answers.allSatisfy { $0.visualTokens == tokens && $0.error.isEmpty && !$0.answer.isEmpty })
            #expect(report.batch.succeeded == 6 && report.batch.failed == 0)

            let shards = try Shard.all(in: batch.results)
            #expect(Set(shards.map(\.path)) == Set(report.shards))
            let rows = shards.flatMap(\.rows)
            #expect(rows.map(\.id).sorted() == batch.items.map(\.id).sorted())
            let width = try Demo.width()
            for shard in shards {
                #expect(shard.grids == [[24, 24]] && shard.width == width && shard.batch == report.batch.batch)
                #expect(shard.method.contains(#""name":"\#(method)""#))
            }
            for row in rows {
                #expect(!row.failed && row.kept.count == tokens && row.leftAt.count == 576)
                #expect(row.kept.map { Int($0) } == row.leftAt.indices.filter { row.leftAt[$0] == 255 })
                #expect(Set(row.mergeSources).isDisjoint(with: row.kept) && row.mergeSources.isEmpty == !reduces)
                #expect(row.answer == report.answers.first { $0.id == row.id }?.answer)
                switch method {
                case "ficoco-v": #expect(row.features == 192)
                case "ficoco-vl": #expect((193..<576).contains(row.features))
                default: #expect(row.features == 576)
                }
            }

            for item in reduces ? batch.items.prefix(1) : batch.items.prefix(2) {
                var arguments = ["answer", "--model", Demo.model, "--image", "\(Demo.folder)/\(item.image)"]
                arguments += ["--prompt", item.prompt, "--template", "hf", "--precision", "f32", "--threads", "1"]
                arguments += ["--max-tokens", "8", "--output", "json"]
                if reduces { arguments += ["--method", method, "--keep", "\(tokens)"] }
                let answer = try await winnow(arguments)
                let single = try AnswerTests.Answer(printed: answer.output)
                let row = try #require(rows.first { $0.id == item.id })
                #expect(single.tokenIds == row.tokenIDs.map { Int($0) } && single.text == row.answer)
                #expect(single.visualTokens == tokens && single.visualTokensDelivered == row.features)
            }
        }

        @Test(.enabled(if: SystemPython.hasH5py, "needs Debian's python3-h5py"))
        func theTableEndsWithASnippetThatRuns() async throws {
            let batch = try TestBatch(Demo.items(3))
            let end = try await winnow("run", batch.path)
            try #require(end.code == 0, "\(end)")
            let lines = end.output.components(separatedBy: "\n")
            #expect(lines.first?.hasPrefix("id ") == true && lines.first?.contains("tokens") == true)
            for item in batch.items {
                let line = try #require(lines.first { $0.hasPrefix(item.id + " ") })
                #expect(line.contains("  192  "))
            }
            #expect(end.output.contains("3 of 3 jobs succeeded, 0 failed"))
            let heading = try #require(lines.firstIndex { $0.contains("h5py:") })
            let snippet = lines[(heading + 1)...].filter { !$0.isEmpty }
            #expect(snippet.count == 3)
            let width = try Demo.width()
            let printed = try SystemPython.run(snippet.map { $0.drop { $0 == " " } }.joined(separator: "\n"))
            #expect(batch.items.contains { printed.hasPrefix($0.id) } && printed.hasSuffix("(192, \(width))\n"))
        }

        @Test func theEndSaysHowManyAnswersAreRight() async throws {
            let batch = try TestBatch(Demo.items(12))
            let end = try await winnow("run", batch.path)
            let accuracy = try #require(end.output.split(separator: "\n").first { $0.hasPrefix("accuracy ") })
            let right = try Shard.all(in: batch.results).flatMap(\.rows).count { row in
                let item = batch.items.first { $0.id == row.id }
                return AcceptedAnswers.contain(row.answer, item?.answers ?? []) == true
            }
            let share = String(format: "%.1f", 100 * Double(right) / 12)
            #expect(
                right > 0
                    && accuracy.hasPrefix("accuracy \(share) % (95 % interval "),
                "\(accuracy)")
        }

        @Test func aSecondRunGetsAFolderOfItsOwn() async throws {
            let batch = try TestBatch(Demo.items(1), maxTokens: 1)
            let first = try await winnow("run", batch.path, "--output", "json")
            let before = try Shard.all(in: batch.results).map(\.path)
            let second = try await winnow("run", batch.path, "--new", "--output", "json")
            try #require(first.code == 0 && second.code == 0, "\(second)")
            #expect(try Report(printed: first.output).batch.results == batch.results)
            #expect(try Report(printed: second.output).batch.results == batch.results + "-2")
            #expect(try Shard.all(in: batch.results).map(\.path) == before)
            #expect(try Shard.all(in: batch.results + "-2").count == 1)
        }

        /// Results are found by their folder, by the batch file and by the batch's name, and it is said which ones are meant.
        @Test func resultsAreFoundByTheNameOfTheBatch() async throws {
            let batch = try TestBatch(Demo.items(2), method: "none", maxTokens: 2)
            for arguments in [["--output", "quiet"], ["--new", "--output", "quiet"]] {
                let end = try await winnow(["run", batch.path, "--features", "none"] + arguments)
                try #require(end.code == 0, "\(end)")
            }
            func count(_ results: String...) async throws -> RunningWinnow.End {
                try await RunningWinnow(
                    ["results", "query", "SELECT COUNT(*) AS jobs FROM jobs", "--output", "csv"] + results,
                    in: batch.folder.url
                ).end()
            }
            let older = try await count("results/batch")
            #expect(older.code == 0 && older.output.split(whereSeparator: \.isNewline) == ["jobs", "2"], "\(older)")
            #expect(older.errors == "winnow: results/batch is not the last run: results/batch-2 is newer\n")
            #expect(try await count("results/batch-2").errors == "")
            #expect(try await count("batch").errors == "winnow: results of batch batch: results/batch-2\n")
            #expect(try await count("batch.yaml").errors == "winnow: results of batch.yaml: results/batch-2\n")
            let none = try await count("btach")
            #expect(none.code == 2 && none.errors.hasSuffix("; here are results of batch\n"), "\(none)")
            #expect(try await count().code == 2)
            // Wherever it was told to write.
            let moved = batch.folder.file("moved.yaml")
            let words = try String(contentsOfFile: batch.path, encoding: .utf8)
            try Data("name: elsewhere\nresults: results/of-june\n\(words)".utf8).write(to: moved)
            #expect(try await winnow("run", moved.path, "--features", "none", "--output", "quiet").code == 0)
            #expect(try await count("elsewhere").errors == "winnow: results of batch elsewhere: results/of-june\n")
            // A batch of such a name is another one.
            let other = batch.folder.file("other.yaml")
            let text = try String(contentsOfFile: batch.path, encoding: .utf8)
            try Data("name: batch-3\n\(text)".utf8).write(to: other)
            #expect(try await winnow("run", other.path, "--features", "none", "--output", "quiet").code == 0)
            #expect(try await count("batch").errors == "winnow: results of batch batch: results/batch-2\n")
            #expect(try await count("results/batch-3").errors == "")
            #expect(try await count("results/batch-2").errors == "")
            let resumed = try await winnow(
                "run", batch.path, "--resume", "--features", "none", "--output", "quiet")
            #expect(resumed.code == 0 && resumed.output.hasSuffix("/results/batch-2\n"), "\(resumed)")
            let page = try await winnow("report", "batch", "--output", "quiet", in: batch.folder.url)
            #expect(page.code == 0 && page.output == "results/batch-2/report.html\n", "\(page)")
            // A folder of that name, such as that of the pictures, is neither read nor written.
            try FileManager.default.createDirectory(
                at: batch.folder.file("batch"), withIntermediateDirectories: false)
            let again = try await winnow("report", "batch", "--output", "quiet", in: batch.folder.url)
            #expect(again.code == 0 && again.output == "results/batch-2/report.html\n", "\(again)")
            let swapped = try await winnow("results", "show", "results/batch", "x", in: batch.folder.url)
            #expect(swapped.code == 2 && swapped.errors.contains("name the job first"), "\(swapped)")
        }

        @Test func interruptedItEndsItsProcessesAndSaysSo() async throws {
            let batch = try TestBatch(Demo.items(2000), workers: 2)
            let run = try RunningWinnow(["run", batch.path])
            try await workersStart(batch)
            run.kill(SIGINT)
            let end = try await run.end()
            #expect(end.code == 4 && end.errors.contains("interrupted"), "\(end)")
            #expect(processes(of: batch).isEmpty)
        }

        /// Without its coordinator nothing goes on: it says so and ends, and leaves nobody behind.
        @Test func whereItsCoordinatorIsKilledItEnds() async throws {
            let batch = try TestBatch(Demo.items(2000), workers: 2)
            let run = try RunningWinnow(["run", batch.path])
            try await workersStart(batch)
            let coordinators = processes(of: batch).filter { process in
                let words = try? Data(contentsOf: URL(fileURLWithPath: "/proc/\(process)/cmdline")).split(separator: 0)
                return words?.dropFirst().first == Data("coordinator".utf8)
            }
            let coordinator = try #require(coordinators.first.flatMap { Int32($0) })
            #expect(coordinators.count == 1)
            kill(coordinator, SIGKILL)
            let end = try await run.end()
            #expect(end.code == 1 && end.errors.contains("coordinator ended unexpectedly"), "\(end)")
            try await eventually("its processes end") { processes(of: batch).isEmpty }
        }

        @Test func killedItLeavesNoProcessBehind() async throws {
            let batch = try TestBatch(Demo.items(2000), workers: 2)
            let run = try RunningWinnow(["run", batch.path])
            try await workersStart(batch)
            run.kill()
            #expect(try await run.end().code == nil)
            try await eventually("its processes end") { processes(of: batch).isEmpty }
        }

        @Test func aSecondRunIsADecision() async throws {
            let batch = try TestBatch(Demo.items(2), maxTokens: 1, lines: "features: none")
            // An empty folder is nobody's.
            try FileManager.default.createDirectory(atPath: batch.results, withIntermediateDirectories: true)
            #expect(try await winnow("run", batch.path, "--output", "quiet").output == "\(batch.results)\n")
            let undecided = try await winnow("run", batch.path, "--output", "quiet")
            #expect(undecided.code == 2 && undecided.output.isEmpty, "\(undecided)")
            for part in ["\(batch.results) holds an earlier run", "--resume", "--new", "\(batch.results)-2"] {
                #expect(undecided.errors.contains(part), "\(undecided)")
            }
            #expect(!FileManager.default.fileExists(atPath: batch.results + "-2"))
            let new = try await winnow("run", batch.path, "--new", "--output", "quiet")
            #expect(new.code == 0 && new.output == "\(batch.results)-2\n", "\(new)")
            let old = try await winnow("run", batch.path, "--resume", "--output", "quiet")
            #expect(old.code == 0 && old.output == "\(batch.results)-2\n", "\(old)")
            #expect(try await winnow("run", batch.path, "--resume", "--new").code == 2)
        }

        /// Whoever has put a picture right gets its answer by going on.
        @Test func whatFailedIsTriedAgainByAResumedRun() async throws {
            let pictures = try TemporaryDirectory()
            let good = URL(fileURLWithPath: Demo.folder + "/images/scene-000.jpg")
            try FileManager.default.copyItem(at: good, to: pictures.file("good.jpg"))
            try Data("no picture".utf8).write(to: pictures.file("bad.jpg"))
            let items = ["good", "bad"].map { TestBatch.Item(id: $0, image: "\($0).jpg", prompt: "What?") }
            let batch = try TestBatch(items, maxTokens: 2, images: pictures.url.path, lines: "features: none")
            let first = try await winnow("run", batch.path, "--output", "json")
            #expect(first.code == 3, "\(first)")
            try FileManager.default.removeItem(at: pictures.file("bad.jpg"))
            try FileManager.default.copyItem(at: good, to: pictures.file("bad.jpg"))
            let second = try await winnow("run", batch.path, "--resume", "--output", "json")
            try #require(second.code == 0, "\(second)")
            let answers = try Report(printed: second.output).answers
            #expect(answers.map(\.id) == ["good", "bad"] && answers[0].answer == answers[1].answer)
        }

        /// Waits until a run has started its coordinator and both of its workers.
        private func workersStart(_ batch: TestBatch) async throws {
            try await eventually("workers start") { processes(of: batch).count == 3 }
        }

        @Test func aRunThatWasKilledGoesOn() async throws {
            let batch = try TestBatch(Demo.items(200), maxTokens: 4, workers: 2, lines: "features: none")
            let early = try await winnow("run", batch.path, "--resume")
            #expect(early.code == 2 && early.errors.contains("without --resume"), "\(early)")
            let run = try RunningWinnow(["run", batch.path])
            try await workersStart(batch)
            run.kill()
            #expect(try await run.end().code == nil)
            try await eventually("its processes end") { processes(of: batch).isEmpty }
            let before = try Shard.all(in: batch.results).map(\.path)
            let again = try await winnow("run", batch.path, "--resume", "--output", "json")
            try #require(again.code == 0, "\(again)")
            let report = try Report(printed: again.output)
            #expect(report.batch.results == batch.results)
            #expect(!FileManager.default.fileExists(atPath: batch.results + "-2"))
            let shards = try Shard.all(in: batch.results)
            #expect(Set(shards.map(\.path)).isSuperset(of: before))
            #expect(shards.flatMap { $0.rows.map(\.id) }.sorted() == batch.items.map(\.id).sorted())
        }

        @Test func aResumedRunOfWhichNothingIsLeftSaysSoAndStartsNoWorker() async throws {
            let batch = try TestBatch(Demo.items(2), maxTokens: 1, lines: "features: none")
            let first = try await winnow("run", batch.path, "--output", "json")
            try #require(first.code == 0, "\(first)")
            let logs = URL(fileURLWithPath: batch.results + "/logs"), asked = batch.results + "/batch.yaml"
            let before = try String(contentsOfFile: asked, encoding: .utf8)
            #expect(before.contains("\nrun:\n  workers: 1\n"), "\(before)")
            let line = "nothing was left to run: all 2 jobs have their answers in \(batch.results)"
            for arguments in [[], ["--force", "--max-tokens", "3"]] {
                try FileManager.default.removeItem(at: logs)
                let again = try await winnow(["run", batch.path, "--resume", "--output", "json"] + arguments)
                try #require(again.code == 0, "\(again)")
                #expect(again.errors.contains(line) && !again.errors.contains("workers"), "\(again.errors)")
                #expect(try Report(printed: again.output).answers.map(\.id) == batch.items.map(\.id))
                #expect(!FileManager.default.fileExists(atPath: logs.path + "/worker-1.log"))
                #expect(try String(contentsOfFile: asked, encoding: .utf8) == before)
            }
            // A changed batch is still refused, and what is new still runs, in the new way.
            #expect(try await winnow("run", batch.path, "--resume", "--max-tokens", "3").code == 2)
            let more = try TestBatch(Demo.items(3), maxTokens: 3, lines: "features: none")
            try FileManager.default.removeItem(atPath: batch.folder.file("items.jsonl").path)
            try FileManager.default.copyItem(
                at: more.folder.file("items.jsonl"), to: batch.folder.file("items.jsonl"))
            let third = try await winnow(
                "run", batch.path, "--resume", "--force", "--max-tokens", "3", "--output", "json")
            #expect(third.code == 0 && !third.errors.contains("nothing was left"), "\(third)")
            #expect(try Report(printed: third.output).answers.count == 3)
            #expect(try String(contentsOfFile: asked, encoding: .utf8).contains("max_tokens: 3"))
        }

        /// Processes that write to the logs of a batch.
        private func processes(of batch: TestBatch) -> [String] {
            let files = FileManager.default
            return ((try? files.contentsOfDirectory(atPath: "/proc")) ?? []).filter { process in
                let log = try? files.destinationOfSymbolicLink(atPath: "/proc/\(process)/fd/2")
                return log?.hasPrefix(batch.results + "/logs/") == true && Int32(process) != getpid()
            }
        }
    }
}
