import JobModel
import Scheduling
import Testing

/// Attempts that fail in ways that may pass, and what keeps that from going on for ever.
@Suite struct RetryTests {
    func failed(_ lease: Lease, _ errorClass: ErrorClass = .resource) -> FailedAttempt {
        FailedAttempt(lease: lease, errorClass: errorClass, reason: "no memory")
    }

    @Test func aFailedAttemptRunsAgainAfterAPauseThatDoubles() {
        var scheduler = scheduler(jobs(1...1))
        _ = scheduler.join(ann, at: 0)
        var time = 0.0
        _ = scheduler.creditOffered(ann, free: 1, at: at(time))
        for attempt in 1...5 as ClosedRange<UInt64> {
            let actions = scheduler.attemptsFailed([failed(lease(1, attempt))], by: ann, at: at(time))
            let end = AttemptEnd(worker: ann, errorClass: .resource, reason: "no memory")
            #expect(actions == [.store(.requeued(lease(1, attempt), toll: .failure, because: end))])
            #expect(scheduler.explain(JobID(1)) == .pausing(batch, failures: Int(attempt)))
            #expect(scheduler.batch(batch)?.delayed == 1)
            // 5 s · 2ⁿ⁻¹, shortened by up to a half.
            let pause = 5 * Double(1 << (attempt - 1))
            _ = scheduler.join(ann, at: time + pause * 0.49)
            #expect(scheduler.creditOffered(ann, free: 1, at: at(time + pause * 0.49)).isEmpty)
            #expect(scheduler.sanityCheck() == [])
            time += pause + 0.01
            _ = scheduler.join(ann, at: time)
            _ = scheduler.timePassed(to: at(time))
            let given = scheduler.creditOffered(ann, free: 1, at: at(time))
            #expect(given.assigned(to: ann) == [lease(1, attempt + 1)])
        }
    }

    @Test func retriesEndAndTheLastFailureStands() {
        var scheduler = scheduler(jobs(1...1), options: QueueOptions(retries: 2))
        _ = scheduler.join(ann, at: 0)
        var time = 0.0
        for attempt in 1...2 as ClosedRange<UInt64> {
            _ = scheduler.creditOffered(ann, free: 1, at: at(time))
            _ = scheduler.attemptsFailed([failed(lease(1, attempt), .other)], by: ann, at: at(time))
            #expect(scheduler.batch(batch)?.counts[.waiting] == 1)
            time += 10
            _ = scheduler.join(ann, at: time)
            _ = scheduler.timePassed(to: at(time))
        }
        _ = scheduler.creditOffered(ann, free: 1, at: at(time))
        let last = scheduler.attemptsFailed([failed(lease(1, 3), .other)], by: ann, at: at(time)).stored
        let end = AttemptEnd(worker: ann, errorClass: .other, reason: "no memory")
        #expect(last == [.failed(lease(1, 3), because: end), .batchFinished(batch)])
        #expect(scheduler.batch(batch)?.counts[.failed] == 1)
        #expect(scheduler.sanityCheck() == [])
    }

    @Test func badInputIsNotTriedAgain() {
        var scheduler = scheduler(jobs(1...1), options: QueueOptions(retries: 9))
        _ = scheduler.join(ann, at: 0)
        _ = scheduler.creditOffered(ann, free: 1, at: at(0))
        let actions = scheduler.attemptsFailed([failed(lease(1, 1), .input)], by: ann, at: at(0)).stored
        #expect(actions.last == .batchFinished(batch))
    }

    @Test func countersSurviveARestart() {
        let known = [
            NewJob(id: JobID(1), image: 1, epoch: Epoch(6), losses: 4, failures: 1),
            NewJob(id: JobID(2), image: 2, epoch: Epoch(2), failures: 2),
        ]
        var scheduler = scheduler(known, options: QueueOptions(retries: 2))
        _ = scheduler.join(ann, at: 0)
        #expect(scheduler.creditOffered(ann, free: 1, at: at(0)).assigned(to: ann) == [lease(2, 3)])
        let ended = scheduler.attemptsFailed([failed(lease(2, 3))], by: ann, at: at(0)).stored
        #expect(ended.contains { if case .failed(lease(2, 3), _) = $0 { true } else { false } })
        // The fifth loss is one too many.
        #expect(scheduler.creditOffered(ann, free: 1, at: at(0)).assigned(to: ann) == [lease(1, 7)])
        let lost = scheduler.join(ann, second, at: 1).stored
        #expect(lost.contains { if case .quarantined(lease(1, 7), _, _) = $0 { true } else { false } })
    }

    @Test func whereEverythingFailsOnOneWorkerTheWorkerRests() {
        var scheduler = scheduler(jobs(1...20))
        _ = scheduler.join(ann, at: 0)
        _ = scheduler.join(bob, at: 0)
        let given = scheduler.creditOffered(ann, free: 8, at: at(0)).assigned(to: ann)
        var tolls: [JobToll] = []
        for lease in given {
            for case .requeued(_, let toll, _) in scheduler.attemptsFailed([failed(lease)], by: ann, at: at(0)).stored {
                tolls.append(toll)
            }
        }
        // Four may be bad luck; from the fifth job on it is the worker, and its jobs are let off.
        #expect(tolls == Array(repeating: .failure, count: 4) + Array(repeating: .none, count: 4))
        #expect(scheduler.creditOffered(ann, free: 8, at: at(1)).isEmpty)
        #expect(scheduler.allWorkers(at: at(1)).first?.state == .resting)
        #expect(scheduler.creditOffered(bob, free: 2, at: at(1)).assigned(to: bob).count == 2)
        _ = scheduler.join(ann, at: 6)
        #expect(scheduler.creditOffered(ann, free: 1, at: at(6)).assigned(to: ann).count == 1)
        #expect(scheduler.sanityCheck() == [])
    }

    @Test func aWorkerThatRestsCanBeWoken() {
        var scheduler = scheduler(jobs(1...20))
        _ = scheduler.join(ann, at: 0)
        for lease in scheduler.creditOffered(ann, free: 8, at: at(0)).assigned(to: ann) {
            _ = scheduler.attemptsFailed([failed(lease)], by: ann, at: at(0))
        }
        #expect(scheduler.allWorkers(at: at(1)).first?.note == "5 jobs in a row failed on it, tries again in 4 s")
        #expect(scheduler.workersWoken([ann], at: at(1)).woken == [ann])
        #expect(scheduler.allWorkers(at: at(1)).first?.state == .idle)
        #expect(scheduler.creditOffered(ann, free: 1, at: at(1)).assigned(to: ann).count == 1)
        #expect(scheduler.sanityCheck() == [])
    }

    @Test func aLonelyWorkerIsNotToBlameForEver() {
        var scheduler = scheduler(jobs(1...10), options: QueueOptions(retries: 1))
        _ = scheduler.join(ann, at: 0)
        var time = 0.0
        while scheduler.batch(batch)?.state == .running, time < 10_000 {
            time += 1
            _ = scheduler.heartbeat(ann, held: [], at: at(time))
            _ = scheduler.timePassed(to: at(time))
            for lease in scheduler.creditOffered(ann, free: 3, at: at(time)).assigned(to: ann) {
                _ = scheduler.attemptsFailed([failed(lease)], by: ann, at: at(time))
            }
        }
        #expect(scheduler.batch(batch)?.counts[.failed] == 10)
    }

    @Test func tooManyFailuresEndABatch() {
        for (limit, allowed) in [(FailureLimit.count(2), 2), (.percent(3), 3)] {
            var scheduler = scheduler(jobs(1...100), options: QueueOptions(maxFails: limit))
            _ = scheduler.join(ann, at: 0)
            let given = scheduler.creditOffered(ann, free: 10, at: at(0)).assigned(to: ann)
            for (number, lease) in given.enumerated() {
                let row = ReportedRow(lease: lease, row: 0, error: "bad picture")
                let outcome = scheduler.rowsReported([row], shard: "s", batch: batch, by: ann, at: at(0))
                guard number >= allowed else { continue }
                #expect(scheduler.batch(batch)?.state == .cancelled)
                if number == allowed {
                    #expect(outcome.actions.stored.contains { if case .batchCancelled = $0 { true } else { false } })
                    #expect(outcome.actions.revoked(from: ann).count == 9 - allowed)
                } else {
                    #expect(outcome.ended.count == 1)
                }
            }
            let counts = scheduler.batch(batch)?.counts
            #expect(counts?[.failed] == UInt64(allowed + 1) && counts?[.cancelled] == UInt64(99 - allowed))
            #expect(scheduler.sanityCheck() == [])
        }
    }

    @Test func jobsThatHadEndedRunAgain() {
        var scheduler = scheduler(jobs(1...2))
        _ = scheduler.join(ann, at: 0)
        for lease in scheduler.creditOffered(ann, free: 2, at: at(0)).assigned(to: ann) {
            let row = ReportedRow(lease: lease, row: 0, error: lease.job == JobID(2) ? "bad" : nil)
            _ = scheduler.rowsReported([row], shard: "s", batch: batch, by: ann, at: at(0))
        }
        #expect(scheduler.batch(batch)?.state == .finished)
        let again = NewJob(id: JobID(2), image: 2, epoch: Epoch(1))
        _ = scheduler.creditOffered(ann, free: 1, at: at(1))
        let actions = scheduler.jobsAdded([again], to: batch, formerly: .failed, at: at(1))
        #expect(actions.stored == [.batchReopened(batch), .assigned(lease(2, 2), to: ann)])
        #expect(scheduler.batch(batch)?.counts[.failed] == 0)
        #expect(scheduler.batch(batch)?.counts.total == 2)
        #expect(scheduler.sanityCheck() == [])
    }
}
