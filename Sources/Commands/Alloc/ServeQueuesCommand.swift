import AccessKeys
import Allocation
import ArgumentParser
import Coordinator
import FileLocks
import Foundation
import Logging
import Synchronization
import WireProtocol

/// `winnow alloc serve`: asks the batch engine for machines.
struct ServeQueuesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract:
            "Ask for machines while jobs wait; run it on a machine that has sbatch, beside the coordinator or not.",
        discussion: """
            When it ends, allocations go on, and the next one takes them up. Added, paused and removed queues are noticed \
            without a restart.
            """)

    @Option(help: "Where the coordinator listens for clients.")
    var connect = CoordinatorConfiguration.defaultClientEndpoint

    @OptionGroup var access: KeyArguments

    @OptionGroup var place: QueueFolderOption

    @Option(help: "Seconds between two looks at Slurm and the coordinator.")
    var every = 10.0

    @Flag(help: ArgumentHelp("End when standard input does: the sign of a parent that is gone.", visibility: .hidden))
    var untilInputEnds = false

    @OptionGroup var logging: LoggingOptions

    func validate() throws {
        guard (0.1...60).contains(every) else { throw ValidationError("--every must be from 0.1 to 60") }
    }

    func run() throws {
        let lock = try holdFolder()
        defer { withExtendedLifetime(lock) {} }
        let logger = logging.logger("winnow.alloc")
        let isStopped = Stop()
        let signals = Signals([SIGINT, SIGTERM, SIGHUP]) { _, name in
            logger.notice("\(name): allocations go on without this process")
            isStopped.value.store(true, ordering: .releasing)
        }
        if untilInputEnds { StandardInput.whenItEnds { isStopped.value.store(true, ordering: .releasing) } }
        let goesOn: @Sendable () -> Bool = { !isStopped.value.load(ordering: .acquiring) }
        let security = try access.security(for: connect, as: .client)
        var server = AllocationServer(place.folder, logger, goesOn: goesOn) {
            try CoordinatorClient(
                endpoint: connect, patience: .seconds(10), security: security, isSilent: true, goesOn: goesOn)
        }
        withExtendedLifetime(signals) {
            while goesOn() {
                server.round()
                let next = Date(timeIntervalSinceNow: every)
                while Date() < next, goesOn() { Thread.sleep(forTimeInterval: 0.05) }
            }
        }
    }

    /// Holds the queues' folder, which one process serves at a time.
    private func holdFolder() throws -> FileLock {
        do {
            return try place.folder.lock()
        } catch {
            switch error {
            case .refused:
                throw CommandFailure("another 'winnow alloc serve' serves the queues in \(place.folder.path)")
            case .cannotOpen(let reason), .noLocks(let reason):
                throw CommandFailure(
                    "\(place.folder.path) cannot be locked: \(reason). Name another folder with --queues.")
            }
        }
    }

    private final class Stop: Sendable { let value = Atomic(false) }
}

/// Serves allocation queues: asks coordinator and engine how things are, and does what each queue decides.
///
/// Whatever goes wrong with one queue is said and leaves the others alone.
struct AllocationServer {
    private let folder: AllocationFolder
    private let makeClient: () throws -> CoordinatorClient
    private let goesOn: () -> Bool
    private let logger: Logger
    private let slurm = Slurm()
    /// nil where the coordinator did not answer: a new connection may find it at another address.
    private var client: CoordinatorClient?
    /// What was complained about last, so that it is not said again and again.
    private var lastComplaints: [String: String] = [:]

    /// - Parameter goesOn: Whether to begin one more thing that may take long.
    init(
        _ folder: AllocationFolder, _ logger: Logger, goesOn: @escaping () -> Bool,
        makeClient: @escaping () throws -> CoordinatorClient
    ) {
        self.folder = folder
        self.logger = logger
        self.goesOn = goesOn
        self.makeClient = makeClient
    }

    /// One look at everything.
    mutating func round() {
        let names = folder.names()
        var queues: [(settings: QueueSettings, standing: String)] = []
        for name in names {
            attempt("files of queue \(name)") {
                guard let settings = try $0.folder.queue(name) else { return }
                queues.append((settings, try $0.folder.state(of: settings).standing))
            }
        }
        guard !queues.isEmpty else { return }
        let demands = demands(of: queues)
        for (index, queue) in queues.enumerated() where goesOn() {
            attempt("queue \(queue.settings.name)") { try $0.serve(queue.settings.name, demands?[index]) }
        }
    }

    /// Does something for a queue, and says what is wrong if it fails.
    private mutating func attempt(_ what: String, _ body: (inout AllocationServer) throws -> Void) {
        do {
            try body(&self)
            complain(what, "")
        } catch {
            complain(what, "\(error)")
        }
    }

    private mutating func serve(_ name: String, _ demand: Demand?) throws {
        // Looking at the other queues may have taken minutes: what is wanted now counts.
        guard let queue = try folder.queue(name) else { return }
        var state = try folder.state(of: queue)
        let clusters = queue.clusters.union(state.live.compactMap { $0.job?.cluster })
        let listing = slurm.jobs(prefix: queue.prefix, clusters: clusters)
        complain("listing of \(name)", listing.words)
        let jobs = listing.jobs?.map { $0.explained(byLog: folder.logs) }
        let actions = state.step(queue, jobs: jobs, demand: demand, at: Date())
        try folder.save(state)
        var mayAsk = true
        for action in actions {
            switch action {
            case .submit(let allocation):
                let isWanted = try folder.queue(name).map { !$0.isRemoved && !$0.isPaused } ?? false
                let answer =
                    mayAsk && isWanted && goesOn()
                    ? slurm.submit(allocation, queue, logs: folder.logs) : QueueState.Answer.notNow("")
                // What is refused once, or is not to be had now, is not asked for again in the same breath.
                if case .accepted = answer {} else { mayAsk = false }
                let event = state.submitted(allocation.number, answer, at: Date())
                try folder.save(state)
                if let event { note(event) }
            case .cancel(let allocations): complain("scancel", slurm.cancel(allocations))
            case .takeBack(let allocations): complain("scancel", slurm.takeBack(allocations))
            case .drain(let allocations): complain("scancel", slurm.drain(allocations))
            case .note(let event): note(event)
            case .forget:
                folder.forget(name)
                note(Event(at: Date(), queue: name, text: "removed"))
            }
        }
    }

    private mutating func note(_ event: Event) {
        logger.info("\(event.allocation ?? event.queue): \(event.text)")
        do {
            try folder.note(event)
        } catch {
            complain("events", "\(error)")
        }
    }

    /// Says what is wrong once, until something else is.
    private mutating func complain(_ who: String, _ words: String) {
        guard lastComplaints[who, default: ""] != words else { return }
        lastComplaints[who] = words
        if words.isEmpty { logger.info("\(who): works again") } else { logger.warning("\(who): \(words)") }
    }

    /// What there is to do for each queue; nil if the coordinator does not say.
    private mutating func demands(of queues: [(settings: QueueSettings, standing: String)]) -> [Demand]? {
        do {
            var report = WireAllocationsReport()
            report.queues = queues.map { queue in
                var wire = WireAllocationQueue()
                wire.name = queue.settings.name
                wire.workers = queue.settings.prefix
                wire.takesJobsSeconds = queue.settings.lifetime
                wire.standing = queue.standing
                return wire
            }
            let client = try self.client ?? makeClient()
            self.client = client
            let demands = try client.demands(report)
            complain("coordinator", "")
            return demands
        } catch {
            client = nil
            complain("coordinator", "\(error)")
            return nil
        }
    }
}
