import JobModel
import Scheduling
import Testing

/// What there is to do for workers that could be started.
@Suite struct DemandTests {
    private let own = WorkerName("winnow-cpu-abcde-1-1")

    private func demand(_ scheduler: borrowing Scheduler, within seconds: Int = 60) -> WorkerDemand {
        scheduler.demand(ofWorkers: "winnow-cpu-abcde-", within: .seconds(seconds))
    }

    @Test func waitingJobsCountOnceTheyMayRun() {
        var scheduler = Scheduler(settings: times, at: at(0))
        scheduler.batchOpened(batch)
        _ = scheduler.jobsAdded(jobs(1...5), to: batch, at: at(0))
        #expect(demand(scheduler) == WorkerDemand())
        _ = scheduler.batchClosed(batch, at: at(0))
        #expect(demand(scheduler).waiting == 5)
        _ = scheduler.batchPaused(batch, true, at: at(0))
        #expect(demand(scheduler).waiting == 0)
        #expect(demand(scheduler).hindrance?.contains("paused") == true)
    }

    @Test func jobsThatAFreeWorkerTookDoNotCount() {
        var scheduler = scheduler(jobs(1...5))
        _ = scheduler.join(WorkerName("other"), at: 0)
        #expect(scheduler.creditOffered(WorkerName("other"), free: 8, at: at(0)).isEmpty == false)
        #expect(demand(scheduler) == WorkerDemand())
    }

    @Test func aBatchThatAllItsWorkersCannotRunIsNoDemandAndOneOfTwoIsNoVeto() {
        var scheduler = scheduler(jobs(1...5))
        _ = scheduler.join(own, at: 0)
        let taken = scheduler.creditOffered(own, free: 1, at: at(0)).assigned(to: own)
        _ = scheduler.jobsReturned(taken, unfit: "no model here", by: own, at: at(0))
        #expect(demand(scheduler).waiting == 0)
        #expect(demand(scheduler).hindrance?.contains("no model here") == true)
        #expect(
            scheduler.hindrance(of: batch, forWorkers: "winnow-cpu-abcde-", within: .seconds(60))?.contains("no model")
                == true)
        // Another queue's workers may have the model.
        #expect(scheduler.demand(ofWorkers: "winnow-gpu-fghjk-", within: .seconds(60)).waiting == 5)
        _ = scheduler.join(WorkerName("winnow-cpu-abcde-2-1"), at: 0)
        #expect(demand(scheduler).waiting == 5)
    }

    @Test func jobsThatTakeLongerThanAWorkerHasAreNoDemand() {
        var scheduler = scheduler(jobs(1...5))
        scheduler.durationsKnown(Array(repeating: 90, count: 10), of: batch)
        #expect(demand(scheduler, within: 100).waiting == 5)
        #expect(demand(scheduler, within: 60).waiting == 0)
        #expect(demand(scheduler, within: 60).hindrance?.contains("longer than the 60 s") == true)
    }
}
