import Allocation
import Dispatch
import Foundation
import Logging
import Synchronization
import WireProtocol

/// Serves allocation queues: asks coordinator and engine how things are, and does what each queue decides.
///
/// Each queue is served on a thread of its own: whatever hangs or goes wrong for one leaves the others alone. The rounds belong
/// to one thread.
struct AllocationServer {
    private let folder: AllocationFolder
    private let makeClient: () throws -> CoordinatorClient
    private let goesOn: @Sendable () -> Bool
    private let diary: AllocationDiary
    private let slurm: Slurm
    private let service: QueueService
    private let busy = BusyQueues()
    /// nil if the coordinator did not answer: a new connection may find it at another address.
    private var client: CoordinatorClient?
    /// Whether the coordinator was told of a queue at the last round.
    private var hasReported = false

    /// - Parameter goesOn: Whether to begin something else, and to wait for what takes long.
    init(
        _ folder: AllocationFolder, _ logger: Logger, goesOn: @escaping @Sendable () -> Bool,
        makeClient: @escaping () throws -> CoordinatorClient
    ) {
        self.folder = folder
        self.goesOn = goesOn
        self.makeClient = makeClient
        diary = AllocationDiary(folder, logger, goesOn: goesOn)
        slurm = Slurm(goesOn: goesOn)
        service = QueueService(folder, slurm, diary, goesOn: goesOn)
    }

    /// One look at everything. Queues that are still busy with an earlier one are left alone.
    mutating func round() {
        var queues: [(settings: QueueSettings, standing: String)] = []
        for name in folder.names() {
            diary.attempt("files of queue \(name)") {
                guard let settings = try folder.queue(name) else { return }
                queues.append((settings, try folder.state(of: settings).standing))
            }
        }
        let demands = demands(of: queues)
        let listings = EngineListings { [slurm, diary] cluster in
            let answer = slurm.jobs(on: cluster)
            diary.complain(cluster.map { "squeue of cluster \($0)" } ?? "squeue", answer.words)
            return answer
        }
        for orphan in service.orphans(besides: Set(queues.map(\.settings.prefix))) {
            begin(orphan.prefix, "record of queue \(orphan.name)") { try $0.serve(orphan: orphan, listings) }
        }
        for (index, queue) in queues.enumerated() {
            let demand = demands?[index], name = queue.settings.name
            begin(queue.settings.prefix, "queue \(name)") { try $0.serve(name, demand, listings) }
        }
    }

    /// Waits for what was begun; soon after `goesOn` says no, nothing is under way any more.
    func finish() { busy.wait() }

    /// Serves a queue on a thread of its own, unless one does.
    private func begin(_ prefix: String, _ what: String, _ serve: @escaping @Sendable (QueueService) throws -> Void) {
        guard goesOn() else { return }
        busy.begin(prefix) { [diary, service] in diary.attempt(what) { try serve(service) } }
    }

    /// What there is to do for each queue; nil if the coordinator does not say.
    private mutating func demands(of queues: [(settings: QueueSettings, standing: String)]) -> [Demand]? {
        // After the last queue was removed, the coordinator hears that there is none.
        guard !queues.isEmpty || hasReported else { return [] }
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
            hasReported = !queues.isEmpty
            diary.complain("coordinator", "")
            return demands
        } catch {
            client = nil
            diary.complain("coordinator", "\(error)")
            return nil
        }
    }
}

/// The queues that are being served, each on a thread of its own.
private final class BusyQueues: Sendable {
    private let prefixes = Mutex<Set<String>>([])
    private let group = DispatchGroup()

    /// Does something for a queue on a new thread, unless something else is being done for it.
    func begin(_ prefix: String, _ body: @escaping @Sendable () -> Void) {
        guard prefixes.withLock({ $0.insert(prefix).inserted }) else { return }
        group.enter()
        Thread.detachNewThread { [self] in
            body()
            _ = prefixes.withLock { $0.remove(prefix) }
            group.leave()
        }
    }

    /// Waits until nothing is being done.
    func wait() { group.wait() }
}
