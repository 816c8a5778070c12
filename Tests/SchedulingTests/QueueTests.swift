import JobModel
import Scheduling
import Testing

/// How batches share workers, how they are held back, and what happens to attempts that take too long.
@Suite struct QueueTests {
    let other = BatchID("c")

    func done(_ leases: [Lease], _ seconds: Double = 1) -> [ReportedRow] {
        leases.map { ReportedRow(lease: $0, row: 0, summary: JobSummary(seconds: seconds)) }
    }

    @Test func higherPrioritiesGoFirst() {
        var scheduler = scheduler(jobs(1...3))
        scheduler.batchOpened(other, options: QueueOptions(priority: 5))
        _ = scheduler.jobsAdded(jobs(4...5), to: other, at: at(0))
        _ = scheduler.batchClosed(other, at: at(0))
        #expect(scheduler.batch(other)?.options.priority == 5)
        _ = scheduler.join(ann, at: 0)
        #expect(scheduler.explain(JobID(1)) == .behind(batch, priority: 5))
        #expect(scheduler.creditOffered(ann, free: 3, at: at(0)).assigned(to: ann).map(\.job.rawValue) == [4, 5, 1])
        #expect(scheduler.sanityCheck() == [])
    }

    @Test func aPausedBatchKeepsWhatRunsAndHandsOutNothing() {
        var scheduler = scheduler(jobs(1...3))
        _ = scheduler.join(ann, at: 0)
        let running = scheduler.creditOffered(ann, free: 1, at: at(0)).assigned(to: ann)
        #expect(scheduler.batchPaused(batch, true, at: at(0)).stored == [.batchPaused(batch, true)])
        #expect(scheduler.batchPaused(batch, true, at: at(0)) == [])
        #expect(scheduler.creditOffered(ann, free: 2, at: at(0)).isEmpty)
        #expect(scheduler.explain(JobID(2)) == .batchPaused(batch))
        let report = scheduler.rowsReported(done(running), shard: "s", batch: batch, by: ann, at: at(0))
        #expect(report.committed.count == 1)
        let actions = scheduler.batchPaused(batch, false, at: at(1))
        #expect(actions.assigned(to: ann) == [lease(2, 1), lease(3, 1)])
        #expect(scheduler.sanityCheck() == [])
    }

    @Test func anAttemptThatRunsTooLongIsStopped() {
        var scheduler = scheduler(jobs(1...1), options: QueueOptions(timeout: .seconds(5)))
        _ = scheduler.join(ann, at: 0)
        _ = scheduler.creditOffered(ann, free: 1, at: at(0))
        // It waits on the worker for three seconds, which do not count.
        for second in 1...8 {
            let progress = UInt64(max(0, second - 3))
            _ = scheduler.heartbeat(ann, held: [held(1, 1, progress)], at: at(Double(second)))
            #expect(scheduler.timePassed(to: at(Double(second))).isEmpty)
        }
        _ = scheduler.heartbeat(ann, held: [held(1, 1, 9)], at: at(9))
        _ = scheduler.heartbeat(ann, held: [held(1, 1, 10)], at: at(10))
        let actions = scheduler.timePassed(to: at(10))
        #expect(actions.revoked(from: ann) == [lease(1, 1)])
        let end = AttemptEnd(worker: ann, errorClass: .timeout, reason: "it ran longer than 5 s")
        #expect(actions.stored == [.requeued(lease(1, 1), toll: .failure, because: end)])
        #expect(scheduler.sanityCheck() == [])
    }

    @Test func whatIsDoneAndWaitsToBeWrittenCannotRunTooLong() {
        var scheduler = scheduler(jobs(1...2), options: QueueOptions(timeout: .seconds(5)))
        _ = scheduler.join(ann, at: 0)
        _ = scheduler.creditOffered(ann, free: 2, at: at(0))
        for second in 1...9 {
            let isDone = second > 2
            let held = [
                HeldLease(lease(1, 1), progress: UInt64(second), isComputed: isDone),
                // The last word of one that is done may come with no further progress.
                HeldLease(lease(2, 1), progress: 1, isComputed: isDone),
            ]
            _ = scheduler.heartbeat(ann, held: held, at: at(Double(second)))
            #expect(scheduler.timePassed(to: at(Double(second))).isEmpty, "\(second)")
            // Both run still, and have their answers.
            #expect(scheduler.batch(batch)?.answered == (isDone ? 2 : 0))
            #expect(scheduler.allBatches().map(\.answered) == [isDone ? 2 : 0])
            let worker = scheduler.allWorkers(at: at(Double(second)))[0]
            #expect(worker.running == 2 && worker.answered == (isDone ? 2 : 0))
        }
        #expect(scheduler.sanityCheck() == [])
    }

    @Test func afterARestartAMedianIsKnownAndBothAttemptsCount() {
        var scheduler = Scheduler(settings: times, at: at(0))
        scheduler.batchOpened(batch, state: .running, options: QueueOptions(timeout: .percentOfMedian(300)))
        scheduler.durationsKnown(Array(repeating: 1, count: 10), of: batch)
        #expect(scheduler.batch(batch)?.median != nil)
        let both = NewJob(id: JobID(1), image: 1, epoch: Epoch(2), wasRunning: true, worker: bob, rival: Epoch(1))
        _ = scheduler.jobsAdded([both], to: batch, at: at(0))
        #expect(scheduler.sanityCheck() == [])
        #expect(scheduler.join(ann, held: [held(1, 1, 5)], at: 1).stored == [.adopted(lease(1, 1), by: ann)])
        // Bob comes back without it: nobody is to blame, and the first attempt runs on.
        #expect(
            scheduler.join(bob, SessionID("bob"), at: 1).stored == [.withdrawn(lease(1, 2), toll: .none, because: nil)])
        let rows = scheduler.rowsReported(done([lease(1, 1)]), shard: "s", batch: batch, by: ann, at: at(2))
        #expect(rows.committed == [JobID(1)])
        #expect(scheduler.sanityCheck() == [])
    }

    @Test func whatNeverReachedItsWorkerCostsNothingAfterARestart() {
        var scheduler = Scheduler(settings: times, at: at(0))
        scheduler.batchOpened(batch, state: .running)
        let jobs = [1, 2].map { NewJob(id: JobID($0), image: 1, epoch: Epoch(1), wasRunning: true, worker: ann) }
        _ = scheduler.jobsAdded(jobs, to: batch, at: at(0))
        let actions = scheduler.join(ann, held: [held(1, 1, 5)], at: 1)
        #expect(
            actions.stored == [
                .requeued(lease(2, 1), toll: .none, because: nil), .adopted(lease(1, 1), by: ann),
            ])
        #expect(scheduler.sanityCheck() == [])
    }

    /// Twelve jobs, ten of which took a second each; the last two run on Ann since second 1.
    func lateBatch(_ options: QueueOptions) -> Scheduler {
        var scheduler = scheduler(jobs(1...12), options: options)
        _ = scheduler.join(ann, at: 0)
        let given = scheduler.creditOffered(ann, free: 12, at: at(0)).assigned(to: ann)
        _ = scheduler.rowsReported(done(Array(given.prefix(10))), shard: "s", batch: batch, by: ann, at: at(1))
        _ = scheduler.heartbeat(ann, held: [held(11, 1, 1), held(12, 1, 1)], at: at(1))
        return scheduler
    }

    @Test func aTimeLimitMayFollowTheMedian() {
        var scheduler = lateBatch(QueueOptions(timeout: .percentOfMedian(300)))
        _ = scheduler.heartbeat(ann, held: [held(11, 1, 2), held(12, 1, 2)], at: at(3))
        #expect(scheduler.timePassed(to: at(3)).isEmpty)
        _ = scheduler.heartbeat(ann, held: [held(11, 1, 3), held(12, 1, 3)], at: at(5))
        #expect(scheduler.timePassed(to: at(5)).revoked(from: ann) == [lease(11, 1), lease(12, 1)])
    }

    @Test func theLastSlowJobsRunASecondTimeAndTheFirstResultCounts() {
        for firstWins in [true, false] {
            var scheduler = lateBatch(QueueOptions(secondRuns: true))
            _ = scheduler.join(bob, at: 1)
            #expect(scheduler.creditOffered(bob, free: 1, at: at(1)).isEmpty)
            _ = scheduler.heartbeat(ann, held: [held(11, 1, 2), held(12, 1, 2)], at: at(3.5))
            _ = scheduler.heartbeat(bob, held: [], at: at(3.5))
            #expect(scheduler.stragglers(of: batch, at: at(3.5)).map(\.lease) == [lease(11, 1), lease(12, 1)])
            let actions = scheduler.timePassed(to: at(3.5))
            #expect(actions.stored == [.seconded(lease(11, 2), beside: Epoch(1), to: bob)])
            #expect(actions.assigned(to: bob) == [lease(11, 2)])
            #expect(scheduler.stragglers(of: batch, at: at(3.5)).map(\.hasSecond) == [true, false])
            #expect(scheduler.sanityCheck() == [])

            let (winner, loser) = firstWins ? (ann, bob) : (bob, ann)
            let (won, lost) = firstWins ? (lease(11, 1), lease(11, 2)) : (lease(11, 2), lease(11, 1))
            let outcome = scheduler.rowsReported(done([won]), shard: "t", batch: batch, by: winner, at: at(4))
            #expect(outcome.committed == [JobID(11)])
            #expect(outcome.actions.revoked(from: loser) == [lost])
            let late = scheduler.rowsReported(done([lost]), shard: "u", batch: batch, by: loser, at: at(4))
            #expect(late.committed == [] && late.ended == [JobID(11)])
            #expect(scheduler.batch(batch)?.counts[.succeeded] == 11)
            #expect(scheduler.sanityCheck() == [])
        }
    }

    @Test func aSecondRunTakesOverFromALostFirst() {
        var scheduler = lateBatch(QueueOptions(secondRuns: true))
        _ = scheduler.join(bob, at: 1)
        _ = scheduler.creditOffered(bob, free: 2, at: at(1))
        _ = scheduler.heartbeat(ann, held: [held(11, 1, 2), held(12, 1, 2)], at: at(3.5))
        _ = scheduler.heartbeat(bob, held: [], at: at(3.5))
        #expect(scheduler.timePassed(to: at(3.5)).assigned(to: bob) == [lease(11, 2), lease(12, 2)])
        let lost = scheduler.workerLeft(ann, at: at(4))
        #expect(lost.stored.allSatisfy { if case .withdrawn = $0 { true } else { false } })
        #expect(scheduler.batch(batch)?.counts[.running] == 2)
        #expect(scheduler.sanityCheck() == [])
        let outcome = scheduler.rowsReported(
            done([lease(11, 2), lease(12, 2)]), shard: "t", batch: batch, by: bob, at: at(4))
        #expect(outcome.actions.stored.last == .batchFinished(batch))
    }

    @Test func aWorkerThatCannotRunABatchGetsNoneOfIt() {
        var scheduler = scheduler(jobs(1...2))
        scheduler.batchOpened(other)
        _ = scheduler.jobsAdded(jobs(3...4), to: other, at: at(0))
        _ = scheduler.batchClosed(other, at: at(0))
        _ = scheduler.join(ann, at: 0)
        #expect(scheduler.creditOffered(ann, free: 1, at: at(0)).assigned(to: ann) == [lease(1, 1)])
        _ = scheduler.jobsReturned([lease(1, 1)], unfit: "the model does not load", by: ann, at: at(0))
        #expect(scheduler.batch(batch)?.trouble == "the model does not load")
        #expect(scheduler.explain(JobID(1)) == .unfit(batch, workers: 1, reason: "the model does not load"))
        // Ann still serves the other batch, and Bob this one.
        #expect(scheduler.creditOffered(ann, free: 4, at: at(0)).assigned(to: ann) == [lease(3, 1), lease(4, 1)])
        _ = scheduler.join(bob, at: 0)
        #expect(scheduler.batch(batch)?.trouble == nil)
        #expect(scheduler.creditOffered(bob, free: 4, at: at(0)).assigned(to: bob) == [lease(1, 2), lease(2, 1)])
        #expect(scheduler.sanityCheck() == [])
    }

    @Test func aWorkerThatIsTriedAgainMayDo() {
        var scheduler = scheduler(jobs(1...1))
        _ = scheduler.join(ann, at: 0)
        _ = scheduler.creditOffered(ann, free: 1, at: at(0))
        _ = scheduler.jobsReturned([lease(1, 1)], unfit: "the model does not load", by: ann, at: at(0))
        #expect(scheduler.creditOffered(ann, free: 1, at: at(1)).isEmpty)
        _ = scheduler.join(ann, at: 2)
        #expect(scheduler.creditOffered(ann, free: 1, at: at(2)).assigned(to: ann) == [lease(1, 2)])
    }

    /// A batch that cannot be written somewhere costs nothing but a look now and then, and nobody a strike.
    @Test func theWaitOfAWorkerThatCannotRunABatchGrowsUntilAResultComes() {
        var scheduler = scheduler(jobs(1...2), lossLimit: 2)
        var time = 0.0, waits: [Double] = []
        func offer(_ scheduler: inout Scheduler) -> [Lease] {
            _ = scheduler.heartbeat(ann, held: [], at: at(time))
            return (scheduler.timePassed(to: at(time)) + scheduler.creditOffered(ann, free: 2, at: at(time)))
                .assigned(to: ann)
        }
        /// The jobs that Ann gets next, and how long she waits for them.
        func next(_ scheduler: inout Scheduler) -> [Lease] {
            let began = time
            while true {
                let taken = offer(&scheduler)
                guard taken.isEmpty else {
                    waits.append(time - began)
                    return taken.sorted { $0.job < $1.job }
                }
                time += 1
            }
        }
        _ = scheduler.join(ann, at: 0)
        for epoch in 1...9 as ClosedRange<UInt64> {
            let taken = next(&scheduler)
            #expect(taken == [lease(1, epoch), lease(2, epoch)])
            // A second word about the same try makes it no worse.
            for lease in taken {
                _ = scheduler.jobsReturned([lease], unfit: "no space is left", by: ann, at: at(time))
            }
            #expect(scheduler.batch(batch)?.trouble == "no space is left")
            let wait = [5, 10, 20, 40, 80, 160, 300, 300, 300][Int(epoch) - 1]
            let worker = scheduler.allWorkers(at: at(time)).first
            #expect(worker?.note == "b: no space is left (tries again in \(wait) s)" && worker?.state == .unable)
        }
        #expect(waits == [0, 5, 10, 20, 40, 80, 160, 300, 300])
        #expect(scheduler.explain(JobID(1)) == .unfit(batch, workers: 1, reason: "no space is left"))
        let row = ReportedRow(lease: next(&scheduler)[0], row: 0)
        let outcome = scheduler.rowsReported([row], shard: "s", batch: batch, by: ann, at: at(time))
        #expect(outcome.committed == [JobID(1)])
        #expect(scheduler.batch(batch)?.trouble == nil && scheduler.allWorkers(at: at(time)).map(\.note) == [""])
        #expect(scheduler.sanityCheck() == [])
    }

    @Test func whoeverIsWokenTriesAgainAtOnce() {
        var scheduler = scheduler(jobs(1...1))
        _ = scheduler.join(ann, at: 0)
        _ = scheduler.join(bob, at: 0)
        _ = scheduler.creditOffered(ann, free: 1, at: at(0))
        _ = scheduler.jobsReturned([lease(1, 1)], unfit: "the model does not load", by: ann, at: at(0))
        #expect(scheduler.creditOffered(ann, free: 1, at: at(1)).isEmpty)
        #expect(scheduler.allWorkers(at: at(1)).map(\.state) == [.unable, .idle])
        // Whoever does not rest, or is not there, is not woken.
        #expect(scheduler.workersWoken([bob, WorkerName("nobody")], at: at(1)).woken == [])
        let (woken, actions) = scheduler.workersWoken([ann, bob], at: at(1))
        #expect(woken == [ann] && actions.assigned(to: ann) == [lease(1, 2)])
        #expect(scheduler.allWorkers(at: at(1)).map(\.state) == [.busy, .idle])
        // Another failure makes it wait as the first one did.
        _ = scheduler.jobsReturned([lease(1, 2)], unfit: "the model does not load", by: ann, at: at(1))
        #expect(
            scheduler.allWorkers(at: at(2)).map(\.note) == ["b: the model does not load (tries again in 4 s)", ""])
        #expect(scheduler.sanityCheck() == [])
    }

    @Test func aWorkerWithJobsOfAnotherBatchIsNotUnable() {
        var scheduler = scheduler(jobs(1...1))
        _ = scheduler.join(ann, at: 0)
        _ = scheduler.creditOffered(ann, free: 1, at: at(0))
        _ = scheduler.jobsReturned([lease(1, 1)], unfit: "the model does not load", by: ann, at: at(0))
        #expect(scheduler.allWorkers(at: at(1)).map(\.state) == [.unable])
        scheduler.batchOpened(other)
        _ = scheduler.jobsAdded(jobs(3...3), to: other, at: at(1))
        _ = scheduler.batchClosed(other, at: at(1))
        #expect(scheduler.allWorkers(at: at(1)).map(\.state) == [.idle])
    }

    @Test func whoseTimeEndsGetsNoJobThatTakesLonger() {
        var scheduler = scheduler(jobs(1...3))
        scheduler.durationsKnown(Array(repeating: 60, count: 20), of: batch)
        _ = scheduler.workerJoined(
            ann, session: SessionID("s"), capacity: 8, held: [], timeLeft: .seconds(100), at: at(0))
        #expect(scheduler.creditOffered(ann, free: 1, at: at(30)).assigned(to: ann) == [lease(1, 1)])
        #expect(scheduler.creditOffered(ann, free: 1, at: at(45)).isEmpty)
        #expect("\(scheduler.explain(JobID(2)))".contains("its time ends before a job would, which takes 6"))
        _ = scheduler.join(bob, at: 45)
        #expect(scheduler.creditOffered(bob, free: 2, at: at(46)).assigned(to: bob) == [lease(2, 1), lease(3, 1)])
        #expect(scheduler.sanityCheck() == [])
    }

    @Test func lostWorkersAreForgottenInTheEnd() {
        var scheduler = scheduler(jobs(1...1))
        _ = scheduler.join(ann, at: 0)
        _ = scheduler.timePassed(to: at(3))
        #expect(scheduler.allWorkers(at: at(3)).map(\.note) == ["no heartbeat for 3.0 seconds"])
        #expect(scheduler.timePassed(to: at(3000)).isEmpty)
        #expect(scheduler.timePassed(to: at(3700)) == [.workerForgotten(ann)])
        #expect(scheduler.allWorkers(at: at(3700)).isEmpty)
    }

    @Test func aNewProcessKeepsWhatItsFormerOneHadWritten() {
        var scheduler = scheduler(jobs(1...2))
        _ = scheduler.join(ann, at: 0)
        _ = scheduler.creditOffered(ann, free: 2, at: at(0))
        let joined = scheduler.join(ann, second, held: [held(1, 1)], at: 1)
        #expect(joined.stored.count == 1)
        guard case .requeued(lease(2, 1), toll: .loss, _)? = joined.stored.first else {
            Issue.record("\(joined)")
            return
        }
        let report = scheduler.rowsReported(done([lease(1, 1)]), shard: "s", batch: batch, by: ann, at: at(1))
        #expect(report.committed == [JobID(1)])
        #expect(scheduler.sanityCheck() == [])
    }

    @Test func medianAndPauses() {
        var scheduler = scheduler(jobs(1...100))
        _ = scheduler.join(ann, at: 0)
        let given = scheduler.creditOffered(ann, free: 100, at: at(0)).assigned(to: ann)
        for (number, lease) in given.enumerated() {
            _ = scheduler.rowsReported(
                done([lease], Double(number + 1)), shard: "s", batch: batch, by: ann, at: at(0))
        }
        let median = scheduler.batch(batch)?.median ?? 0
        #expect(abs(median - 50) < 50 * 0.03)
        let rule = RetryRule(limit: 9, firstPause: .seconds(2), longestPause: .seconds(60))
        #expect((0...7).map { rule.pause(after: $0, jitter: 0) / .seconds(1) } == [0, 2, 4, 8, 16, 32, 60, 60])
        #expect(rule.pause(after: 3, jitter: 0.5) == .seconds(6))
    }
}
