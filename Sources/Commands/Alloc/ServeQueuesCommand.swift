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
        guard (0.1...3600).contains(every) else { throw ValidationError("--every must be from 0.1 to 3600") }
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
        let client = try CoordinatorClient(
            endpoint: connect, patience: .seconds(10), security: access.security(for: connect, as: .client),
            goesOn: { !isStopped.value.load(ordering: .acquiring) })
        var server = AllocationServer(place.folder, client, logger)
        try withExtendedLifetime(signals) {
            while !isStopped.value.load(ordering: .acquiring) {
                try server.round()
                let next = Date(timeIntervalSinceNow: every)
                while Date() < next, !isStopped.value.load(ordering: .acquiring) { Thread.sleep(forTimeInterval: 0.05) }
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
struct AllocationServer {
    private let folder: AllocationFolder
    private let client: CoordinatorClient
    private let logger: Logger
    private let slurm = Slurm()
    /// What was complained about last, so that it is not said again and again.
    private var lastComplaints: [String: String] = [:]

    init(_ folder: AllocationFolder, _ client: CoordinatorClient, _ logger: Logger) {
        self.folder = folder
        self.client = client
        self.logger = logger
    }

    /// One look at everything.
    mutating func round() throws {
        let queues = try folder.queues()
        guard !queues.isEmpty else { return }
        var states: [QueueState] = []
        for queue in queues { states.append(try folder.state(of: queue)) }
        let demands = demands(of: queues, states)
        let clusters = Set(states.flatMap(\.live).compactMap { $0.job?.cluster })
        let listing = slurm.jobs(prefix: "winnow-", clusters: clusters)
        complain("slurm", listing.words)
        for (index, queue) in queues.enumerated() {
            let jobs = listing.jobs?.filter { $0.name.hasPrefix(queue.prefix) }
            let actions = states[index].step(queue, jobs: jobs, demand: demands?[index], at: Date())
            try folder.save(states[index])
            for action in actions { try perform(action, queue, &states[index]) }
        }
    }

    private mutating func perform(
        _ action: QueueState.Action, _ queue: QueueSettings, _ state: inout QueueState
    ) throws {
        switch action {
        case .submit(let allocation):
            let answer = slurm.submit(allocation, queue)
            let event = state.submitted(allocation.number, answer, at: Date())
            try folder.save(state)
            if let event { try note(event) }
        case .cancel(let allocations): complain("scancel", slurm.cancel(allocations))
        case .drain(let allocations): complain("scancel", slurm.drain(allocations))
        case .note(let event): try note(event)
        case .forget:
            folder.forget(queue.name)
            try note(Event(at: Date(), queue: queue.name, text: "removed"))
        }
    }

    private func note(_ event: Event) throws {
        logger.info("\(event.allocation ?? event.queue): \(event.text)")
        try folder.note(event)
    }

    /// Says what is wrong once, until something else is.
    private mutating func complain(_ who: String, _ words: String) {
        guard lastComplaints[who, default: ""] != words else { return }
        lastComplaints[who] = words
        if words.isEmpty { logger.info("\(who): works again") } else { logger.warning("\(words)") }
    }

    /// What there is to do for each queue; nil if the coordinator does not say.
    private mutating func demands(of queues: [QueueSettings], _ states: [QueueState]) -> [Demand]? {
        var report = WireAllocationsReport()
        report.queues = zip(queues, states).map { queue, state in
            var wire = WireAllocationQueue()
            wire.name = queue.name
            wire.workers = queue.prefix
            wire.timeLimitSeconds = queue.lifetime
            wire.standing = state.standing
            return wire
        }
        do {
            let demands = try client.demands(report)
            complain("coordinator", "")
            return demands
        } catch {
            complain("coordinator", "\(error)")
            return nil
        }
    }
}
