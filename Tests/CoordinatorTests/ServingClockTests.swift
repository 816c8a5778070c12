import Coordinator
import Scheduling
import Testing

@Suite struct ServingClockTests {
    let start = ContinuousClock.now

    @Test func roundsCountInFull() {
        var clock = ServingClock(at: start)
        for round in 1...10 { clock.read(at: start + .milliseconds(700) * round) }
        #expect(clock.now == Moment(.seconds(7)))
    }

    @Test func aPauseOfTheProcessIsNoSilenceOfTheWorkers() {
        var clock = ServingClock(at: start)
        clock.read(at: start + .milliseconds(200))
        clock.read(at: start + .seconds(3600))
        #expect(clock.now == Moment(.milliseconds(200) + ServingClock.longestWait))
    }
}
