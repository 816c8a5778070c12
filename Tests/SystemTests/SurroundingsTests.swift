import Foundation
import Glibc
import TestSupport
import Testing

extension BlackBox {
    /// What a process finds around it: closed streams, few descriptors, nobody at the other end, a disk without locks.
    @Suite struct SurroundingsTests {
        /// Runs `winnow` by a shell that prepares its surroundings.
        private func shell(
            _ preparation: String, _ arguments: [String], _ redirections: String = "",
            environment: [String: String] = [:]
        ) async throws -> RunningWinnow.End {
            let script = "\(preparation) exec \"$0\" \"$@\" \(redirections)"
            return try await RunningWinnow(
                ["-c", script, RunningWinnow.binary()] + arguments, program: "/bin/sh", environment: environment
            ).end()
        }

        @Test("44: closed standard streams", arguments: ["2>&-", "1>&- 2>&-", "0<&- 1>&- 2>&-", "0<&-"])
        func closedStreamsAreTheNullDevice(_ redirections: String) async throws {
            let batch = try TestBatch(Demo.items(1), maxTokens: 1)
            let end = try await shell("", ["run", batch.path], redirections)
            #expect(end.code == 0, "\(end)")
            #expect(try Shard.all(in: batch.results).flatMap(\.rows).count == 1)
            let failed = try await shell("", ["run", batch.path + ".missing"], redirections)
            #expect(failed.code == 2, "\(failed)")
        }

        /// What somebody reads no more is lost, and nothing else.
        @Test func aReaderOfErrorsMayGoAway() async throws {
            let end = try await RunningWinnow(
                [
                    "-c", "{ \"$0\" run nothing.yaml; echo $? >&3; } 3>&1 2>&1 >/dev/null | true",
                    RunningWinnow.binary(),
                ],
                program: "/bin/sh"
            ).end()
            #expect(end.code == 0)
            let piped = try await RunningWinnow(
                [
                    "-c",
                    "mkfifo \"$1\"; (exec 4<\"$1\"; exec 4<&-) & exec 5>\"$1\"; wait; exec \"$0\" run nothing.yaml 2>&5",
                    RunningWinnow.binary(), try TemporaryDirectory().file("pipe").path,
                ], program: "/bin/sh"
            ).end()
            #expect(piped.code == 1 || piped.code == 2, "\(piped)")
        }

        @Test(
            "45: hardly any file descriptors",
            arguments: [
                ["status", "--connect", "tcp://127.0.0.1:1"], ["worker", "--null", "--name", "few"],
                ["coordinator", "--workers", "tcp://127.0.0.1:*", "--clients", "tcp://127.0.0.1:*"], ["run"],
            ])
        func fewDescriptorsAreSaid(_ arguments: [String]) async throws {
            let folder = try TemporaryDirectory()
            let batch = try TestBatch(Demo.items(2))
            let more: [String: (arguments: [String], limits: [Int])] = [
                "coordinator": (["--store", folder.file("jobs.sqlite").path], [16, 20, 32, 40]),
                "worker": ([], [16, 20, 32, 40]), "status": ([], [16, 20]), "run": ([batch.path], [20, 64, 128]),
            ]
            let (further, limits) = try #require(more[arguments[0]])
            for limit in limits {
                let end = try await shell("ulimit -n \(limit);", arguments + further)
                #expect(end.code == 1 && end.errors.contains("ulimit -n"), "\(limit): \(end)")
            }
            #expect(!FileManager.default.fileExists(atPath: batch.results))
        }

        @Test func whoCannotBeReachedIsSaidWhileTryingGoesOn() async throws {
            let refused = try RunningWinnow(["status", "--connect", "tcp://127.0.0.1:1", "--patience", "60"])
            try await eventually("it says why") { refused.errors.contains("nothing listens at 127.0.0.1:1") }
            #expect(refused.isRunning)
            refused.kill()
            let keys = try TemporaryDirectory()
            _ = try await winnow("keys", "new", "--keys", keys.url.path)
            let unknown = try await winnow(
                "status", "--connect", "tcp://no-such-host.invalid:1", "--key", keys.file("client.key").path,
                "--patience", "600")
            #expect(unknown.code == 1 && unknown.errors.contains("'no-such-host.invalid' is not known"), "\(unknown)")
            let worker = try RunningWinnow(["worker", "--null", "--name", "lonely", "--connect", "tcp://127.0.0.1:1"])
            try await eventually("the worker says why") { worker.errors.contains("nothing listens at 127.0.0.1:1") }
            #expect(worker.isRunning)
        }

        @Test("47: signals of batch systems let a worker finish", arguments: [SIGHUP, SIGUSR1, SIGUSR2])
        func aSignalDrains(_ signal: Int32) async throws {
            let services = try await Services()
            let spool = try TemporaryDirectory()
            let worker = try RunningWinnow([
                "worker", "--null", "--null-milliseconds", "50", "--connect", services.endpoints.workers, "--name",
                "one", "--threads", "1", "--seal-rows", "8", "--spool", spool.url.path,
            ])
            let submitted = try await services.submit(try TestBatch(Demo.items(400), method: "none"))
            try await services.waitForSuccesses(8, of: submitted.batch)
            worker.kill(signal)
            let end = try await worker.end()
            let name = [SIGHUP: "SIGHUP", SIGUSR1: "SIGUSR1", SIGUSR2: "SIGUSR2"][signal] ?? ""
            #expect(end.code == 0 && end.errors.contains("\(name): running jobs are finished first"), "\(end)")
            let state = try #require(try await services.status(submitted.batch).batches.first)
            #expect(state.running == 0 && state.waiting > 0 && state.succeeded >= 8 && state.failed == 0)
            let items = try #require(try await services.status(submitted.batch, items: true).items)
            // A job that was on its way when the worker stopped came back at once.
            #expect(items.allSatisfy { $0.state == "succeeded" ? $0.attempts == 1 : $0.attempts <= 1 })
        }

        /// Whether this machine has IPv6: the kernel then lists its addresses.
        private static let hasIPv6 =
            (try? String(contentsOfFile: "/proc/net/if_inet6", encoding: .utf8))?.contains(" lo") ?? false

        @Test("52: everything over IPv6", .enabled(if: hasIPv6, "this machine has no IPv6"))
        func aBatchRunsOverIPv6() async throws {
            let folder = try TemporaryDirectory()
            let coordinator = try RunningWinnow([
                "coordinator", "--store", folder.file("jobs.sqlite").path, "--workers", "tcp://[::1]:*", "--clients",
                "tcp://[::1]:*", "--heartbeat", "0.25", "--lease", "10", "--output", "json",
            ])
            try await eventually("the coordinator listens") {
                guard coordinator.isRunning else { throw RunningWinnow.Trouble(description: coordinator.errors) }
                return coordinator.output.hasSuffix("\n")
            }
            let endpoints = try Services.Endpoints(printed: coordinator.output)
            #expect(endpoints.workers.hasPrefix("tcp://[::1]:"))
            let worker = try RunningWinnow([
                "worker", "--null", "--name", "six", "--connect", endpoints.workers, "--spool",
                folder.file("spool").path,
            ])
            let batch = try TestBatch(Demo.items(20), method: "none")
            let end = try await winnow("submit", batch.path, "--wait", "--connect", endpoints.clients)
            #expect(end.code == 0 && worker.isRunning, "\(end)")
        }

        /// `flock` as on a network file system that has no locks.
        private func libraryWithoutLocks(in folder: TemporaryDirectory) throws -> String {
            let source = folder.file("flock.c"), library = folder.file("flock.so").path
            try Data(
                "#include <errno.h>\nint flock(int file, int operation) { errno = ENOLCK; return -1; }\n".utf8
            ).write(to: source)
            let compiler = Process()
            compiler.executableURL = URL(fileURLWithPath: "/usr/bin/env")
            compiler.arguments = ["clang", "-shared", "-fPIC", "-o", library, source.path]
            try compiler.run()
            compiler.waitUntilExit()
            try #require(compiler.terminationStatus == 0)
            return library
        }

        @Test("48: a file system without locks is named as such")
        func aDiskWithoutLocksIsSaid() async throws {
            let folder = try TemporaryDirectory()
            let environment = [
                "LD_PRELOAD": try libraryWithoutLocks(in: folder), "XDG_STATE_HOME": folder.file("state").path,
            ]
            let coordinator = try await RunningWinnow(
                ["coordinator", "--store", folder.file("jobs.sqlite").path], environment: environment
            ).end()
            #expect(coordinator.code == 1 && coordinator.errors.contains("no locks"), "\(coordinator)")
            #expect(!coordinator.errors.contains("Another coordinator"))
            let worker = try await RunningWinnow(["worker", "--null"], environment: environment).end()
            #expect(worker.code == 1 && worker.errors.contains("no locks"), "\(worker)")
            let folders = try FileManager.default.contentsOfDirectory(
                atPath: folder.file("state/winnow/spool").path)
            #expect(folders.count == 1)
        }
    }
}
