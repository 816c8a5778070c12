import Monitoring
import Testing

@Suite struct EndedJobsTests {
    @Test func jobsFallIntoTheirIntervals() {
        var jobs = EndedJobs(interval: 10, intervals: 6, at: 0)
        jobs.note(succeeded: 2, failed: 1, at: 3)
        jobs.note(succeeded: 4, failed: 0, at: 25)
        #expect(jobs.history(at: 25).succeeded == [0, 0, 0, 2, 0, 4])
        #expect(jobs.history(at: 25).failed == [0, 0, 0, 1, 0, 0])
        // The ring moves on although nothing is counted, and asking changes nothing.
        #expect(jobs.history(at: 69).succeeded == [0, 4, 0, 0, 0, 0])
        #expect(jobs.history(at: 25).succeeded == [0, 0, 0, 2, 0, 4])
        #expect(jobs.history(at: 1_000_000).succeeded == [0, 0, 0, 0, 0, 0])
    }

    @Test func aJumpOverTheWholeRingForgetsEverything() {
        var jobs = EndedJobs(interval: 10, intervals: 6, at: 0)
        jobs.note(succeeded: 7, failed: 7, at: 1)
        jobs.note(succeeded: 1, failed: 0, at: 10_000)
        #expect(jobs.history(at: 10_000).succeeded == [0, 0, 0, 0, 0, 1])
        #expect(jobs.history(at: 10_000).failed.allSatisfy { $0 == 0 })
    }

    @Test func theRateIsOverTheTimeThatIsKnown() {
        var jobs = EndedJobs(interval: 10, intervals: 6, at: 100)
        #expect(jobs.rate(at: 100) == 0)
        for second in 100..<120 { jobs.note(succeeded: 3, failed: 0, at: Double(second)) }
        #expect(abs(jobs.rate(at: 120) - 3) < 1e-9)  // 60 jobs in 20 s
        for second in 120..<1_000 { jobs.note(succeeded: 3, failed: 0, at: Double(second)) }
        #expect(abs(jobs.rate(at: 1_000) - 3) < 1e-9)  // 50 s are remembered
        #expect(jobs.rate(at: 2_000) == 0)
    }
}
