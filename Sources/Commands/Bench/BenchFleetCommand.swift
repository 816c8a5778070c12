import ArgumentParser
import Foundation

/// `winnow bench fleet`: what very many workers cost the coordinator.
struct BenchFleetCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fleet", abstract: "Measure a coordinator with thousands of workers, some of which come and go.",
        discussion: """
            The workers are connections of a few processes on this machine, whose jobs take no time; every job is stored, \
            leased, reported, stored again and acknowledged after a synced commit. While the jobs run, some workers say \
            goodbye and some vanish as a lost machine does; each is followed by one with a new name.
            """)

    @Option(help: "Workers.")
    var workers = 5_000

    @Option(help: "Processes that they share.")
    var processes = 2

    @Option(help: "Jobs that a worker holds at the same time.")
    var capacity = 16

    @Option(help: "Jobs.")
    var jobs = 1_000_000

    @Option(help: "Workers a second that say goodbye.")
    var leaves = 10.0

    @Option(help: "Workers a second that vanish without a word.")
    var losses = 2.0

    @Option(help: "A folder to work in, which must not exist and is not removed; default: a temporary one.")
    var folder: String?

    @Option(help: "How to print: table or json.")
    var output = OutputFormat.table

    func validate() throws {
        guard (1...16_000).contains(workers) else { throw ValidationError("--workers must be from 1 to 16000") }
        guard (1...min(64, workers)).contains(processes) else {
            throw ValidationError("--processes must be from 1 to 64, and at most as many as workers")
        }
        guard (1...4096).contains(capacity) else { throw ValidationError("--capacity must be from 1 to 4096") }
        guard jobs >= 1, leaves >= 0, losses >= 0 else {
            throw ValidationError("--jobs must be at least 1, --leaves and --losses at least 0")
        }
    }

    func run() throws {
        let place = try BenchFolder(folder)
        defer { place.end() }
        let report = try FleetBench(
            folder: place.url, workers: workers, processes: processes, capacity: capacity, jobs: jobs, leaves: leaves,
            losses: losses
        ).run()
        switch output {
        case .json: try printJSON(report)
        case .table: print(report.text())
        case .quiet: print(report.jobsPerSecond)
        }
    }
}
