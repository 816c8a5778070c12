import JobModel
import Scheduling
import Testing

/// Thousands of workers: an event costs no look at each of them, which would take minutes here.
@Suite struct FleetTests {
    private let fleet = (0..<5_000).map { WorkerName("w\($0)") }

    @Test func workersThatCannotRunWhatWaitsAreNotAskedAgainAndAgain() {
        var settings = times
        settings.heartbeat = .seconds(1000)
        settings.unfitness = .seconds(100)
        var scheduler = Scheduler(settings: settings, at: at(0))
        scheduler.batchOpened(batch)
        _ = scheduler.jobsAdded(jobs(1...1), to: batch, at: at(0))
        _ = scheduler.batchClosed(batch, at: at(0))
        for name in fleet {
            _ = scheduler.join(name, at: 0)
            let taken = scheduler.creditOffered(name, free: 2, at: at(0)).assigned(to: name)
            #expect(
                scheduler.jobsReturned(taken, unfit: "no model", by: name, at: at(0)).isEmpty == false || taken.isEmpty)
        }
        for second in 1...20 {
            for name in fleet { _ = scheduler.creditOffered(name, free: 2, at: at(Double(second))) }
        }
        #expect(scheduler.batch(batch)?.counts[.waiting] == 1)
        // Each is asked again when its time is over.
        #expect(scheduler.timePassed(to: at(99)).isEmpty)
        let assigned = scheduler.timePassed(to: at(101)).filter { if case .assign = $0 { true } else { false } }
        #expect(assigned.count == 1)
        #expect(scheduler.sanityCheck() == [])
    }

    @Test func aLargeBatchIsHandedOutInParts() {
        var settings = times
        settings.heartbeat = .seconds(1000)
        var scheduler = Scheduler(settings: settings, at: at(0))
        scheduler.batchOpened(batch)
        _ = scheduler.jobsAdded(jobs(1...20_000), to: batch, at: at(0))
        for name in fleet {
            _ = scheduler.join(name, at: 0)
            _ = scheduler.creditOffered(name, free: 3, at: at(0))
        }
        var parts = [scheduler.batchClosed(batch, at: at(1))]
        while scheduler.nextDeadline == at(1) { parts.append(scheduler.timePassed(to: at(1))) }
        let counts = parts.map { actions in actions.count { if case .store(.assigned) = $0 { true } else { false } } }
        #expect(counts.reduce(0, +) == 15_000 && counts.count == 4 && counts.allSatisfy { $0 <= 4_096 })
        #expect(scheduler.batch(batch)?.counts[.waiting] == 5_000 && scheduler.sanityCheck() == [])
    }

    @Test func allComeBackAfterARestart() {
        var settings = times
        settings.heartbeat = .seconds(1000)
        var scheduler = Scheduler(settings: settings, at: at(0))
        scheduler.batchOpened(batch, state: .running)
        let each: UInt64 = 20
        let running = fleet.indices.flatMap { index in
            (1...each).map { number in
                NewJob(
                    id: JobID(UInt64(index) * each + number), image: 0, epoch: Epoch(1), wasRunning: true,
                    worker: fleet[index])
            }
        }
        _ = scheduler.jobsAdded(running, to: batch, at: at(0))
        for (index, name) in fleet.enumerated() where index % 10 > 0 {
            let first = UInt64(index) * each
            #expect(scheduler.join(name, held: (1...each).map { held(first + $0, 1) }, at: 1).count == Int(each))
        }
        // A tenth does not, and what it held waits again, still for its result if it comes late.
        _ = scheduler.timePassed(to: at(10))
        #expect(scheduler.batch(batch)?.counts[.waiting] == UInt64(fleet.count / 10) * each)
        #expect(scheduler.verdict(on: lease(1, 1), of: batch, by: fleet[0]) == .counts)
        #expect(scheduler.verdict(on: lease(1, 1), of: batch, by: fleet[1]) == .late)
    }

    @Test func aWorkerThatWasPassedOverGetsWhatItCanRunLater() {
        var scheduler = scheduler(jobs(1...1))
        _ = scheduler.join(ann, at: 0)
        _ = scheduler.jobsReturned(
            scheduler.creditOffered(ann, free: 1, at: at(0)).assigned(to: ann), unfit: "no model", by: ann, at: at(0))
        _ = scheduler.creditOffered(ann, free: 1, at: at(0))
        let other = BatchID("c")
        scheduler.batchOpened(other)
        _ = scheduler.jobsAdded(jobs(2...2), to: other, at: at(1))
        #expect(scheduler.batchClosed(other, at: at(1)).assigned(to: ann) == [lease(2, 1)])
        #expect(scheduler.sanityCheck() == [])
    }
}
