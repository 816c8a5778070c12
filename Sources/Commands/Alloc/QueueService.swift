import Allocation
import Foundation
import Synchronization

/// Looks at one queue at a time and does what it decides; several threads may use it for different queues.
final class QueueService: Sendable {
    private let folder: AllocationFolder
    private let slurm: Slurm
    private let diary: AllocationDiary
    private let goesOn: @Sendable () -> Bool
    /// The states that were saved last, by prefix: what is left to say of a queue of which somebody deletes every file.
    private let saved = Mutex<[String: QueueState]>([:])

    init(
        _ folder: AllocationFolder, _ slurm: Slurm, _ diary: AllocationDiary, goesOn: @escaping @Sendable () -> Bool
    ) {
        self.folder = folder
        self.slurm = slurm
        self.diary = diary
        self.goesOn = goesOn
    }

    /// Looks at a queue.
    ///
    /// - Parameter demand: What there is to do; nil if the coordinator does not say.
    func serve(_ name: String, _ demand: Demand?, _ listings: EngineListings) throws {
        guard let queue = try folder.queue(name) else { return }
        var state = try folder.state(of: queue)
        let listing = listings.jobs(prefix: queue.prefix, clusters: queue.clusters.union(state.clusters))
        let jobs = listing.jobs?.map { $0.explained(byLog: folder.logs) }
        // The engine may have taken long: what is wanted now counts, which is nothing if the queue was replaced.
        guard goesOn(), let current = try folder.queue(name), current.token == queue.token else { return }
        let actions = state.step(current, jobs: jobs, words: listing.words, demand: demand, at: Date())
        try save(state)
        var mayAsk = true
        for action in actions {
            switch action {
            case .submit(let allocation):
                let answer =
                    try mayAsk && goesOn() && wants(current)
                    ? slurm.submit(allocation, current, logs: folder.logs) : QueueState.Answer.notNow("")
                // What is refused once, or is not to be had now, is not asked for again in the same breath.
                if case .accepted = answer {} else { mayAsk = false }
                let event = state.submitted(allocation.number, answer, at: Date())
                try save(state)
                if let event { diary.note(event) }
            case .forget:
                folder.forget(name)
                forgetState(of: queue.prefix)
                diary.note(Event(at: Date(), queue: name, text: "removed"))
            case .cancel, .takeBack, .drain, .note: perform(action)
            }
        }
    }

    /// Records of queues whose files are gone, though batch jobs of theirs may live.
    ///
    /// - Parameter prefixes: Those of the queues that have their files.
    func orphans(besides prefixes: Set<String>) -> [QueueState] {
        let names = Set(folder.names())
        let gone = saved.withLock { saved in
            // A file that is there and cannot be read is no reason to give its queue up.
            let gone = saved.values.filter { !prefixes.contains($0.prefix) && !names.contains($0.name) }
            for state in gone { saved[state.prefix] = nil }
            return gone
        }
        for state in gone where !state.live.isEmpty {
            diary.attempt("record of queue \(state.name)") { try folder.save(orphan: state) }
        }
        return folder.orphans()
    }

    /// Looks at what a queue left behind whose file is gone, and says so until it has ended.
    func serve(orphan: QueueState, _ listings: EngineListings) throws {
        var state = orphan
        let who = "queue \(state.name)", listing = listings.jobs(prefix: state.prefix, clusters: state.clusters)
        guard goesOn(), let jobs = listing.jobs else { return }
        let actions = state.stepWithoutFile(jobs: jobs, at: Date())
        try folder.save(orphan: state)
        for action in actions where action != .forget { perform(action) }
        if let words = state.wordsWithoutFile {
            guard diary.complain("\(who) (\(state.prefix)…)", words) else { return }
            diary.note(Event(at: Date(), queue: state.name, text: words))
        } else {
            folder.forget(orphan: state)
            diary.drop("\(who) (\(state.prefix)…)")
            diary.note(Event(at: Date(), queue: state.name, text: "what it left without a file has ended"))
        }
    }

    /// Whether a queue still asks for machines: commands change that at any time.
    private func wants(_ queue: QueueSettings) throws -> Bool {
        try folder.queue(queue.name).map { $0.token == queue.token && !$0.isRemoved && !$0.isPaused } ?? false
    }

    private func save(_ state: QueueState) throws {
        saved.withLock { $0[state.prefix] = state }
        try folder.save(state)
    }

    private func forgetState(of prefix: String) { saved.withLock { $0[prefix] = nil } }

    /// Does what needs no answer.
    private func perform(_ action: QueueState.Action) {
        switch action {
        case .cancel(let allocations): diary.complain("scancel", slurm.cancel(allocations))
        case .takeBack(let allocations): diary.complain("scancel", slurm.takeBack(allocations))
        case .drain(let allocations): diary.complain("scancel", slurm.drain(allocations))
        case .note(let event): diary.note(event)
        case .submit, .forget: break
        }
    }
}
