internal import Foundation

/// What the engine's listing says about the allocations of a queue.
extension QueueState {
    /// Compares the allocations with the engine's listing.
    ///
    /// - Parameters:
    ///   - takesJobs: How long workers take jobs, in seconds; nil if that is not known.
    ///   - workers: The workers that the coordinator knows.
    mutating func observe(
        _ jobs: [EngineJob], takesJobs: Double?, present workers: [Demand.Worker], at now: Date,
        _ actions: inout [Action]
    ) {
        // A number alone proves nothing: one that was lost with the engine's memory is given out again.
        let listed = Dictionary(jobs.map { ($0.name, $0) }, uniquingKeysWith: { $0.meaning.isLive ? $0 : $1 })
        adopt(listed, at: now, &actions)
        var neverAsked: Set<Int> = []
        for index in allocations.indices {
            let name = allocations[index].name
            let isPresent = workers.contains { Self.isWorker($0.name, of: name) }
            if let job = listed[name] {
                note(job, of: index)
                switch job.meaning {
                case .live(let state): observeLive(index, job, state, takesJobs: takesJobs, at: now, &actions)
                case .over(let end):
                    guard allocations[index].isLive, !isPresent else { continue }
                    actions.append(.note(self.end(index, end, takesJobs: takesJobs, at: now)))
                }
            } else if isPresent {
                revive(index, "its worker is here", at: now, &actions)
            } else if allocations[index].isLive {
                guard observeUnlisted(index, takesJobs: takesJobs, at: now, &actions) else { continue }
                neverAsked.insert(allocations[index].number)
            }
        }
        allocations.removeAll { neverAsked.contains($0.number) }
    }

    /// Notes which job of the engine an allocation is.
    private mutating func note(_ job: EngineJob, of index: Int) {
        allocations[index].missing = 0
        allocations[index].wasListed = true
        allocations[index].job = job.number
    }

    /// Looks at an allocation that neither the engine nor the coordinator knows. Returns whether the engine was never asked for
    /// it, because a process ended before.
    private mutating func observeUnlisted(
        _ index: Int, takesJobs: Double?, at now: Date, _ actions: inout [Action]
    ) -> Bool {
        allocations[index].missing += 1
        let allocation = allocations[index]
        guard allocation.missing >= Self.missingListings,
            abs(now.timeIntervalSince(allocation.submittedAt)) >= Self.missingPatience
        else { return false }
        guard allocation.state != .submitting || !allocation.reason.isEmpty else { return true }
        let end: Allocation.End = allocation.state == .submitting ? .failed(allocation.reason) : .vanished
        actions.append(.note(self.end(index, end, takesJobs: takesJobs, at: now)))
        return false
    }

    /// Looks at an allocation whose job the engine holds, in a state.
    private mutating func observeLive(
        _ index: Int, _ job: EngineJob, _ state: Allocation.State, takesJobs: Double?, at now: Date,
        _ actions: inout [Action]
    ) {
        if !allocations[index].isLive {
            if let asked = allocations[index].askedToEndAt {
                // It was given up, and the engine has yet to end it.
                if now.timeIntervalSince(asked) > Self.endPatience { cancel(index, at: now, &actions) }
                return
            }
            revive(index, "the engine lists it as \(job.state)", at: now, &actions)
        }
        if state == .unknown, allocations[index].state != .unknown {
            actions.append(.note(event(index, "its state is '\(job.state)', which is not known here", now)))
        }
        if state == .running, allocations[index].startedAt == nil {
            allocations[index].startedAt = now
            actions.append(.note(event(index, "runs", now)))
        }
        allocations[index].state = state
        allocations[index].reason = job.reason == "None" ? "" : job.reason
        guard job.waitsInVain else { return }
        cancel(index, at: now, &actions)
        let end = Allocation.End.failed("it would wait for ever: \(job.reason)")
        actions.append(.note(self.end(index, end, takesJobs: takesJobs, at: now)))
    }

    /// Has the engine end an allocation at once.
    private mutating func cancel(_ index: Int, at now: Date, _ actions: inout [Action]) {
        allocations[index].askedToEndAt = now
        actions.append(.cancel([allocations[index]]))
    }

    /// Takes up jobs of this queue that it does not know, such as those that were submitted just before its file was lost.
    private mutating func adopt(_ listed: [String: EngineJob], at now: Date, _ actions: inout [Action]) {
        let known = Set(allocations.map(\.name))
        for (name, job) in listed.sorted(by: { $0.key < $1.key }) where job.meaning.isLive && !known.contains(name) {
            guard let number = Int(name.dropFirst(prefix.count)), (0...Self.greatestNumber).contains(number),
                prefix + "\(number)" == name
            else {
                continue
            }
            var allocation = Allocation(number: number, name: name, at: now)
            allocation.job = job.number
            allocations.append(allocation)
            nextNumber = max(nextNumber, number + 1)
            actions.append(
                .note(event(allocations.count - 1, "the engine lists it as \(job.state): it is taken up", now)))
        }
    }

    /// An allocation that was taken for an ended one is not.
    private mutating func revive(_ index: Int, _ why: String, at now: Date, _ actions: inout [Action]) {
        guard !allocations[index].isLive else { return }
        allocations[index].state = .running
        allocations[index].end = nil
        allocations[index].endedAt = nil
        actions.append(.note(event(index, "it has not ended after all: \(why)", now)))
    }
}
