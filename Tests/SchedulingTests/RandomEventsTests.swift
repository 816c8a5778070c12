import JobModel
import Scheduling
import Testing

/// Random events of every kind, the invariants after each one, and at the end every job ended exactly once.
@Suite struct RandomEventsTests {
    @Test(arguments: 1...3 as ClosedRange<UInt64>)
    func invariantsHold(seed: UInt64) {
        var world = World(seed: seed)
        for step in 0..<100_000 {
            world.step()
            world.broken += world.scheduler.sanityCheck()
            guard world.broken.isEmpty else {
                Issue.record("seed \(seed), step \(step): \(world.broken)")
                return
            }
        }
        world.finish()
        world.broken += world.scheduler.sanityCheck()
        #expect(world.broken == [], "seed \(seed)")
        // Nothing of this is worth much if it did not happen.
        for how in ["succeeded", "failed", "quarantined", "cancelled"] {
            #expect(world.ended.values.contains(how), "seed \(seed): no job was \(how)")
        }
        let events = [
            "second run", "retry", "restart", "adopted", "rest", "unfit", "timeout", "max fails", "pause", "replaced",
            "woken", "forgotten",
        ]
        for event in events {
            #expect(world.seen.contains(event), "seed \(seed): no \(event)")
        }
    }

    @Test func aLargeBatchTakesNoScanPerEvent() {
        // 200,000 jobs: a scan of all jobs per event would take minutes here.
        let count: UInt64 = 200_000
        var scheduler = scheduler((1...count).map { NewJob(id: JobID($0), image: $0 / 7) })
        _ = scheduler.join(ann, at: 0)
        var next = scheduler.creditOffered(ann, free: 64, at: at(0)).assigned(to: ann)
        var ended = 0
        while !next.isEmpty {
            let rows = next.map { ReportedRow(lease: $0, row: 0) }
            ended += scheduler.rowsReported(rows, shard: "s", batch: batch, by: ann, at: at(1)).committed.count
            next = scheduler.creditOffered(ann, free: 64, at: at(1)).assigned(to: ann)
        }
        #expect(ended == Int(count))
        #expect(scheduler.batch(batch)?.state == .finished)
        #expect(scheduler.sanityCheck() == [])
    }
}
