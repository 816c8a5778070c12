import Foundation
import TestSupport
import Testing

/// `winnow alloc` beside commands of Slurm that hang or say what a test wants. These tests mostly wait, so they run beside the
/// others.
@Suite struct AllocServeTests {
    /// A coordinator with jobs that wait, and Slurm's commands as scripts.
    private final class Site {
        let services: Services
        private let batch: TestBatch
        private let folder: TemporaryDirectory
        var queues: String { folder.file("queues").path }

        init() async throws {
            services = try await Services()
            batch = try TestBatch(
                (0..<20).map { .init(id: "q\($0)", image: "images/scene-000.jpg", prompt: "question \($0)") })
            folder = try TemporaryDirectory()
            try FileManager.default.createDirectory(at: folder.file("bin"), withIntermediateDirectories: true)
            for command in ["squeue", "scancel"] { try script(command, "exit 0") }
            // Numbers from 101 on.
            try script("sbatch", "echo x >> submitted; echo $((100 + $(wc -l < submitted)))")
            _ = try await services.submit(batch)
        }

        /// What a command does, in the folder of this site; `sbatch` takes every job that it is only asked about.
        func script(_ command: String, _ body: String) throws {
            let text = """
                #!/bin/sh
                cd '\(folder.url.path)' || exit 1
                case " $* " in *" --test-only "*) exit 0 ;; esac
                \(body)

                """
            let file = folder.file("bin/\(command)"), new = folder.file("bin/\(command).new")
            try Data(text.utf8).write(to: new)
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: new.path)
            // A command that runs meanwhile keeps the file that it began with.
            guard rename(new.path, file.path) == 0 else { throw CocoaError(.fileWriteUnknown) }
        }

        /// What a script wrote into a file of this site.
        func text(_ name: String) -> String { (try? String(contentsOf: folder.file(name), encoding: .utf8)) ?? "" }

        /// What `squeue` prints where its script reads it from the file `listing`.
        func list(_ line: String) throws {
            try Data("\(line)\n".utf8).write(to: folder.file("listing"), options: .atomic)
        }

        /// Runs `winnow alloc …`.
        @discardableResult
        func alloc(_ arguments: String...) async throws -> RunningWinnow.End {
            try await RunningWinnow(
                ["alloc", arguments[0], "--queues", queues] + arguments.dropFirst(), environment: environment
            ).end()
        }

        /// Adds a queue that asks for one machine.
        func add(_ name: String, _ sbatch: String...) async throws {
            let added = try await RunningWinnow(
                [
                    "alloc", "add", "slurm", "--queues", queues, "--name", name, "--endpoint", "tcp://127.0.0.1:9",
                    "--backlog", "1", "--max-workers", "1", "--",
                ] + sbatch, environment: environment
            ).end()
            #expect(added.code == 0, "\(added)")
        }

        func serve() throws -> RunningWinnow {
            try RunningWinnow(
                ["alloc", "serve", "--queues", queues, "--connect", services.endpoints.clients, "--every", "0.2"],
                environment: environment)
        }

        func info(_ name: String) async throws -> Info {
            try Info(printed: try await alloc("info", name, "--output", "json").output)
        }

        private var environment: [String: String] { ["PATH": "\(folder.file("bin").path):/usr/bin:/bin"] }
    }

    private struct Info: Decodable {
        struct Allocation: Decodable {
            let allocation, state: String
            let job: String?
        }
        let failuresInRow: Int
        let allocations: [Allocation]
    }

    @Test("the end does not wait for an sbatch that hangs; the next process looks for its job by its name")
    func hangingSubmission() async throws {
        let site = try await Site()
        try site.script("sbatch", "echo $$ >> hanging; exec sleep 1000")
        try await site.add("cpu")
        let server = try site.serve()
        try await eventually("sbatch hangs") { site.text("hanging").hasSuffix("\n") }
        server.kill(SIGTERM)
        let end = try await server.end()
        #expect(end.code == 0, "\(end)")
        let events = try await site.alloc("events", "cpu").output
        #expect(events.contains("broken off") && !events.contains("took more than"), "\(events)")
        let number = try #require(pid_t(site.text("hanging").trimmingCharacters(in: .whitespacesAndNewlines)))
        try await eventually("sbatch is gone") { kill(number, 0) != 0 }
        let info = try await site.info("cpu")
        #expect(info.allocations.map(\.state) == ["submitting"] && info.failuresInRow == 0, "\(info)")

        let name = try #require(info.allocations.first).allocation
        try site.script("squeue", "echo '77|RUNNING|None|\(name)'")
        let next = try site.serve()
        try await eventually("the job is found") {
            let found = try await site.info("cpu").allocations
            return found.count == 1 && found[0].job == "77" && found[0].state == "running"
        }
        next.kill(SIGTERM)
        #expect(try await next.end().code == 0)
    }

    @Test("a cluster whose squeue hangs holds up its own queue alone, and the end does not wait for it")
    func hangingListing() async throws {
        let site = try await Site()
        try site.script("squeue", #"case " $* " in *" -M "*) echo x >> hanging; exec sleep 1000 ;; esac"#)
        try await site.add("a-far", "-M", "far")
        try await site.add("near")
        let server = try site.serve()
        try await eventually("the near queue has its job") {
            try await site.alloc("events", "near").output.contains("submitted as job 101")
        }
        #expect(site.text("hanging") == "x\n" && !server.errors.contains("took more than"), "\(server.errors)")
        server.kill(SIGTERM)
        let end = try await server.end()
        #expect(end.code == 0 && !end.errors.contains("took more than"), "\(end)")
        #expect(try await site.info("a-far").allocations.isEmpty)
    }

    @Test(
        "a queue whose file somebody deleted is named with the command that ends its jobs, until they have ended",
        arguments: [["cpu.queue.json"], ["cpu.queue.json", "cpu.state.json"]])
    func deletedFile(files: [String]) async throws {
        let site = try await Site()
        try site.script("squeue", "[ ! -e listing ] || cat listing")
        try await site.add("cpu")
        let server = try site.serve()
        try await eventually("the job is submitted") { try await site.info("cpu").allocations.first?.job == "101" }
        let name = try #require(try await site.info("cpu").allocations.first).allocation
        try site.list("101|RUNNING|None|\(name)")
        try await eventually("the job runs") { try await site.info("cpu").allocations.first?.state == "running" }
        for file in files { try FileManager.default.removeItem(atPath: "\(site.queues)/\(file)") }
        try await eventually("it is said") { server.errors.contains("scancel 101") }
        #expect(try await site.alloc("list").errors.contains("scancel 101"))
        #expect(try await site.alloc("events", "cpu").output.contains("its file is gone"))

        // Another queue of the name does not hide it.
        try await site.add("cpu")
        try await eventually("the new queue asks for its own") {
            try await site.info("cpu").allocations.map(\.job) == ["102"]
        }
        #expect(try await site.alloc("list").errors.contains("scancel 101"))
        try site.list("101|CANCELLED|None|\(name)")
        try await eventually("it is over") { try await !site.alloc("list").errors.contains("scancel") }
        #expect(try await site.alloc("events", "cpu").output.contains("has ended"))
        server.kill(SIGTERM)
        #expect(try await server.end().code == 0)
    }

    @Test("a name that no queue has is refused with the one that may have been meant; a removed queue has its events")
    func unknownNames() async throws {
        let site = try await Site()
        try await site.add("gpu")
        for command in ["events", "info", "pause", "resume", "remove"] {
            let end = try await site.alloc(command, "gpo")
            #expect(end.code == 2 && end.errors.contains("did you mean gpu?"), "\(end)")
        }
        #expect(try await site.alloc("remove", "gpu").code == 0)
        let events = try await site.alloc("events", "gpu")
        #expect(events.code == 0 && events.output.contains("added"), "\(events)")
    }

    @Test("a queue whose file is damaged is named, and the others are listed")
    func damagedFile() async throws {
        let site = try await Site()
        try await site.add("gpu")
        try await site.add("cpu")
        try Data("{".utf8).write(to: URL(fileURLWithPath: site.queues + "/gpu.queue.json"))
        let list = try await site.alloc("list", "--output", "quiet")
        #expect(list.code == 1 && list.output == "cpu\n", "\(list)")
        #expect(list.errors.hasPrefix("winnow: gpu.queue.json does not hold what it should. "), "\(list)")
    }

    @Test("numbers that no queue can have are refused before anything is written")
    func implausibleTime() async throws {
        let site = try await Site()
        let end = try await site.alloc(
            "add", "slurm", "--time-limit", "59s", "--notice", "10s", "--endpoint", "tcp://head:5757")
        #expect(end.code == 2 && end.errors.contains("--time-limit must be from a minute"), "\(end)")
        #expect(try await site.alloc("list", "--output", "json").output == "[]\n")
    }
}
