import Foundation
import Glibc
import Synchronization
import TestSupport
import WireProtocol

/// One batch under one plan: real processes, real faults, and a check of what is left by a program that is not ours.
final class ChaosRun {
    /// What `check_run.py` found.
    struct Findings: Decodable {
        let violations: [String]
        let figures: [String: Int]
    }

    /// A service that is started again when it has ended, as systemd or Slurm would.
    private struct Supervised {
        var process: RunningWinnow?
        var startAt = ContinuousClock.now
        var failpoints: String
        /// Until when it stands still.
        var stoppedUntil: ContinuousClock.Instant?
        /// What former processes complained about.
        var lastWords = ""
    }

    private static let script = Repository.root.appendingPathComponent("Tests/SystemTests/Chaos/check_run.py").path
    private static let patience: Duration = .seconds(120)
    /// After so long somebody frees the disks of workers that live on and cannot write.
    private static let relief: Duration = .seconds(20)

    private let plan: ChaosPlan
    private let folder: TemporaryDirectory
    private let batch: TestBatch
    private var coordinator: Supervised
    private var workers: [Supervised]
    private var endpoints = Services.Endpoints(workers: "tcp://127.0.0.1:*", clients: "tcp://127.0.0.1:*")
    private var proxies: [ChaosProxy] = []
    private let acknowledged = Acknowledged()
    private var random: SeededGenerator
    /// Undone when their time comes: the ends of stalls.
    private var heals: [(at: ContinuousClock.Instant, proxy: Int)] = []

    init(_ plan: ChaosPlan) throws {
        self.plan = plan
        folder = try TemporaryDirectory()
        var items = try Demo.items(plan.jobs)
        for index in items.indices { items[index].prompt += " (\(index))" }
        items[plan.jobs / 3].prompt = "null:fail"
        items[plan.jobs / 4].prompt = "null:flaky"
        for number in 0..<plan.poison { items[plan.jobs / 2 + number].prompt = "null:crash" }
        batch = try TestBatch(items, method: "none", lines: "features: none")
        coordinator = Supervised(failpoints: "")
        workers = plan.workerFailpoints.map { Supervised(failpoints: $0) }
        random = SeededGenerator(seed: plan.seed &+ 1)
    }

    /// Runs the batch through all faults to its end; returns what is wrong with what is left.
    func run() async throws -> Findings {
        defer { for proxy in proxies { proxy.end() } }
        try await startCoordinator()
        try watchStore()
        for number in workers.indices {
            let proxy = try ChaosProxy(to: endpoints.workers, seed: plan.seed &+ UInt64(number)) { [acknowledged] in
                acknowledged.note($0)
            }
            proxy.trouble(plan.mischief[number])
            proxies.append(proxy)
        }
        let submitted = try Services.Submitted(
            printed: try await ask("submit", batch.path, "--output", "json").output)
        // The coordinator's own failpoints count from here: it starts again with them.
        coordinator.failpoints = plan.coordinatorFailpoints
        coordinator.process?.kill()
        try await suffer()
        try await finish(submitted.batch)
        try checkBounds()
        try await end()
        return try check(submitted)
    }

    /// Carries out the plan's steps, and keeps everything running that is not to be down.
    private func suffer() async throws {
        let start = ContinuousClock.now
        var steps = plan.steps[...]
        while !steps.isEmpty || !heals.isEmpty || (workers + [coordinator]).contains(where: { $0.stoppedUntil != nil })
        {
            while let step = steps.first, start + .milliseconds(step.milliseconds) <= .now {
                steps.removeFirst()
                perform(step.event)
            }
            try await supervise()
            try await Task.sleep(for: .milliseconds(10))
        }
        for proxy in proxies { proxy.heal() }
    }

    private func perform(_ event: ChaosPlan.Event) {
        func stop(_ service: inout Supervised, _ milliseconds: Int) {
            service.process?.kill(SIGSTOP)
            service.stoppedUntil = .now + .milliseconds(milliseconds)
        }
        func kill(_ service: inout Supervised, downMilliseconds: Int) {
            service.process?.kill()
            service.startAt = .now + .milliseconds(downMilliseconds)
        }
        switch event {
        case .killWorker(let number): kill(&workers[number], downMilliseconds: 50)
        case .stopWorker(let number, let milliseconds): stop(&workers[number], milliseconds)
        case .killCoordinator(let milliseconds): kill(&coordinator, downMilliseconds: milliseconds)
        case .stopCoordinator(let milliseconds): stop(&coordinator, milliseconds)
        case .cut(let number): proxies[number].cut()
        case .stall(let number, let directions, let milliseconds):
            for direction in directions { proxies[number].stall(direction) }
            heals.append((.now + .milliseconds(milliseconds), number))
        }
    }

    /// Starts what has ended, continues what has stood still for long enough, heals what has.
    private func supervise() async throws {
        for heal in heals where heal.at <= .now { proxies[heal.proxy].heal() }
        heals.removeAll { $0.at <= .now }
        func revive(_ service: inout Supervised) -> Bool {
            if let until = service.stoppedUntil, until <= .now {
                service.process?.kill(SIGCONT)
                service.stoppedUntil = nil
            }
            if let process = service.process {
                guard !process.isRunning else { return false }
                service.lastWords += process.errors
                service.process = nil
                service.startAt = max(service.startAt, .now + .milliseconds(50))
            }
            return service.startAt <= .now
        }
        if revive(&coordinator) { try await startCoordinator() }
        for number in workers.indices where revive(&workers[number]) {
            workers[number].process = try RunningWinnow(
                [
                    "worker", "--null", "--null-milliseconds", "\(plan.jobMilliseconds)", "--connect",
                    proxies[number].endpoint, "--name", "worker-\(number)", "--threads", "1", "--capacity", "4",
                    "--seal-rows", "\(plan.sealRows)", "--seal-seconds", "0.4", "--spool",
                    folder.file("spool-\(number)").path,
                ], environment: environment(&workers[number]))
        }
        // A failpoint may have stopped a process that nobody else would continue.
        for worker in workers where worker.stoppedUntil == nil && Int.random(in: 0..<100, using: &random) == 0 {
            worker.process?.kill(SIGCONT)
        }
    }

    private func startCoordinator() async throws {
        let process = try RunningWinnow(
            [
                "coordinator", "--store", folder.file("jobs.sqlite").path, "--workers", endpoints.workers, "--clients",
                endpoints.clients, "--heartbeat", "0.3", "--lease", "2", "--output", "json",
            ], environment: environment(&coordinator))
        coordinator.process = process
        try await eventually("the coordinator listens or dies") {
            process.output.hasSuffix("\n") || !process.isRunning
        }
        if process.output.hasSuffix("\n") { endpoints = try Services.Endpoints(printed: process.output) }
    }

    /// The failpoints of a service; those of a plan are for its first process only, or it might never get far.
    private func environment(_ service: inout Supervised) -> [String: String] {
        defer { service.failpoints = "" }
        return service.failpoints.isEmpty ? [:] : ["WINNOW_FAILPOINTS": "\(service.failpoints) seed=\(plan.seed)"]
    }

    /// All faults are over: now everything must come to its end (I7).
    private func finish(_ batch: String) async throws {
        let start = ContinuousClock.now, deadline = start + Self.patience
        var areDisksFree = false
        while true {
            try await supervise()
            if !areDisksFree, .now > start + Self.relief {
                areDisksFree = true
                // Started again, they have no failpoints.
                for number in workers.indices where plan.workerFailpoints[number].contains("=error:") {
                    workers[number].process?.kill(SIGTERM)
                }
            }
            let status = try await ask("status", batch, "--output", "json", "--patience", "2")
            let state = (try? Services.Status(printed: status.output))?.batches.first
            if state?.state == "finished" { return }
            guard ContinuousClock.now < deadline else {
                throw RunningWinnow.Trouble(
                    description: "the batch does not end: \(state.map { "\($0)" } ?? status.errors)\n\(complaints)")
            }
            for _ in 0..<20 {
                try await Task.sleep(for: .milliseconds(10))
                try await supervise()
            }
        }
    }

    /// What the processes have said, the last of it.
    private var complaints: String {
        (workers + [coordinator]).map { ($0.lastWords + ($0.process?.errors ?? "")).suffix(1500) }
            .joined(separator: "\n--\n")
    }

    /// I6: the coordinator holds no more than it needs.
    private func checkBounds() throws {
        guard let process = coordinator.process?.process else { return }
        let status = try String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)
        func number(_ name: String) -> Int {
            let line = status.split(separator: "\n").first { $0.hasPrefix(name + ":") }
            return line.flatMap { Int($0.filter(\.isNumber)) } ?? .max
        }
        let files = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(process)/fd").count
        guard number("VmRSS") < 300_000, number("Threads") < 24, files < 100 else {
            throw RunningWinnow.Trouble(
                description: "I6: \(number("VmRSS")) kB, \(number("Threads")) threads, \(files) files")
        }
    }

    /// Ends everything as an operator would.
    private func end() async throws {
        for worker in workers {
            worker.process?.kill(SIGTERM)
            worker.process?.kill(SIGCONT)  // a failpoint may have stopped it
        }
        for worker in workers { _ = try await worker.process?.end() }
        coordinator.process?.kill(SIGTERM)
        _ = try await coordinator.process?.end()
    }

    private func ask(_ command: String, _ arguments: String...) async throws -> RunningWinnow.End {
        try await winnow([command] + arguments + ["--connect", endpoints.clients])
    }

    private func watchStore() throws { _ = try python("watch", folder.file("jobs.sqlite").path) }

    private func check(_ submitted: Services.Submitted) throws -> Findings {
        let list = folder.file("acknowledged")
        try Data(acknowledged.lines.joined(separator: "\n").utf8).write(to: list)
        return try Findings(
            printed: try python(
                "check", folder.file("jobs.sqlite").path, submitted.batch, batch.folder.file("items.jsonl").path,
                submitted.results, list.path))
    }

    private func python(_ arguments: String...) throws -> String {
        try SystemPython.run(
            "import runpy, sys; del sys.argv[0]; runpy.run_path(sys.argv[0], run_name='__main__')",
            [Self.script] + arguments)
    }
}

/// Which rows workers were told are committed: what the coordinator may never forget (I3).
final class Acknowledged: Sendable {
    private let known = Mutex<Set<String>>([])

    var lines: [String] { known.withLock { $0.sorted() } }

    /// Looks at a message on its way to a worker.
    func note(_ frames: [[UInt8]]) {
        guard case .reportAnswer(let answer)? = try? WireToWorker(frames: frames).kind else { return }
        known.withLock { known in for job in answer.committed { known.insert("\(job) \(answer.shard)") } }
    }
}
