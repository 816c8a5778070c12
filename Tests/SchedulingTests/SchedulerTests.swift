import JobModel
import Scheduling
import Testing

@Suite struct SchedulerTests {
    @Test func givesNoMoreThanWasOffered() {
        var scheduler = scheduler(jobs(1...10))
        #expect(scheduler.join(ann, at: 0).isEmpty)
        let actions = scheduler.creditOffered(ann, free: 3, at: at(0))
        #expect(actions.assigned(to: ann) == [lease(1, 1), lease(2, 1), lease(3, 1)])
        #expect(actions.stored.prefix(1) == [.assigned(lease(1, 1), to: ann)])
        #expect(scheduler.timePassed(to: at(1)).isEmpty)
        // Absolute, not a difference: offering again before any job has ended gives as many again, and no more.
        #expect(scheduler.creditOffered(ann, free: 1, at: at(1)).assigned(to: ann) == [lease(4, 1)])
        #expect(scheduler.sanityCheck() == [])
    }

    @Test func storesBeforeItAssigns() throws {
        var scheduler = scheduler(jobs(1...2, image: 7))
        _ = scheduler.join(ann, at: 0)
        let actions = scheduler.creditOffered(ann, free: 2, at: at(0))
        let assignment = try #require(actions.firstIndex { if case .assign = $0 { true } else { false } })
        #expect(assignment == 2)
    }

    @Test func nothingRunsBeforeTheBatchIsClosed() {
        var scheduler = Scheduler(settings: SchedulerSettings(), at: at(0))
        scheduler.batchOpened(batch)
        _ = scheduler.join(ann, at: 0)
        _ = scheduler.creditOffered(ann, free: 5, at: at(0))
        #expect(scheduler.jobsAdded(jobs(1...2), to: batch, at: at(0)).isEmpty)
        #expect(scheduler.explain(JobID(1)) == .batchOpen(batch))
        #expect(scheduler.batchClosed(batch, at: at(0)).assigned(to: ann).count == 2)
    }

    @Test func keepsJobsOfOnePictureOnOneWorker() {
        // Pictures 1 and 2, four questions each.
        var scheduler = scheduler(jobs(1...4, image: 1) + jobs(5...8, image: 2))
        _ = scheduler.join(ann, at: 0)
        _ = scheduler.join(bob, at: 0)
        #expect(scheduler.creditOffered(ann, free: 2, at: at(0)).assigned(to: ann).map(\.job.rawValue) == [1, 2])
        #expect(scheduler.creditOffered(bob, free: 2, at: at(0)).assigned(to: bob).map(\.job.rawValue) == [5, 6])
        #expect(scheduler.creditOffered(ann, free: 2, at: at(0)).assigned(to: ann).map(\.job.rawValue) == [3, 4])
        // Nobody idles: with her picture done, Ann takes the rest of Bob's.
        #expect(scheduler.creditOffered(ann, free: 9, at: at(0)).assigned(to: ann).map(\.job.rawValue) == [7, 8])
        #expect(scheduler.sanityCheck() == [])
    }

    @Test func takesBatchesInTurn() {
        var scheduler = scheduler(jobs(1...3))
        let other = BatchID("c")
        scheduler.batchOpened(other)
        _ = scheduler.jobsAdded(jobs(4...6), to: other, at: at(0))
        _ = scheduler.batchClosed(other, at: at(0))
        _ = scheduler.join(ann, at: 0)
        #expect(scheduler.creditOffered(ann, free: 4, at: at(0)).assigned(to: ann).map(\.job.rawValue) == [1, 4, 2, 5])
    }

    @Test func aSilentWorkerIsLostAndItsJobsRunElsewhere() {
        var scheduler = scheduler(jobs(1...1))
        _ = scheduler.join(ann, at: 0)
        _ = scheduler.creditOffered(ann, free: 1, at: at(0))
        _ = scheduler.join(bob, at: 1)
        _ = scheduler.creditOffered(bob, free: 1, at: at(1))
        #expect(scheduler.timePassed(to: at(2.9)).isEmpty)
        let actions = scheduler.timePassed(to: at(3))
        #expect(actions.contains { if case .workerLost(ann, _) = $0 { true } else { false } })
        let end = AttemptEnd(worker: ann, reason: "worker ann was lost")
        #expect(actions.stored.contains(.requeued(lease(1, 1), toll: .loss, because: end)))
        #expect(actions.assigned(to: bob) == [lease(1, 2)])
        // What Ann did after all is too late.
        let late = scheduler.rowsReported(
            [ReportedRow(lease: lease(1, 1), row: 0)], shard: "s", batch: batch, by: ann, at: at(3))
        #expect(late.stale == [JobID(1)])
        #expect(late.committed.isEmpty)
        let good = scheduler.rowsReported(
            [ReportedRow(lease: lease(1, 2), row: 0)], shard: "t", batch: batch, by: bob, at: at(3))
        #expect(good.committed == [JobID(1)])
        #expect(good.actions.stored.last == .batchFinished(batch))
        #expect(scheduler.sanityCheck() == [])
    }

    @Test func nobodyEndsAnothersJob() {
        func report(_ lease: Lease, by name: WorkerName, _ scheduler: inout Scheduler) -> ReportOutcome {
            scheduler.rowsReported(
                [ReportedRow(lease: lease, row: 0)], shard: "s", batch: batch, by: name, at: at(4))
        }
        var scheduler = scheduler(jobs(1...2))
        _ = scheduler.join(ann, at: 0)
        _ = scheduler.creditOffered(ann, free: 2, at: at(0))
        _ = scheduler.join(bob, at: 1)
        #expect(report(lease(1, 1), by: bob, &scheduler).stale == [JobID(1)])
        #expect(report(lease(1, 1), by: ann, &scheduler).committed == [JobID(1)])
        // Ann's job waits for somebody else by now; until then her result still counts, and nobody else's.
        _ = scheduler.workerLeft(ann, at: at(4))
        #expect(scheduler.batch(batch)?.counts[.waiting] == 1)
        #expect(report(lease(2, 1), by: bob, &scheduler).stale == [JobID(2)])
        // Nor does it become Bob's because he says that he holds it.
        #expect(scheduler.join(bob, held: [held(2, 1, 5)], at: 4).revoked(from: bob) == [lease(2, 1)])
        #expect(scheduler.batch(batch)?.counts[.waiting] == 1)
        #expect(report(lease(2, 1), by: ann, &scheduler).committed == [JobID(2)])
        #expect(scheduler.sanityCheck() == [])
    }

    @Test func afterARestartTheResultIsThatOfWhoeverHadTheJob() {
        func restarted() -> Scheduler {
            var scheduler = Scheduler(settings: times, at: at(0))
            scheduler.batchOpened(batch, state: .running)
            var job = NewJob(id: JobID(1), image: 1, epoch: Epoch(3))
            (job.wasRunning, job.worker) = (true, ann)
            _ = scheduler.jobsAdded([job], to: batch, at: at(0))
            _ = scheduler.join(bob, at: 0)
            return scheduler
        }
        let row = ReportedRow(lease: lease(1, 3), row: 0)
        for isLate in [false, true] {
            var scheduler = restarted()
            if isLate { _ = scheduler.timePassed(to: at(11)) }
            let foreign = scheduler.rowsReported([row], shard: "s", batch: batch, by: bob, at: at(1))
            #expect(foreign.stale == [JobID(1)], "late: \(isLate)")
            let own = scheduler.rowsReported([row], shard: "t", batch: batch, by: ann, at: at(1))
            #expect(own.committed == [JobID(1)], "late: \(isLate)")
        }
    }

    /// More than a worker has places for has been answered since it was last heard.
    @Test func whatAWorkerHoldsIsInWorkAheadOrAnswered() {
        var scheduler = scheduler(jobs(1...20))
        _ = scheduler.workerJoined(ann, session: first, capacity: 3, prefetch: 2, held: [], at: at(0))
        func view() -> [Int] {
            let worker = scheduler.allWorkers(at: at(1))[0]
            return [worker.running, worker.capacity, worker.ahead, worker.answered]
        }
        #expect(scheduler.creditOffered(ann, free: 100, at: at(0)).assigned(to: ann).count == 5)
        #expect(view() == [5, 3, 2, 0])
        _ = scheduler.creditOffered(ann, free: 4, at: at(0))
        #expect(view() == [9, 3, 2, 4])
        #expect(scheduler.batch(batch)?.answered == 4)
        let beat = (1...9).map { HeldLease(lease($0, 1), progress: 1, isComputed: $0 <= 7) }
        _ = scheduler.heartbeat(ann, held: beat, at: at(0))
        #expect(view() == [9, 3, 0, 7])
        #expect(scheduler.batch(batch)?.answered == 7 && scheduler.allBatches()[0].answered == 7)
    }

    @Test func anExplanationCountsInWords() {
        #expect(
            "\(Explanation.noCredit(batch, workers: 1, waitingInBatch: 2, losses: 1))"
                == "it waits in batch b among 2: the only worker is busy; one attempt was lost")
        #expect(
            "\(Explanation.running(lease(1, 2), worker: ann, progress: 3, expiresIn: .milliseconds(59_911)))"
                == "attempt 2 runs on worker ann (progress 3); the lease ends in 60 s")
    }

    @Test func aLeaseRenewsOnlyOnProgress() {
        var scheduler = scheduler(jobs(1...2))
        _ = scheduler.join(ann, at: 0)
        _ = scheduler.creditOffered(ann, free: 2, at: at(0))
        for second in 1...25 {
            // Job 1 advances; job 2 began with it, and hangs from second 5 on.
            let actions = scheduler.heartbeat(
                ann, held: [held(1, 1, UInt64(second)), held(2, 1, UInt64(min(second, 5)))], at: at(Double(second)))
            let overdue = scheduler.timePassed(to: at(Double(second)))
            if second == 15 {
                #expect(overdue.revoked(from: ann) == [lease(2, 1)])
                let end = AttemptEnd(worker: ann, reason: "no progress on worker ann")
                #expect(overdue.stored == [.requeued(lease(2, 1), toll: .loss, because: end)])
            } else {
                #expect(overdue.isEmpty)
            }
            #expect(actions.revoked(from: ann) == (second > 15 ? [lease(2, 1)] : []))
        }
    }

    @Test func aJobThatHasNotBegunLivesWithItsNeighbours() {
        var scheduler = scheduler(jobs(1...2))
        _ = scheduler.join(ann, at: 0)
        _ = scheduler.creditOffered(ann, free: 2, at: at(0))
        for second in 1...30 {
            _ = scheduler.heartbeat(ann, held: [held(1, 1, UInt64(second)), held(2, 1)], at: at(Double(second)))
            #expect(scheduler.timePassed(to: at(Double(second))).isEmpty)
        }
    }

    @Test func givesUpAJobThatCostsTooManyWorkers() {
        var scheduler = scheduler(jobs(1...1), lossLimit: 3)
        for attempt in 1...3 as ClosedRange<UInt64> {
            let session = SessionID("s\(attempt)")
            let joined = scheduler.join(ann, session, at: Double(attempt))
            let end = AttemptEnd(worker: ann, reason: "worker ann started anew")
            if attempt > 1 {
                #expect(joined.stored == [.requeued(lease(1, attempt - 1), toll: .loss, because: end)])
            }
            let given = scheduler.creditOffered(ann, free: 1, at: at(Double(attempt))).assigned(to: ann)
            #expect(given == [lease(1, attempt)])
        }
        let last = scheduler.join(ann, SessionID("s4"), at: 4).stored
        guard case .quarantined(lease(1, 3), toll: .loss, let end)? = last.first else {
            Issue.record("\(last)")
            return
        }
        #expect(end.reason.contains("3 lost attempts"))
        #expect(last.last == .batchFinished(batch))
        #expect(scheduler.batch(batch)?.counts[.failed] == 1)
    }

    @Test func theNeighboursOfAJobThatKillsWorkersAreNotGivenUpWithIt() {
        var scheduler = scheduler(jobs(1...12))
        var given: [UInt64] = [], done: [UInt64] = []
        for round in 1...40 where scheduler.batch(batch)?.state == .running {
            let time = Double(round)
            var actions = scheduler.join(ann, SessionID("s\(round)"), at: time)
            actions += scheduler.creditOffered(ann, free: 6, at: at(time))
            var holding = actions.assigned(to: ann)
            while !holding.isEmpty, !holding.contains(where: { $0.job == JobID(3) }) {
                let rows = holding.map { ReportedRow(lease: $0, row: 0) }
                let outcome = scheduler.rowsReported(rows, shard: "a", batch: batch, by: ann, at: at(time))
                done += outcome.committed.map(\.rawValue)
                holding = outcome.actions.assigned(to: ann)
                holding += scheduler.creditOffered(ann, free: 6, at: at(time)).assigned(to: ann)
            }
            for case .quarantined(let lease, _, _) in actions.stored { given.append(lease.job.rawValue) }
            #expect(scheduler.sanityCheck() == [])
        }
        #expect(scheduler.batch(batch)?.state == .finished)
        #expect(given == [3])
        #expect(done.sorted() == [1, 2, 4, 5, 6, 7, 8, 9, 10, 11, 12])
    }

    @Test func aReturningWorkerKeepsWhatIsStillItsOwn() {
        var scheduler = scheduler(jobs(1...3))
        _ = scheduler.join(ann, at: 0)
        _ = scheduler.creditOffered(ann, free: 3, at: at(0))
        // The connection broke and job 3 never arrived.
        let again = scheduler.join(ann, held: [held(1, 1, 4), held(2, 1), held(9, 1)], at: 1)
        #expect(again.stored == [.requeued(lease(3, 1), toll: .none, because: nil)])
        #expect(again.revoked(from: ann) == [lease(9, 1)])
        // Lost by silence, then back before anybody else took its jobs.
        _ = scheduler.timePassed(to: at(5))
        let back = scheduler.join(ann, held: [held(1, 1, 5), held(2, 1)], at: 6)
        #expect(back.stored == [.adopted(lease(1, 1), by: ann), .adopted(lease(2, 1), by: ann)])
        #expect(scheduler.sanityCheck() == [])
    }

    @Test func anOlderProcessOfTheSameNameIsRefused() {
        var scheduler = scheduler(jobs(1...1))
        _ = scheduler.join(ann, first, at: 0)
        _ = scheduler.join(ann, second, at: 1)
        guard case .refuse(ann, _)? = scheduler.join(ann, first, at: 2).first else {
            Issue.record("the older process was accepted")
            return
        }
    }

    @Test func afterARestartTheHolderHasOneLeaseToComeBack() {
        let recovered = [
            NewJob(id: JobID(1), image: 1, epoch: Epoch(4), losses: 1, wasRunning: true),
            NewJob(id: JobID(2), image: 2, epoch: Epoch(2), wasRunning: true), NewJob(id: JobID(3), image: 3),
        ]
        var scheduler = scheduler(recovered)
        _ = scheduler.join(bob, at: 0)
        #expect(scheduler.creditOffered(bob, free: 9, at: at(0)).assigned(to: bob) == [lease(3, 1)])
        #expect(scheduler.join(ann, held: [held(1, 4, 3)], at: 1).stored == [.adopted(lease(1, 4), by: ann)])
        for second in 1...9 {
            _ = scheduler.heartbeat(ann, held: [held(1, 4, UInt64(second) + 3)], at: at(Double(second)))
            _ = scheduler.heartbeat(bob, held: [held(3, 1, UInt64(second))], at: at(Double(second)))
            #expect(scheduler.timePassed(to: at(Double(second))).isEmpty)
        }
        let actions = scheduler.timePassed(to: at(10))
        #expect(actions.assigned(to: bob) == [lease(2, 3)])
        #expect(scheduler.sanityCheck() == [])
    }

    @Test func returnedJobsWaitAgainAndNotWithTheirReturner() {
        var scheduler = scheduler(jobs(1...2))
        _ = scheduler.join(ann, at: 0)
        _ = scheduler.creditOffered(ann, free: 5, at: at(0))
        let actions = scheduler.jobsReturned([lease(1, 1), lease(2, 7)], by: ann, at: at(1))
        #expect(actions == [.store(.requeued(lease(1, 1), toll: .none, because: nil))])
        #expect(scheduler.creditOffered(ann, free: 1, at: at(2)).assigned(to: ann) == [lease(1, 2)])
    }

    @Test func aDrainingWorkerGetsNothing() {
        var scheduler = scheduler(jobs(1...2))
        _ = scheduler.join(ann, at: 0)
        scheduler.drain(ann)
        #expect(scheduler.creditOffered(ann, free: 1, at: at(1)).isEmpty)
        #expect(scheduler.allWorkers(at: at(1)).map(\.state) == [.draining])
        #expect(scheduler.workerLeft(ann, at: at(2)).isEmpty)
        #expect(scheduler.allWorkers(at: at(2)).isEmpty)
    }

    @Test func cancellingEndsEveryJobOnce() {
        var scheduler = scheduler(jobs(1...4))
        _ = scheduler.join(ann, at: 0)
        _ = scheduler.creditOffered(ann, free: 2, at: at(0))
        let failed = ReportedRow(lease: lease(1, 1), row: 0, error: "bad picture")
        _ = scheduler.rowsReported([failed], shard: "s", batch: batch, by: ann, at: at(0))
        let (cancelled, actions) = scheduler.batchCancelled(batch, reason: "no need", at: at(1))
        #expect(cancelled == 3)
        #expect(actions.stored == [.batchCancelled(batch, reason: "no need", jobs: 3)])
        #expect(actions.revoked(from: ann) == [lease(2, 1)])
        #expect(scheduler.batch(batch)?.counts[.failed] == 1)
        let late = scheduler.rowsReported(
            [ReportedRow(lease: lease(2, 1), row: 0)], shard: "t", batch: batch, by: ann, at: at(1))
        #expect(late.ended == [JobID(2)])
        #expect(late.actions.isEmpty)
        #expect(scheduler.batchCancelled(batch, reason: "", at: at(2)).cancelled == 0)
        #expect(scheduler.sanityCheck() == [])
    }

    @Test func anEmptyBatchEndsWhenItIsClosed() {
        var scheduler = Scheduler(settings: SchedulerSettings(), at: at(0))
        scheduler.batchOpened(batch)
        #expect(scheduler.batchClosed(batch, at: at(0)) == [.store(.batchFinished(batch))])
    }

    @Test func explainsWhyAJobDoesNotRun() {
        var scheduler = scheduler(jobs(1...2))
        #expect(scheduler.explain(JobID(1)) == .noWorkers(batch, losses: 0))
        _ = scheduler.join(ann, at: 0)
        _ = scheduler.creditOffered(ann, free: 1, at: at(0))
        #expect(
            scheduler.explain(JobID(1)) == .running(lease(1, 1), worker: ann, progress: 0, expiresIn: .seconds(10)))
        #expect(scheduler.explain(JobID(2)) == .noCredit(batch, workers: 1, waitingInBatch: 1, losses: 0))
        #expect(scheduler.explain(JobID(3)) == .notPending)
    }
}
