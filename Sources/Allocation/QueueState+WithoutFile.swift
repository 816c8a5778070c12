public import Foundation

/// A queue whose file is gone, deleted by hand, while batch jobs of it may live: nobody asks for more, and nobody ends those.
extension QueueState {
    /// Most numbers of jobs in what is said.
    private static let mostNumbers = 50

    /// Takes the engine's listing of what the queue left behind. Nothing is ended but what would wait for ever; when all has
    /// ended, the queue's record is to be forgotten.
    public mutating func stepWithoutFile(jobs: [EngineJob], at now: Date) -> [Action] {
        var actions: [Action] = []
        isWanted = nil
        observe(jobs, takesJobs: nil, present: [], at: now, &actions)
        if live.isEmpty { actions.append(.forget) }
        return actions
    }

    /// What the queue left behind, and the commands that end it; nil if that is nothing.
    public var wordsWithoutFile: String? {
        guard !live.isEmpty else { return nil }
        let jobs = live.compactMap(\.job).prefix(Self.mostNumbers)
        var commands = Dictionary(grouping: jobs, by: \.cluster).sorted { $0.key ?? "" < $1.key ?? "" }
            .map { cluster, jobs in Slurm.cancelCommand(cluster, jobs.map(\.id)) }
        // Nobody knows yet whether the engine accepted these.
        commands += live.filter { $0.job == nil }.prefix(Self.mostNumbers - jobs.count).map {
            "scancel --name=\($0.name)"
        }
        let left = live.count == 1 ? "an allocation" : "\(live.count) allocations"
        let all =
            live.count > Self.mostNumbers ? "the first \(Self.mostNumbers) of them" : live.count == 1 ? "it" : "them"
        return "its file is gone, and \(left) may still run; end \(all) with: \(commands.joined(separator: "; "))"
    }
}
