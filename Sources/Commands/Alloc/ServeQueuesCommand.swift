import AccessKeys
import Allocation
import ArgumentParser
import Coordinator
import FileLocks
import Foundation
import Logging
import Synchronization

/// `winnow alloc serve`: asks the batch engine for machines.
struct ServeQueuesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract:
            "Ask for machines while jobs wait; run it on a machine that has sbatch, beside the coordinator or not.",
        discussion: """
            When it ends, allocations go on, and the next one takes them up; commands of Slurm that hang are killed. Added, \
            paused and removed queues are noticed without a restart.
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
            server.finish()
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
