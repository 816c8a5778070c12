internal import JobModel
internal import WireProtocol

/// How jobs come and go.
extension LinkState {
    mutating func take(_ assignments: WireAssignments, now: Instant) -> [Action] {
        var actions: [Action] = []
        for settings in assignments.settings {
            let batch = BatchID(settings.batch)
            do {
                descriptions[batch] = try BatchDescription(json: settings.description_p)
                notUnderstood[batch] = nil
            } catch {
                descriptions[batch] = nil
                notUnderstood[batch] =
                    "worker \(configuration.name) does not understand its description: \(error.message)"
            }
        }
        var surplus: [Lease] = []
        var strange: [BatchID: [Lease]] = [:]
        for assignment in assignments.assignments {
            let lease = assignment.lease.lease
            let earlier = held[lease.job]
            // Old news, such as a message that was sent twice.
            if let earlier, earlier.lease.epoch >= lease.epoch { continue }
            guard !stopping, held.working < 4 * slots else {
                surplus.append(lease)
                continue
            }
            let batch = BatchID(assignment.batch)
            guard let description = descriptions[batch] else {
                strange[batch, default: []].append(lease)
                continue
            }
            do {
                let item = try Item(json: assignment.item)
                if let earlier { actions.append(drop(earlier)) }
                held[lease.job] = HeldJobs.Held(lease: lease, stage: .working, batch: batch)
                actions.append(
                    .admit(
                        LeasedJob(
                            lease: lease, batch: batch, description: description, item: item,
                            queuedSeconds: assignment.queuedSeconds,
                            retriable: Set(mask: assignment.retriable))))
            } catch {
                failures.append(WireFailedAttempt(lease, .input, error.message))
            }
        }
        for (batch, leases) in strange {
            let reason =
                notUnderstood[batch] ?? "worker \(configuration.name) was never told what batch \(batch) asks for"
            actions += handBack(leases, reason: reason, isUnfit: true)
        }
        actions += sendFailures()
        // The coordinator lowered its view of our credit by what it gave; ours follows.
        creditSent = creditSent.map { max(0, $0 - (assignments.assignments.count)) }
        return actions + handBack(surplus, reason: stopping ? "the worker is stopping" : "the worker is full")
            + sendCredit() + closing(now: now)
    }

    mutating func revoke(_ leases: [Lease]) -> [Action] {
        var actions: [Action] = []
        for lease in leases {
            if let job = held[lease.job], job.lease == lease { actions.append(drop(job)) }
        }
        return actions.isEmpty ? [] : actions + sendCredit()
    }

    /// Lets go of a job; its slot is free once the runner has done so too.
    private mutating func drop(_ job: HeldJobs.Held) -> Action {
        held[job.lease.job] = nil
        if job.stage == .working { leaving.insert(job.lease) }
        return .drop(job.lease)
    }

    /// Gives jobs back, whether they are held or not.
    ///
    /// - Parameter isUnfit: whether this worker is to get no jobs of their batches for a while.
    mutating func handBack(_ leases: [Lease], reason: String, isUnfit: Bool = false) -> [Action] {
        guard !leases.isEmpty else { return [] }
        let leases = leases.sorted { $0.job < $1.job }
        var returned = WireReturned()
        returned.leases = leases.map { WireLease($0) }
        returned.reason = reason.shortened()
        returned.unfit = isUnfit
        giveBack(returned)
        var actions: [Action] = []
        for lease in leases {
            if let job = held[lease.job], job.lease == lease { actions.append(drop(job)) }
        }
        return actions + sendReturns()
    }

    /// Some rows of a shard came too late, and the others do not count while they share it: those are written again.
    private mutating func rewrite(_ report: WireShardReport, keeping jobs: Set<UInt64>) -> [Action] {
        for row in report.rows where held[JobID(row.lease.job)]?.lease == row.lease.lease {
            let job = JobID(row.lease.job)
            if jobs.contains(row.lease.job) {
                let base = held[job]?.base ?? 0
                held[job]?.stage = .finished
                held[job]?.base = base &+ beats &- writerProgress
            } else {
                held[job] = nil
            }
        }
        let late = report.rows.count - jobs.count
        return [
            .note("\(Self.rows(late)) came too late to count; the others are written again"),
            .rewrite(report, keeping: jobs),
        ]
    }

    private static func rows(_ count: Int) -> String { count == 1 ? "one row" : "\(count) rows" }

    mutating func answered(_ answer: WireReportAnswer, now: Instant) -> [Action] {
        guard let report = unanswered.removeValue(forKey: answer.shard)?.report else { return [] }
        let open = Set(report.rows.map(\.lease.job)).subtracting(answer.committed).subtracting(answer.stale)
        if answer.committed.isEmpty, !answer.stale.isEmpty, !open.isEmpty {
            return rewrite(report, keeping: open)
        }
        for row in report.rows where held[JobID(row.lease.job)]?.lease == row.lease.lease {
            held[JobID(row.lease.job)] = nil
        }
        let stale = answer.stale.isEmpty ? [] : [Action.note("\(Self.rows(answer.stale.count)) came too late to count")]
        return stale + [.answered(report, counts: !answer.committed.isEmpty)] + sendCredit() + closing(now: now)
    }
}

extension WireFailedAttempt {
    /// An attempt that failed without a row.
    init(_ lease: Lease, _ errorClass: ErrorClass, _ reason: String) {
        self.init()
        self.lease = WireLease(lease)
        self.errorClass = WireErrorClass(errorClass)
        error = reason.shortened()
    }
}
