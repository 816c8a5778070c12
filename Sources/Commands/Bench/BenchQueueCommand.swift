import ArgumentParser

/// `winnow bench queue`: what the queue costs when the jobs cost nothing.
struct BenchQueueCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "queue", abstract: "Measure durable no-op jobs per second, and what they cost the coordinator.",
        discussion: """
            A coordinator and workers run as processes of their own and talk over ZeroMQ on loopback. Workers run \
            `winnow worker --null`: everything is real but the model, and no picture is read. Each job is stored, \
            leased, run, reported, stored again and acknowledged; every acknowledgement follows a commit that is synced. \
            Result files are written only with --shards. `ops/bench-queue` adds baselines.
            """)

    @Option(help: "Jobs of one round.")
    var jobs = 50_000

    @Option(help: "Worker processes.")
    var workers = 2

    @Option(help: "Jobs that a worker holds at the same time.")
    var capacity = 512

    @Option(help: "Rounds; medians are printed, with the least and greatest.")
    var runs = 5

    @Flag(help: "Write result files, too.")
    var shards = false

    @Option(help: "Items of the long manifest; 0 leaves it out.")
    var items = 1_000_000

    @Option(help: "Idle workers; 0 leaves them out.")
    var idle = 1000

    @Option(help: "Seconds over which idle workers are watched.")
    var idleSeconds = 30.0

    @Option(help: "A shell command that measures another program and prints its name, jobs and seconds as JSON.")
    var baseline: [String] = []

    @Option(help: "A folder to work in, which must not exist and is not removed; default: a temporary one.")
    var folder: String?

    @Option(help: "How to print: table or json.")
    var output = OutputFormat.table

    func validate() throws {
        guard jobs >= 1, runs >= 1, items >= 0, idle >= 0, idleSeconds > 0 else {
            throw ValidationError("--jobs and --runs must be at least 1, --items and --idle at least 0")
        }
        guard (1...64).contains(workers) else { throw ValidationError("--workers must be from 1 to 64") }
        guard (1...4096).contains(capacity) else { throw ValidationError("--capacity must be from 1 to 4096") }
    }

    func run() throws {
        let place = try BenchFolder(folder)
        defer { place.end() }
        let bench = QueueBench(folder: place.url)
        let (rounds, peers) = try measureRounds(bench)
        let report = QueueReport(
            jobs: jobs, workers: workers, capacity: capacity, runs: runs, shards: shards,
            jobsPerSecond: Spread(rounds.map(\.jobsPerSecond)), runMilliseconds: Spread(rounds.map(\.runMilliseconds)),
            acceptMilliseconds: Spread(rounds.map(\.acceptMilliseconds)),
            manifest: items > 0 ? try bench.manifest(items: items) : nil,
            idle: idle > 0 ? try bench.idle(idle, seconds: idleSeconds) : nil, peers: peers)
        switch output {
        case .json: try printJSON(report)
        case .table: print(report.text())
        case .quiet: print(report.jobsPerSecond.median)
        }
    }

    /// Rounds of the queue and of every baseline in turn.
    private func measureRounds(_ bench: QueueBench) throws -> ([QueueBench.Round], [QueueReport.Peer]) {
        let cluster = try NullCluster(in: bench.folder, shards: shards)
        defer { cluster.end() }
        try cluster.startWorkers(workers, capacity: capacity)
        _ = try bench.round(0, jobs: min(jobs, 5000), on: cluster)  // caches and files warm up
        var rounds: [QueueBench.Round] = []
        var others = baseline.map { _ in [QueueBaseline]() }
        for number in 1...runs {
            rounds.append(try bench.round(number, jobs: jobs, on: cluster))
            for (index, command) in baseline.enumerated() {
                // One that cannot run will not be able to in the next round either.
                guard others[index].first?.skipped == nil else { continue }
                others[index].append(try QueueBaseline.run(command))
            }
        }
        let peers = others.compactMap { found -> QueueReport.Peer? in
            guard let first = found.first else { return nil }
            let rates = found.compactMap(\.jobsPerSecond)
            guard rates.count == rounds.count else {
                return QueueReport.Peer(name: first.name, jobsPerSecond: nil, ratio: nil, skipped: first.skipped)
            }
            let ratios = zip(rounds, rates).map { $0.jobsPerSecond / $1 }
            return QueueReport.Peer(
                name: first.name, jobsPerSecond: Spread(rates), ratio: Spread(ratios), skipped: nil)
        }
        return (rounds, peers)
    }
}
