import JobModel
import Scheduling
import Testing

/// Workers that are gone and batches that are over are not remembered for ever.
@Suite struct ForgettingTests {
    @Test func aLostWorkerIsListedForAsLongAsTheSettingsSay() {
        var settings = times
        settings.memory = .seconds(60)
        var scheduler = Scheduler(settings: settings, at: at(0))
        _ = scheduler.join(ann, at: 0)
        _ = scheduler.join(bob, at: 0)
        _ = scheduler.heartbeat(bob, held: [], at: at(2))
        #expect(scheduler.timePassed(to: at(3)).contains { if case .workerLost(ann, _) = $0 { true } else { false } })
        for second in 3...62 {
            _ = scheduler.heartbeat(bob, held: [], at: at(Double(second)))
            #expect(!scheduler.timePassed(to: at(Double(second))).contains(.workerForgotten(ann)))
            #expect(scheduler.knows(ann) && !scheduler.isPresent(ann))
        }
        _ = scheduler.heartbeat(bob, held: [], at: at(63))
        #expect(scheduler.timePassed(to: at(63)).contains(.workerForgotten(ann)))
        #expect(!scheduler.knows(ann) && scheduler.workerCount == 1)
        #expect(scheduler.allWorkers(at: at(63)).map(\.name) == [bob])
        #expect(scheduler.sanityCheck() == [])
    }

    @Test func aWorkerThatComesBackIsRememberedAndOneThatLeavesIsNot() {
        var settings = times
        settings.memory = .seconds(60)
        var scheduler = Scheduler(settings: settings, at: at(0))
        _ = scheduler.join(ann, at: 0)
        _ = scheduler.timePassed(to: at(3))
        _ = scheduler.join(ann, second, at: 59)
        #expect(!scheduler.timePassed(to: at(61)).contains(.workerForgotten(ann)))
        #expect(scheduler.isPresent(ann) == true)
        _ = scheduler.workerLeft(ann, at: at(62))
        #expect(!scheduler.knows(ann) && scheduler.sanityCheck() == [])
    }

    @Test func aWorkerThatWasToEndAndHoldsNothingIsNotLostWhenItFallsSilent() {
        var scheduler = scheduler(jobs(1...4))
        // One was asked to end, the time of one is over, one still holds a job and nobody expected the end of the last.
        let carl = WorkerName("carl"), dora = WorkerName("dora")
        for name in [ann, carl, dora] { _ = scheduler.join(name, at: 0) }
        _ = scheduler.workerJoined(
            bob, session: first, capacity: 1, held: [], timeLeft: .seconds(1), at: at(0))
        #expect(scheduler.creditOffered(carl, free: 1, at: at(0)).assigned(to: carl).count == 1)
        scheduler.drain(ann)
        scheduler.drain(carl)
        let actions = scheduler.timePassed(to: at(3))
        #expect(actions.contains(.workerForgotten(ann)) && actions.contains(.workerForgotten(bob)))
        let lost = actions.compactMap { if case .workerLost(let name, _) = $0 { name } else { nil } }
        #expect(Set(lost) == [carl, dora])
        #expect(!scheduler.knows(ann) && !scheduler.knows(bob) && scheduler.knows(carl))
        #expect(scheduler.sanityCheck() == [])
    }

    @Test func aForgottenBatchIsNotThereAndItsNameIsFree() {
        var scheduler = scheduler(jobs(1...2))
        scheduler.batchForgotten(batch)
        #expect(scheduler.batch(batch) != nil)
        _ = scheduler.join(ann, at: 0)
        // Two batches in turn, the first of which ends while the worker is unfit for it.
        let leases = scheduler.creditOffered(ann, free: 2, at: at(0)).assigned(to: ann)
        _ = scheduler.jobsReturned(leases, unfit: "no model", by: ann, at: at(0))
        _ = scheduler.batchCancelled(batch, reason: "", at: at(0))
        scheduler.batchForgotten(batch)
        #expect(scheduler.batch(batch) == nil && scheduler.allBatches().isEmpty)
        #expect(
            scheduler.rowsReported(
                [ReportedRow(lease: lease(1, 1), row: 0)], shard: "s", batch: batch, by: ann, at: at(1)
            ).committed.isEmpty)
        #expect(scheduler.sanityCheck() == [])

        scheduler.batchOpened(batch)
        _ = scheduler.jobsAdded(jobs(3...4), to: batch, at: at(1))
        _ = scheduler.batchClosed(batch, at: at(1))
        // What the worker could not run was another batch.
        #expect(scheduler.creditOffered(ann, free: 2, at: at(1)).assigned(to: ann) == [lease(3, 1), lease(4, 1)])
        #expect(scheduler.allBatches().map(\.id) == [batch] && scheduler.sanityCheck() == [])
    }
}
