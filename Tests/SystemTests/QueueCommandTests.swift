import Foundation
import TestSupport
import Testing

extension BlackBox {
    /// The commands that steer a queue, against real services.
    @Suite struct QueueCommandTests {
        private struct Explanation: Decodable {
            struct Attempt: Decodable { let worker, reason: String }
            let state, explanation: String
            let attempts: Int
            let ended: [Attempt]
        }

        private struct Doctor: Decodable {
            let format, batches, jobs, shards: Int
            let isInUse: Bool
            let problems: [String]
            let backup: String?
        }

        /// Names of workers that were given none: the first free numbers, so a restart finds the former one's reports.
        @Test func aWorkerWithoutANameIsTheSameOneAfterARestart() async throws {
            let services = try await Services()
            let state = try TemporaryDirectory()
            func start() throws -> RunningWinnow {
                try RunningWinnow(
                    ["worker", "--null", "--connect", services.endpoints.workers, "--threads", "1"],
                    environment: ["XDG_STATE_HOME": state.url.path])
            }
            func names() async throws -> [String] {
                try await services.status("").workers.filter { $0.state != "lost" }.map(\.worker).sorted()
            }
            let one = try start()
            try await eventually("one worker is there") { try await names().count == 1 }
            let two = try start()
            try await eventually("two workers are there") { try await names().count == 2 }
            let host = ProcessInfo.processInfo.hostName
            let both = try await names()
            #expect(both.map { String($0.dropLast(6)) } == ["\(host)-1", "\(host)-2"], "\(both)")
            one.kill(SIGTERM)
            _ = try await one.end()
            let again = try start()
            try await eventually("it is there again") { try await names() == both }
            let folders = try FileManager.default.contentsOfDirectory(atPath: state.url.path + "/winnow/spool").sorted()
            #expect(folders == ["\(host)-1", "\(host)-2"])
            _ = (two, again)
        }

        /// An id comes from whoever wrote the items, and a terminal obeys what it is sent.
        @Test func namesCannotSteerTheTerminal() async throws {
            let services = try await Services()
            let id = "a\u{1B}]0;title\u{7}\u{1B}[2Jb\u{9B}31m\u{202E}c"
            let batch = try TestBatch([TestBatch.Item(id: id, image: "images/scene-000.jpg", prompt: "Hi")])
            let submitted = try await services.submit(batch)
            let shown = #"a\u{1B}]0;title\u{7}\u{1B}[2Jb\u{9B}31m\u{202E}c"#
            for command in [["jobs", submitted.batch], ["explain", submitted.batch, id]] {
                let end = try await winnow(command + ["--connect", services.endpoints.clients])
                #expect(end.code == 0 && end.output.contains(shown), "\(end)")
                #expect(!end.output.unicodeScalars.contains { [0x1B, 0x07, 0x9B, 0x202E].contains($0.value) })
            }
            // What programs read is what it is.
            let json = try await winnow(
                "jobs", submitted.batch, "--connect", services.endpoints.clients, "--output", "json")
            #expect(json.output.contains(#"\u001b]0;title"#), "\(json)")
        }

        /// A machine of the same name has a state folder of its own: its worker is another one, and pushes nobody out.
        @Test func twoMachinesOfOneNameHaveWorkersOfTwoNames() async throws {
            let services = try await Services()
            let machines = try (0..<2).map { _ in try TemporaryDirectory() }
            let workers = try machines.map {
                try RunningWinnow(
                    ["worker", "--null", "--connect", services.endpoints.workers, "--threads", "1"],
                    environment: ["XDG_STATE_HOME": $0.url.path])
            }
            try await eventually("both are there") {
                let present = try await services.status("").workers.filter { $0.state != "lost" }
                return Set(present.map(\.worker)).count == 2
            }
            #expect(workers.allSatisfy { $0.isRunning })
        }

        /// Rows wait for their shard for longer than an attempt may run; that is no reason to run them again.
        @Test func aTimeLimitIsForTheWorkAndNotForTheWaiting() async throws {
            let services = try await Services()
            let batch = try TestBatch(Demo.items(12), lines: "queue: {timeout: 1s, retries: 0}")
            let submitted = try await services.submit(batch)
            let worker = try RunningWinnow([
                "worker", "--null", "--null-milliseconds", "300", "--connect", services.endpoints.workers, "--name",
                "slow", "--threads", "1", "--capacity", "1", "--seal-seconds", "8", "--spool",
                "\(services.store)-spool",
            ])
            let waited = try await services.ask("wait", submitted.batch, "--output", "quiet")
            #expect(waited.code == 0, "\(waited)")
            let status = try await services.status(submitted.batch, items: true)
            #expect(status.items?.map(\.attempts) == Array(repeating: 1, count: 12))
            _ = worker
        }

        @Test func whoWaitsWaitsForARestartedCoordinatorToo() async throws {
            let services = try await Services()
            let batch = try TestBatch(Demo.items(3))
            let submitted = try await services.submit(batch)
            let waiting = try RunningWinnow([
                "wait", submitted.batch, "--connect", services.endpoints.clients, "--output", "quiet",
            ])
            try await Task.sleep(for: .seconds(1))
            services.coordinator.kill(SIGKILL)
            _ = try await services.coordinator.end()
            try await Task.sleep(for: .seconds(12))
            try await services.restartCoordinator()
            let worker = try services.startNullWorker("one")
            let end = try await waiting.end()
            #expect(end.code == 0 && end.output == "finished\n", "\(end)")
            #expect(end.errors.contains("the coordinator is back"))
            _ = worker
        }

        /// A machine without the model and the pictures submits for workers that have them.
        @Test func pathsOfOtherMachinesAreTrustedWhereThatIsAsked() async throws {
            let services = try await Services()
            let batch = try TestBatch(
                Demo.items(3), method: "{name: ficoco-v, keep: 64}", model: "/cluster/model",
                images: "/cluster/pictures")
            let refused = try await services.ask("submit", batch.path)
            #expect(refused.code == 2 && refused.errors.contains("there is no folder /cluster/model"), "\(refused)")
            let submitted = try await services.ask("submit", batch.path, "--trust-paths", "--output", "quiet")
            #expect(submitted.code == 0 && submitted.output == "batch\n", "\(submitted)")
            #expect(
                submitted.errors == """
                    not on this machine, so that only a worker can check it: the model /cluster/model, 1 picture below \
                    /cluster/pictures

                    """)
            let stored = try String(contentsOfFile: batch.results + "/batch.yaml", encoding: .utf8)
            #expect(stored.contains("images: \"/cluster/pictures\""), "\(stored)")
            let worker = try services.startNullWorker("one")
            #expect(try await services.ask("wait", "batch").code == 0)
            // What is wrong and can be seen is refused all the same.
            let wrong = try TestBatch(Demo.items(3), method: "{name: best, keep: 64}", model: "/cluster/model")
            let said = try await services.ask("submit", wrong.path, "--trust-paths")
            #expect(said.code == 2 && said.errors.contains("there is no method 'best'"), "\(said)")
            #expect(worker.isRunning)
        }

        private struct Waiting: Decodable { let state, note: String }

        /// A machine on which the pictures, or the weights, are not there yet is no reason for jobs to fail.
        @Test(arguments: [true, false])
        func whatIsNotThereYetIsWaitedFor(pictures: Bool) async throws {
            let services = try await Services()
            let place = try TemporaryDirectory()
            let later = place.file("later").path
            let batch = try TestBatch(
                Demo.items(6), model: pictures ? Demo.model : later, images: pictures ? later : Demo.folder,
                lines: "features: none")
            let submitted = try await services.ask("submit", batch.path, "--trust-paths", "--output", "quiet")
            #expect(submitted.code == 0, "\(submitted)")
            let worker = try services.startWorker("one")
            try await eventually("the worker says what it lacks") {
                let workers = try [Waiting](printed: try await services.ask("workers", "--output", "json").output)
                return workers.first.map { $0.state == "unable" && $0.note.contains(later) } ?? false
            }
            try FileManager.default.copyItem(atPath: pictures ? Demo.folder : Demo.model, toPath: later)
            try await Task.sleep(for: .seconds(3))
            #expect(try await services.ask("retry", "--workers").code == 0)
            #expect(try await services.ask("wait", "batch").code == 0)
            let items = try await services.status("batch", items: true).items
            #expect(items?.allSatisfy { $0.state == "succeeded" } == true)
            #expect(worker.isRunning)
        }

        @Test func aBatchIsSteeredFromBeginningToEnd() async throws {
            let services = try await Services()
            let batch = try TestBatch(
                Demo.items(12), maxTokens: 4, lines: "queue: {priority: 3, labels: {project: demo}}")
            let submitted = try await services.submit(batch)
            // Nobody is there.
            let first = try #require(batch.items.first).id
            var why = try await explain(first, submitted.batch, services)
            #expect(why.state == "waiting" && why.explanation.contains("no worker"))
            #expect(try await services.ask("pause", submitted.batch, "--output", "quiet").output == "batch\n")
            why = try await explain(first, submitted.batch, services)
            #expect(why.explanation.contains("paused"))
            let worker = try services.startWorker("one")
            try await eventually("the worker is there") {
                try await services.ask("workers", "--output", "quiet").output == "one\n"
            }
            #expect(try await services.ask("status", submitted.batch).output.contains("paused"))
            #expect(try await services.status(submitted.batch).batches.first?.waiting == 12)
            let others = try await services.ask("status", "--label", "project=x", "--output", "quiet")
            #expect(others.code == 0 && others.output == "")
            let labelled = try await services.ask("status", "--label", "project=demo", "--output", "quiet")
            #expect(labelled.output == "batch running\n")

            #expect(try await services.ask("resume").code == 0)
            let watched = try await services.ask("watch", submitted.batch, "--every", "0.1", "--output", "quiet")
            #expect(watched.code == 0 && watched.output == "batch finished\n", "\(watched)")
            why = try await explain(first, submitted.batch, services)
            #expect(why.state == "succeeded" && why.attempts == 1 && why.ended.isEmpty)
            let jobs = try await services.ask(
                "jobs", submitted.batch, "--state", "succeeded", "--limit", "5", "--output", "quiet")
            #expect(jobs.output.split(separator: "\n").map(String.init) == batch.items.prefix(5).map(\.id))
            let failed = try await services.ask("jobs", submitted.batch, "--state", "failed", "--output", "json")
            #expect(failed.output == "[]\n")

            // The same manifest again: nothing is left to do, and the exit code says how it had ended.
            let again = try await services.ask("submit", batch.path, "--wait", "--output", "json")
            let resumed = try Services.Submitted(printed: again.output)
            #expect(again.code == 0 && resumed.batch == "batch" && resumed.items == 12, "\(again)")
            let changed = try await services.ask("submit", batch.path, "--name", "batch", "--retries", "2")
            #expect(changed.code == 0, "how it is queued may change: \(changed)")

            let drained = try await services.ask("drain", "one", "--output", "quiet")
            #expect(drained.output == "one\n")
            #expect(try await worker.end().code == 0)
        }

        /// In a log, a line says how a batch stands, and nothing is said again while nothing moves.
        @Test func aLogHasALineWhereSomethingMoved() async throws {
            let services = try await Services()
            let batch = try TestBatch(Demo.items(3))
            let submitted = try await services.submit(batch)
            let commands = try [["watch"], ["wait", submitted.batch]].map {
                try RunningWinnow($0 + ["--connect", services.endpoints.clients])
            }
            // Long enough for another line.
            try await Task.sleep(for: .seconds(7))
            let worker = try services.startNullWorker("one")
            for (command, isWatch) in zip(commands, [true, false]) {
                let end = try await command.end()
                #expect(end.code == 0, "\(end)")
                let lines = (isWatch ? end.output : end.errors).split(separator: "\n")
                let (first, last) = (try #require(lines.first), try #require(lines.last))
                #expect(first.hasSuffix("0/3, starting, 0 handed out, 0 workers"), "\(end)")
                #expect(last.contains("3/3, finished") && lines.count { $0 == first } == 1, "\(end)")
                if isWatch {
                    #expect(first.hasPrefix("batch, running: ") && last.hasPrefix("batch, finished: "), "\(end)")
                }
            }
            #expect(worker.isRunning)
        }

        @Test func whoeverTakesTheOnePortForTheOtherIsToldSo() async throws {
            let services = try await Services()
            let client = try await winnow("status", "--connect", services.endpoints.workers)
            #expect(client.code == 2 && client.errors.contains(services.endpoints.clients), "\(client)")
            let worker = try await winnow("worker", "--null", "--connect", services.endpoints.clients)
            #expect(worker.code != 0 && worker.errors.contains(services.endpoints.workers), "\(worker)")
        }

        @Test func anotherModelUnderTheSameNameIsRefused() async throws {
            let services = try await Services()
            let items = try Demo.items(2)
            let batch = try TestBatch(items, maxTokens: 4)
            _ = try await services.submit(batch)
            let other = try TestBatch(items, maxTokens: 5)
            let refused = try await services.ask("submit", other.path)
            // Its results folder differs as well, but that is no difference in what it asks for.
            #expect(refused.code == 2 && refused.errors.contains("max_tokens: 4 → 5"), "\(refused)")
            #expect(refused.errors.contains("--force") && refused.errors.contains("--new"))
            let forced = try await services.ask("submit", other.path, "--force")
            #expect(forced.code == 0, "\(forced)")
            #expect(forced.errors.contains("warning: a batch keeps its results folder, \(batch.results);"), "\(forced)")
            #expect(try await !services.ask("submit", batch.path, "--force").errors.contains("results folder"))
            let new = try await services.ask("submit", other.path, "--new", "--output", "quiet")
            #expect(new.output == "batch-2\n")
        }

        @Test func theDoctorLooksAtAStoreInUse() async throws {
            let services = try await Services()
            let worker = try services.startWorker("one")
            let batch = try TestBatch(Demo.items(4), maxTokens: 4)
            let submitted = try await services.submit(batch)
            #expect(try await services.ask("wait", submitted.batch).code == 0)
            let folder = try TemporaryDirectory()
            let copy = folder.file("copy.sqlite").path
            let store = services.store
            let checked = try await winnow("doctor", "--store", store, "--backup", copy, "--output", "json")
            let report = try Doctor(printed: checked.output)
            #expect(checked.code == 0 && report.isInUse && report.problems.isEmpty && report.jobs == 4, "\(checked)")
            #expect(report.shards >= 1 && report.backup == copy)
            let second = try await winnow("doctor", "--store", copy, "--output", "json")
            #expect(try Doctor(printed: second.output).isInUse == false)

            let item = try #require(try await services.status(submitted.batch, items: true).items?.first)
            try FileManager.default.removeItem(atPath: batch.results + "/" + item.shard)
            let sick = try await winnow("doctor", "--store", store)
            #expect(sick.code == 1 && sick.output.contains(item.shard), "\(sick)")
            #expect(try await winnow("doctor", "--store", folder.file("none").path).code == 1)
            #expect(worker.isRunning)
        }

        @Test func aStoreThatCannotGrowTakesNothingUntilItCan() async throws {
            let services = try await Services()
            let worker = try services.startWorker("one")
            let batch = try TestBatch(Demo.items(40), maxTokens: 4)
            let submitted = try await services.submit(batch)
            try await services.waitForSuccesses(1, of: submitted.batch)
            // As on a full disk: no file of the coordinator may grow any more.
            try await Self.limitFiles(of: services.coordinator, to: 4096)
            let refused = try await Self.submitUntilRefused(services)
            #expect(refused.code == 1 && refused.errors.contains("job store"), "\(refused)")
            // It still answers, and says nothing that is not so.
            let status = try #require(try await services.status(submitted.batch).batches.first)
            #expect(status.total == 40 && services.coordinator.isRunning)

            try await Self.limitFiles(of: services.coordinator, to: nil)
            try await eventually("it takes submissions again") {
                try await services.ask("submit", batch.path).code == 0
            }
            let wait = try await services.ask("wait", submitted.batch)
            #expect(wait.code == 0, "\(wait)")
            let items = try #require(try await services.status(submitted.batch, items: true).items)
            #expect(items.count == 40 && items.allSatisfy { $0.state == "succeeded" })
            try BlackBox.checkRows(of: items, in: batch.results)
            #expect(worker.isRunning)
        }

        @Test(arguments: ["bash", "zsh", "fish"]) func shellsCompleteCommands(shell: String) async throws {
            let script = try await winnow("--generate-completion-script", shell)
            #expect(script.code == 0 && script.errors.isEmpty)
            for word in ["explain", "max-fails", "retry", "drain"] { #expect(script.output.contains(word), "\(word)") }
            guard shell == "bash" else { return }
            let folder = try TemporaryDirectory()
            let file = folder.file("winnow.bash")
            try Data(script.output.utf8).write(to: file)
            let parsed = try await RunningWinnow(["-n", file.path], program: "/bin/bash").end()
            #expect(parsed.code == 0, "\(parsed)")
        }

        private func explain(_ item: String, _ batch: String, _ services: Services) async throws -> Explanation {
            try Explanation(printed: try await services.ask("explain", batch, item, "--output", "json").output)
        }

        /// Submits large batches until one is not taken; the first may still fit into what is there.
        private static func submitUntilRefused(_ services: Services) async throws -> RunningWinnow.End {
            for _ in 0..<3 {
                let large = try TestBatch(Demo.items(2000), maxTokens: 4)
                let end = try await services.ask("submit", large.path, "--new")
                if end.code != 0 { return end }
            }
            throw RunningWinnow.Trouble(description: "a store that cannot grow took everything")
        }

        /// Limits the size of files that a process writes; nil lets them grow again.
        private static func limitFiles(of process: RunningWinnow, to bytes: Int?) async throws {
            let limit = "--fsize=\(bytes.map(String.init) ?? "unlimited"):"
            let end = try await RunningWinnow(
                ["--pid", "\(process.process)", limit], program: "/usr/bin/prlimit"
            ).end()
            guard end.code == 0 else { throw RunningWinnow.Trouble(description: "\(end)") }
        }
    }
}
