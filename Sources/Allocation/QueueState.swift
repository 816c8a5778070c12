public import Foundation

/// What a queue has done and is about to do: its allocations, and why it may have stopped asking for more.
///
/// A pure state machine: listings of the engine and the coordinator's demand go in, actions come out. It is kept in a
/// file, so that a new process goes on where the last one was.
public struct QueueState: Codable, Sendable, Hashable {
    /// What is to be done.
    public enum Action: Sendable, Hashable {
        /// Ask the engine for an allocation.
        case submit(Allocation)
        /// End jobs at once, whatever they do.
        case cancel([Allocation])
        /// Take jobs back that still wait in line, and leave alone those that have begun meanwhile.
        case takeBack([Allocation])
        /// Ask the workers of running jobs to finish and end.
        case drain([Allocation])
        /// Remember that something happened.
        case note(Event)
        /// Everything has ended of a queue that was removed.
        case forget
    }

    /// What the engine said to a submission.
    public enum Answer: Sendable, Hashable {
        /// There is a job of this number.
        case accepted(JobNumber)
        /// The engine refused, in these words.
        case refused(String)
        /// It gave no answer: the job may exist, and is looked for by its name.
        case unknown(String)
        /// It was not asked, or cannot be reached: there is no job, and nobody is to blame.
        case notNow(String)
        /// Asking was broken off because the process ends: the job may exist, and nobody is to blame if it does not.
        case brokenOff
    }

    /// A pause that a queue began by itself after failures.
    public struct Pause: Codable, Sendable, Hashable {
        /// Why the queue paused.
        public var reason: String
        /// How often its user had let the queue go on by then.
        var resumeCount: Int
    }

    /// The name of the queue.
    public let name: String
    /// The letters that tell the queue from an earlier one of its name.
    let token: String
    /// Its allocations in the order in which they became known: all live ones, and the last that ended.
    public internal(set) var allocations: [Allocation] = []
    /// What it does, or why it does nothing, as a phrase.
    public internal(set) var standing = "it has just begun"
    /// Why it paused; nil if it did not.
    public internal(set) var pause: Pause?
    /// Failures since the last allocation that was of use.
    public internal(set) var failuresInRow = 0
    /// Why the last of them failed.
    public internal(set) var lastFailure = ""
    /// Allocations in a row that ended without a job and without a fault.
    var endsWithoutUse = 0
    /// When the last failure was noted; nil before the first.
    var failedAt: Date?
    /// The number of the next allocation.
    var nextNumber = 1
    /// Before then nothing is submitted, after a failure.
    var retryAt: Date?
    /// Whether jobs waited when the coordinator last answered; nil if it did not answer at the last look.
    var isWanted: Bool?
    /// Since when no job waits.
    var calmSince: Date?

    /// A queue that has done nothing yet.
    public init(of settings: QueueSettings) {
        name = settings.name
        token = settings.token
    }

    /// Failures in a row after which a queue pauses.
    static let mostFailures = 3
    /// Listings in a row that must lack a job before it counts as vanished.
    static let missingListings = 2
    /// How long after its submission a job may be missing, in seconds.
    static let missingPatience = 30.0
    /// How long an allocation may take to end when it is asked to, in seconds besides its notice.
    static let endPatience = 120.0
    /// Allocations that are remembered after their end.
    package static let remembered = 50
    /// Greatest number of an allocation that is taken for one of this program's.
    static let greatestNumber = 1_000_000_000
    /// Most submissions in one step.
    static let mostAtOnce = 10

    /// How the names of its jobs and workers begin.
    public var prefix: String { QueueSettings.prefix(name, token: token) }

    /// The clusters that live allocations of it were accepted on, besides the usual one.
    public var clusters: Set<String> { Set(live.compactMap { $0.job?.cluster }) }

    /// The allocations that may hold machines, or get some.
    public var live: [Allocation] { allocations.filter(\.isLive) }

    /// Whether a queue asks for nothing until its user lets it go on.
    public func isPaused(_ settings: QueueSettings) -> Bool {
        settings.isPaused || pause.map { $0.resumeCount >= settings.resumeCount } ?? false
    }

    /// Takes what the engine and the coordinator say, and decides.
    ///
    /// - Parameters:
    ///   - jobs: The engine's listing; nil if it gave none.
    ///   - words: What the engine said instead of a listing.
    ///   - demand: What there is to do; nil if the coordinator does not answer.
    public mutating func step(
        _ settings: QueueSettings, jobs: [EngineJob]?, words: String = "", demand: Demand?, at now: Date
    ) -> [Action] {
        var actions: [Action] = []
        distrustClock(now)
        isWanted = demand.map { $0.waiting > 0 }
        if let demand { note(demand.workers) }
        if let jobs {
            observe(jobs, takesJobs: settings.lifetime, present: demand?.workers ?? [], at: now, &actions)
        }
        if let pause, pause.resumeCount < settings.resumeCount {
            self.pause = nil
            failuresInRow = 0
            retryAt = nil
        }
        if failuresInRow >= Self.mostFailures, pause == nil {
            let reason = "\(failuresInRow) allocations in a row were of no use; the last one: \(lastFailure)"
            pause = Pause(reason: reason, resumeCount: settings.resumeCount)
            actions.append(.note(Event(at: now, queue: name, text: "paused: \(reason)")))
        }
        if settings.isRemoved {
            endAll(settings, isListed: jobs != nil, at: now, &actions)
        } else {
            if jobs != nil { dropNeedless(settings, demand, at: now, &actions) }
            submit(settings, demand, unlisted: jobs == nil ? words : nil, at: now, &actions)
        }
        forgetOldest()
        return actions
    }

    /// Drops times that lie too far ahead, after a clock that was wrong has been set.
    private mutating func distrustClock(_ now: Date) {
        if let retryAt, retryAt > now + 300 { self.retryAt = nil }
        if let calmSince, calmSince > now { self.calmSince = now }
    }

    /// Takes the engine's answer to a submission.
    public mutating func submitted(_ number: Int, _ answer: Answer, at now: Date) -> Event? {
        guard let index = allocations.firstIndex(where: { $0.number == number }) else { return nil }
        switch answer {
        case .accepted(let job):
            allocations[index].job = job
            allocations[index].state = .queued
            return event(index, "submitted as job \(job.id)", now)
        case .refused(let words):
            return end(index, .failed(words), takesJobs: nil, at: now)
        case .notNow(let words):
            allocations.remove(at: index)
            guard !words.isEmpty else { return nil }
            retryAt = now + 10
            lastFailure = words
            return nil
        case .unknown(let words):
            allocations[index].reason = words
            return event(index, "the engine gave no answer (\(words)); the job is looked for by its name", now)
        case .brokenOff:
            // Without a reason it stays as one that was never asked for, unless the engine lists it.
            return event(index, "asking for it was broken off; the job is looked for by its name", now)
        }
    }

    func event(_ index: Int, _ text: String, _ now: Date) -> Event {
        Event(at: now, queue: name, allocation: allocations[index].name, text: text)
    }

    /// Notes which allocations have workers, and what those have done.
    private mutating func note(_ workers: [Demand.Worker]) {
        for index in allocations.indices {
            let its = workers.filter { Self.isWorker($0.name, of: allocations[index].name) }
            guard !its.isEmpty else { continue }
            allocations[index].hadWorker = true
            allocations[index].finished = max(allocations[index].finished, its.reduce(0) { $0 + $1.finished })
            allocations[index].note = its.map(\.note).first { !$0.isEmpty } ?? ""
            noteUse(of: allocations[index])
        }
    }

    /// Whether a worker is of an allocation: its name is the allocation's with a number behind it.
    package static func isWorker(_ name: String, of allocation: String) -> Bool {
        guard name.hasPrefix(allocation + "-") else { return false }
        let number = name.dropFirst(allocation.count + 1)
        return !number.isEmpty && number.allSatisfy { $0.isASCII && $0.isNumber }
    }

    /// Notes an end, and whether the allocation was of use.
    mutating func end(_ index: Int, _ end: Allocation.End, takesJobs: Double?, at now: Date) -> Event {
        allocations[index].state = .ended
        allocations[index].end = end
        allocations[index].endedAt = now
        let allocation = allocations[index]
        if let isWanted, let failure = allocation.failure(takesJobs: takesJobs, isWanted: isWanted) {
            failuresInRow += 1
            lastFailure = failure
            failedAt = now
            retryAt = now + min(60, 5 * Double(1 << min(failuresInRow - 1, 4)))
        } else if allocation.finished > 0 {
            noteUse(of: allocation)
            endsWithoutUse = 0
        } else if allocation.askedToEndAt == nil {
            // Nobody is to blame, and asking at once would bring the same: each time the next try is later.
            endsWithoutUse += 1
            retryAt = now + min(300, 5 * Double(1 << min(endsWithoutUse - 1, 6)))
            lastFailure = "the last allocation ended before a job of it did: \(end)"
        }
        return event(index, "ended: \(end)", now)
    }

    /// Failures are over when an allocation that came after them is of use; that an older one goes on proves nothing.
    private mutating func noteUse(of allocation: Allocation) {
        if allocation.finished > 0, failedAt.map({ allocation.submittedAt > $0 }) ?? true { failuresInRow = 0 }
    }

    /// Only what this step's listing has under its name is ended: a number alone may be another job's by now.
    private mutating func endAll(
        _ settings: QueueSettings, isListed: Bool, at now: Date, _ actions: inout [Action]
    ) {
        let listed = isListed ? live.filter { $0.job != nil && $0.wasListed && $0.missing == 0 } : []
        let toCancel = listed.filter { allocation in
            guard let asked = allocation.askedToEndAt else { return allocation.state != .running }
            return now.timeIntervalSince(asked) > settings.notice + Self.endPatience
        }
        let toDrain = listed.filter { $0.state == .running && $0.askedToEndAt == nil }
        noteAsked(toCancel + toDrain, at: now)
        if !toCancel.isEmpty { actions.append(.cancel(toCancel)) }
        if !toDrain.isEmpty { actions.append(.drain(toDrain)) }
        standing = "it is being removed: \(live.count) allocations have yet to end"
        if live.isEmpty { actions.append(.forget) }
    }

    /// Notes that the engine is asked to end some allocations.
    private mutating func noteAsked(_ those: [Allocation], at now: Date) {
        let numbers = Set(those.map(\.number))
        for index in allocations.indices where numbers.contains(allocations[index].number) {
            allocations[index].askedToEndAt = now
        }
    }

    /// Takes back what waits in line when no job has waited for a while.
    private mutating func dropNeedless(
        _ settings: QueueSettings, _ demand: Demand?, at now: Date, _ actions: inout [Action]
    ) {
        guard let demand, demand.waiting == 0 else {
            calmSince = nil
            return
        }
        let since = calmSince ?? now
        calmSince = since
        guard now.timeIntervalSince(since) >= min(60, settings.idleTimeout) else { return }
        let needless = live.filter { allocation in
            let isAsked = allocation.askedToEndAt.map { now.timeIntervalSince($0) <= Self.endPatience } ?? false
            return allocation.state == .queued && allocation.job != nil && allocation.missing == 0 && !isAsked
        }
        guard !needless.isEmpty else { return }
        noteAsked(needless, at: now)
        actions.append(.takeBack(needless))
        actions.append(
            .note(
                Event(
                    at: now, queue: name,
                    text: "no job waits, so \(needless.count) allocations in line are taken back")))
    }

    private mutating func submit(
        _ settings: QueueSettings, _ demand: Demand?, unlisted words: String?, at now: Date, _ actions: inout [Action]
    ) {
        let expected = live.count(where: \.isExpected)
        let workers = live.count * settings.workersPerAllocation
        let room = max(0, settings.maxWorkers - workers) / settings.workersPerAllocation
        guard !isPaused(settings) else {
            standing =
                settings.isPaused
                ? "it is paused by 'winnow alloc pause'"
                : "it is paused: \(pause?.reason ?? ""); 'winnow alloc resume \(name)' lets it go on"
            return
        }
        guard let demand else { return standing = "the coordinator does not answer" }
        if let words {
            return standing = "the engine does not list its jobs" + (words.isEmpty ? "" : ": \(words)")
        }
        guard demand.waiting > 0 else {
            return standing =
                demand.hindrance.isEmpty ? "no job waits" : "no job waits that it could run: \(demand.hindrance)"
        }
        if let retryAt, retryAt > now {
            return standing = "it asks again soon: \(lastFailure)"
        }
        guard room > 0 else {
            return standing = "it has \(workers) workers or asks for them, as many as it may (--max-workers)"
        }
        let perAllocation = UInt64(settings.capacity * settings.workersPerAllocation)
        let needed = Int(min((demand.waiting + perAllocation - 1) / perAllocation, 1_000_000))
        let count = min(settings.backlog - expected, needed - expected, room, Self.mostAtOnce)
        guard count > 0 else {
            standing =
                expected > 0
                ? "\(expected) allocations are in line or starting" : "its allocations are enough for what waits"
            return
        }
        for _ in 0..<count {
            let allocation = Allocation(number: nextNumber, name: settings.name(of: nextNumber), at: now)
            nextNumber += 1
            allocations.append(allocation)
            actions.append(.submit(allocation))
        }
        standing = "\(demand.waiting) jobs wait, so it asks for \(count) more allocations"
    }

    private mutating func forgetOldest() {
        let ended = allocations.count { !$0.isLive }
        guard ended > Self.remembered else { return }
        var excess = ended - Self.remembered
        allocations.removeAll { allocation in
            guard excess > 0, !allocation.isLive else { return false }
            excess -= 1
            return true
        }
    }
}

extension EngineJob.Meaning {
    /// Whether the engine still holds the job.
    package var isLive: Bool { if case .live = self { true } else { false } }
}

extension Allocation {
    /// Why it was of no use through its own fault or its queue's; nil if it was of use, or is not to blame.
    ///
    /// An end by the time limit is an ordinary one, and so is that of a lost machine. Where no worker ever came, none could
    /// run a job, or no job came to its end while some waited, the next allocation would do no better.
    ///
    /// - Parameters:
    ///   - takesJobs: How long its workers take jobs, in seconds; nil if it never ran.
    ///   - isWanted: Whether jobs wait.
    func failure(takesJobs: Double?, isWanted: Bool) -> String? {
        guard let end, finished == 0 else { return nil }
        let ran = startedAt.flatMap { start in endedAt.map { $0.timeIntervalSince(start) } } ?? 0
        switch end {
        case .failed(let words): return words
        case .vanished where !wasListed: return "the engine accepted job \(job?.id ?? "?") and does not list it"
        case .timeLimit where !hadWorker, .completed where !hadWorker && (isWanted || ran >= Self.longestUnseen):
            return "it ended before a worker of it reached the coordinator"
        case .completed, .timeLimit:
            if !note.isEmpty { return "its worker got no job: \(note)" }
            guard let takesJobs, isWanted, hadWorker, ran >= max(1, takesJobs - Self.earliness) else { return nil }
            return "no job came to its end in its time, which may be too short for any (--time-limit)"
        default: return note.isEmpty ? nil : "its worker got no job: \(note)"
        }
    }

    /// Seconds in which a worker may come and go without being seen.
    private static let longestUnseen = 30.0
    /// How many seconds too early the engine may announce the end.
    private static let earliness = 60.0
}

extension Allocation.End: CustomStringConvertible {
    /// The end as a phrase.
    public var description: String {
        switch self {
        case .completed: "its workers ended"
        case .timeLimit: "its time was over"
        case .cancelled: "it was taken back"
        case .machineLost: "its machine was lost or given to others"
        case .vanished: "the engine does not know it any more"
        case .failed(let words): words
        }
    }
}
