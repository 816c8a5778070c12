import JobModel
import Testing
import WireProtocol
import Worker

/// The worker's side of the conversation without socket, clock or thread.
@Suite struct LinkStateTests {
    let start = ContinuousClock.now
    var state: LinkState
    let configuration: WorkerConfiguration

    init() {
        configuration = WorkerConfiguration(
            endpoint: "tcp://127.0.0.1:5599", name: WorkerName("w"), session: SessionID("s"))
        state = LinkState(configuration, capacity: 2, jitter: { 1 })
    }

    /// A worker with limits, connected at `start`.
    private func limited(_ limit: (inout WorkerConfiguration) -> Void) -> LinkState {
        var configuration = configuration
        limit(&configuration)
        var state = LinkState(configuration, capacity: 2, jitter: { 1 })
        _ = state.start(now: start)
        _ = state.received(welcome(), now: start)
        return state
    }

    @Test func withoutJobsItEndsInTime() throws {
        var state = limited { $0.idleTimeout = .seconds(60) }
        #expect(state.timePassed(now: start).ending == nil)
        _ = state.received(try assignments([1]), now: start + .seconds(50))
        _ = state.timePassed(now: start + .seconds(50))
        // A job that runs is no idleness, however long it takes.
        #expect(state.timePassed(now: start + .seconds(500)).ending == nil)
        _ = state.finished(Lease(job: JobID(1), epoch: Epoch(1)))
        _ = state.sealed(report([1]), now: start + .seconds(500))
        _ = state.received(answer(report([1])), now: start + .seconds(501))
        #expect(state.timePassed(now: start + .seconds(501)).ending == nil)
        #expect(state.deadline.map { $0 <= start + .seconds(561) } == true)
        #expect(state.timePassed(now: start + .seconds(560)).ending == nil)
        #expect(state.timePassed(now: start + .seconds(561)).endsWell)
    }

    @Test func afterItsLifetimeItTakesNoMoreAndEnds() throws {
        var state = limited { $0.lifetime = .seconds(100) }
        _ = state.received(try assignments([1]), now: start + .seconds(1))
        let actions = state.timePassed(now: start + .seconds(100))
        #expect(actions.ending == nil && actions.returnedJobs == [])
        _ = state.finished(Lease(job: JobID(1), epoch: Epoch(1)))
        _ = state.sealed(report([1]), now: start + .seconds(130))
        let last = state.received(answer(report([1])), now: start + .seconds(131))
        #expect(last.endsWell)
    }

    @Test func jobsThatOutrunTheGraceGoBack() throws {
        var state = limited { $0.grace = .seconds(25) }
        _ = state.received(try assignments([1]), now: start)
        #expect(state.drain(now: start + .seconds(10)).returnedJobs == [])
        #expect(state.timePassed(now: start + .seconds(34)).returnedJobs == [])
        #expect(state.deadline.map { $0 <= start + .seconds(35) } == true)
        let actions = state.timePassed(now: start + .seconds(35))
        #expect(actions.returnedJobs == [1] && actions.endsWell)
    }

    @Test func withoutACoordinatorItEndsWithAnError() throws {
        var state = limited { $0.coordinatorTimeout = .seconds(30) }
        for second in 1..<30 { #expect(state.timePassed(now: start + .seconds(second)).ending == nil) }
        let error = try #require(state.timePassed(now: start + .seconds(30)).ending ?? nil)
        #expect(error.code == .unanswered && error.message.contains("30.0 seconds"))
    }

    @Test func aWorkerSaysHowLongItTakesJobs() throws {
        var limitedConfiguration = configuration
        limitedConfiguration.lifetime = .seconds(100)
        var state = LinkState(limitedConfiguration, capacity: 2, jitter: { 1 })
        func left(_ actions: [LinkState.Action]) -> Double? {
            actions.compactMap { if case .send(let message) = $0 { message.hello.secondsLeft } else { nil } }.first
        }
        #expect(left(state.start(now: start)) == 100)
        var again = WireToWorker()
        again.helloAgain = WireHelloAgain()
        #expect(left(state.received(again, now: start + .seconds(40))) == 60)
        #expect((left(state.received(again, now: start + .seconds(140))) ?? 0) > 0)
        var free = LinkState(configuration, capacity: 2, jitter: { 1 })
        #expect(left(free.start(now: start)) == 0)
    }

    func welcome(version: UInt32 = ProtocolVersion.current) -> WireToWorker {
        var message = WireToWorker()
        message.welcome = WireWelcome(heartbeat: .seconds(1), lease: .seconds(30))
        message.welcome.protocolVersion = version
        return message
    }

    func assignments(
        _ jobs: [UInt64], epoch: UInt64 = 1, of batch: String = "b", described: Bool = true
    ) throws -> WireToWorker {
        var message = WireToWorker()
        if described {
            var settings = WireBatchSettings()
            settings.batch = batch
            settings.description_p = try BatchDescription.forTests(name: batch, results: "/results").json()
            message.assignments.settings = [settings]
        }
        message.assignments.assignments = jobs.map { job in
            var assignment = WireAssignment()
            assignment.lease = WireLease(job: job, epoch: epoch)
            assignment.batch = batch
            assignment.item = #"{"id":"i\#(job)","image":"a.png","prompt":"p"}"#
            return assignment
        }
        return message
    }

    func report(_ jobs: [UInt64]) -> WireShardReport {
        var report = WireShardReport()
        report.shard = "shards/00/a.h5"
        report.rows = jobs.map { job in
            var row = WireRow()
            row.lease = WireLease(job: job, epoch: 1)
            return row
        }
        return report
    }

    func answer(_ report: WireShardReport) -> WireToWorker {
        var message = WireToWorker()
        message.reportAnswer.shard = report.shard
        message.reportAnswer.committed = report.rows.map(\.lease.job)
        return message
    }

    @Test mutating func pausesGrowWhileNobodyAnswersAndShrinkAfterAWelcome() throws {
        #expect(state.start(now: start).kinds == ["connect", "hello"])
        var now = start
        var pauses: [Duration] = []
        for _ in 0..<9 {
            now += configuration.welcomePatience
            #expect(state.timePassed(now: now).kinds == ["note"])
            let until = try #require(state.deadline)
            pauses.append(until - now)
            #expect(state.timePassed(now: until - .milliseconds(1)).isEmpty)
            now = until
            #expect(state.timePassed(now: now).kinds == ["connect", "hello"])
        }
        #expect(pauses == [0.5, 1, 2, 4, 8, 16, 32, 32, 32].map { .seconds($0) })
        _ = state.received(welcome(), now: now)
        for _ in 0..<4 { now += .seconds(1); _ = state.timePassed(now: now) }
        #expect(try #require(state.deadline) - now == .seconds(0.5))
    }

    @Test mutating func threeUnansweredHeartbeatsEndAConnectionAndAnyWordSavesIt() {
        _ = state.start(now: start)
        _ = state.received(welcome(), now: start)
        var now = start
        for round in 0..<10 {
            now += .seconds(1)
            #expect(state.timePassed(now: now).kinds == ["heartbeat", "credit"], "round \(round)")
            var word = WireToWorker()
            word.heartbeatAnswer = WireHeartbeatAnswer()
            _ = state.received(word, now: now)
        }
        for _ in 0..<3 {
            now += .seconds(1)
            #expect(state.timePassed(now: now).kinds == ["heartbeat", "credit"])
        }
        now += .seconds(1)
        #expect(state.timePassed(now: now).kinds == ["note"])
    }

    @Test mutating func aSecondAssignmentOfAHeldJobIsIgnoredAndANewerAttemptReplacesIt() throws {
        _ = state.start(now: start)
        _ = state.received(welcome(), now: start)
        #expect(state.received(try assignments([1, 2]), now: start).kinds == ["admit 1/1", "admit 2/1"])
        #expect(state.received(try assignments([1], described: false), now: start).kinds.isEmpty)
        #expect(
            state.received(try assignments([1], epoch: 2, described: false), now: start).kinds
                == ["drop 1/1", "admit 1/2", "credit"])
        #expect(state.heldLeases == [Lease(job: JobID(1), epoch: Epoch(2)), Lease(job: JobID(2), epoch: Epoch(1))])
    }

    /// Whoever has a job must move on for its lease to live: the thread that computes does not vouch for the one that writes.
    @Test mutating func aFinishedJobsProgressIsThatOfTheWriter() throws {
        _ = state.start(now: start)
        _ = state.received(welcome(), now: start)
        _ = state.received(try assignments([1]), now: start)
        state.runnerProgress = 10
        state.begun = [Lease(job: JobID(1), epoch: Epoch(1))]
        state.writerProgress = 3
        var now = start
        func beat() throws -> WireLease {
            now += .seconds(1)
            let actions = state.timePassed(now: now)
            var word = WireToWorker()
            word.heartbeatAnswer = WireHeartbeatAnswer()
            _ = state.received(word, now: now)
            let held = actions.compactMap { action -> WireLease? in
                guard case .send(let message) = action, case .heartbeat(let heartbeat) = message.kind else {
                    return nil
                }
                return heartbeat.held.first
            }
            return try #require(held.first)
        }
        let working = try beat()
        #expect(!working.isComputed)
        _ = state.finished(Lease(job: JobID(1), epoch: Epoch(1)))
        state.runnerProgress = 1_000
        let finished = try beat()
        #expect(finished.isComputed && finished.progress == working.progress)
        state.writerProgress = 4
        let written = try beat()
        #expect(written.progress > finished.progress)
        _ = state.sealed(report([1]), now: now)
        let reported = try beat()
        #expect(reported.progress > written.progress)
    }

    @Test mutating func moreJobsThanWereEverOfferedGoBack() throws {
        _ = state.start(now: start)
        _ = state.received(welcome(), now: start)
        let actions = state.received(try assignments(Array(1...40)), now: start)
        #expect(actions.kinds.count { $0.hasPrefix("admit") } == 16)
        #expect(actions.returnedJobs == Array(17...40))
    }

    @Test mutating func theSlotOfARevokedJobIsFreeOnceTheRunnerHasLetGoOfIt() throws {
        let lease = Lease(job: JobID(1), epoch: Epoch(1))
        _ = state.start(now: start)
        _ = state.received(welcome(), now: start)
        _ = state.received(try assignments([1, 2, 3, 4]), now: start)
        var message = WireToWorker()
        message.heartbeatAnswer.revoked = [WireLease(lease)]
        #expect(state.received(message, now: start).kinds == ["drop 1/1"])
        // A runner that hangs must not draw in one job after the other.
        #expect(state.timePassed(now: start + .seconds(1)).credits == [0])
        #expect(state.dropped(lease).credits == [1])
        #expect(state.dropped(lease).credits == [])
    }

    @Test mutating func slotsAreOfferedAgainOnlyWhenTheFormerOfferIsUsedUp() throws {
        func lease(_ job: UInt64) -> Lease { Lease(job: JobID(job), epoch: Epoch(1)) }
        _ = state.start(now: start)
        #expect(state.received(welcome(), now: start).credits == [4])
        #expect(state.received(try assignments([1, 2, 3]), now: start).credits == [])
        #expect(state.finished(lease(1)).credits == [])
        #expect(state.received(try assignments([4]), now: start).credits == [1])
        #expect(state.received(try assignments([5]), now: start).credits == [])
        #expect(state.finished(lease(2)).credits == [1])
        #expect(state.finished(lease(2)).credits == [])
        #expect(state.finished(lease(3)).credits == [])
        #expect(state.timePassed(now: start + .seconds(1)).credits == [2])
        #expect(state.drain(now: start).credits == [0])
    }

    @Test mutating func progressIsZeroUntilAJobBeginsAndThenNeverFalls() throws {
        _ = state.start(now: start)
        _ = state.received(welcome(), now: start)
        _ = state.received(try assignments([1]), now: start)
        let lease = Lease(job: JobID(1), epoch: Epoch(1))
        var now = start
        func beat(_ state: inout LinkState) -> UInt64? {
            now += .seconds(1)
            var word = WireToWorker()
            word.heartbeatAnswer = WireHeartbeatAnswer()
            _ = state.received(word, now: now)
            return state.timePassed(now: now).heldProgress
        }
        state.runnerProgress = 5
        #expect(beat(&state) == 0)
        state.begun = [lease]
        #expect(beat(&state) == 6)
        state.runnerProgress = 7
        #expect(beat(&state) == 8)
        state.begun = []
        _ = state.finished(lease)
        state.writerProgress = 3
        #expect(beat(&state) == 11)
        let report = report([1])
        _ = state.sealed(report, now: now)
        let reported = try #require(beat(&state))
        #expect(reported > 11)
        #expect(try #require(beat(&state)) > reported)
        _ = state.received(answer(report), now: now)
        #expect(beat(&state) == nil)
    }

    @Test mutating func aReportWaitsForTheConnectionAndIsRepeatedUntilAnswered() throws {
        _ = state.start(now: start)
        _ = state.received(welcome(), now: start)
        _ = state.received(try assignments([1]), now: start)
        var again = WireToWorker()
        again.helloAgain = WireHelloAgain()
        #expect(state.received(again, now: start).kinds == ["hello"])
        let report = report([1])
        #expect(state.sealed(report, now: start).isEmpty)
        #expect(state.received(welcome(), now: start).kinds.contains("report"))
        #expect(!state.timePassed(now: start + .seconds(1)).kinds.contains("report"))
        #expect(state.timePassed(now: start + .seconds(3)).kinds.contains("report"))
        #expect(state.received(answer(report), now: start + .seconds(3)).kinds == ["answered"])
        #expect(state.heldLeases.isEmpty)
        #expect(state.received(answer(report), now: start + .seconds(3)).kinds.isEmpty)
    }

    @Test mutating func jobsHandedBackWithoutAConnectionAreAnnouncedAfterTheNextWelcome() throws {
        _ = state.start(now: start)
        _ = state.received(welcome(), now: start)
        _ = state.received(try assignments([1, 2]), now: start)
        var again = WireToWorker()
        again.helloAgain = WireHelloAgain()
        _ = state.received(again, now: start)
        #expect(state.stop(now: start).kinds == ["drop 1/1", "drop 2/1", "hurry"])
        let actions = state.received(welcome(), now: start)
        #expect(actions.returnedJobs == [1, 2])
        #expect(actions.kinds.suffix(2) == ["goodbye", "end"])
        #expect(actions.kinds.contains("end") && actions.ending??.code == nil)
    }

    @Test mutating func aWorkerThatStopsGivesUpOnACoordinatorThatNeverAnswers() throws {
        _ = state.start(now: start)
        _ = state.received(welcome(), now: start)
        _ = state.received(try assignments([1]), now: start)
        _ = state.sealed(report([1]), now: start)
        #expect(!state.drain(now: start).kinds.contains("end"))
        let end = start + configuration.farewellPatience
        _ = state.timePassed(now: end - .milliseconds(1))
        let error = try #require(state.timePassed(now: end).ending)
        #expect(error?.code == .unanswered)
    }

    /// Whatever is wrong with a batch, or with an item of it, the worker lives and serves the others.
    @Test mutating func whatCannotBeUnderstoodGoesBackAndOtherBatchesGoOn() throws {
        _ = state.start(now: start)
        _ = state.received(welcome(), now: start)
        let actions = state.received(try assignments([1], of: "never described", described: false), now: start)
        #expect(actions.returnedJobs == [1] && actions.unfitReasons.count == 1 && actions.ending == nil)
        var strange = try assignments([2], of: "strange")
        strange.assignments.settings[0].description_p = "{}"
        let more = state.received(strange, now: start)
        #expect(more.returnedJobs == [2] && more.ending == nil)
        #expect(try #require(more.unfitReasons.first).contains("does not understand"))
        var bad = try assignments([3, 4])
        bad.assignments.assignments[0].item = "{}"
        let last = state.received(bad, now: start)
        #expect(last.kinds.prefix(2) == ["admit 4/1", "failed"] && last.ending == nil)
        #expect(state.heldLeases.map(\.job) == [JobID(4)])
    }

    @Test mutating func aBatchThatCannotBeWrittenGoesBackAloneAndTheWorkerStays() throws {
        func lease(_ job: UInt64) -> Lease { Lease(job: JobID(job), epoch: Epoch(1)) }
        _ = state.start(now: start)
        _ = state.received(welcome(), now: start)
        _ = state.received(try assignments([1, 2]), now: start)
        _ = state.received(try assignments([3], of: "c"), now: start)
        _ = state.finished(lease(1))
        let actions = state.unwritable(
            BatchID("b"), unwritten: [lease(1)], reason: "no space is left", now: start)
        #expect(actions.returnedJobs == [1, 2] && actions.unfitReasons == ["no space is left"])
        #expect(actions.ending == nil && actions.kinds.contains("drop 2/1"))
        #expect(state.heldLeases == [lease(3)])
        #expect(state.unwritable(BatchID("b"), unwritten: [lease(1)], reason: "again", now: start).isEmpty)
        #expect(state.received(try assignments([4], of: "c"), now: start).kinds.contains("admit 4/1"))
    }

    /// The coordinator gives no jobs after some came back until it hears of free slots again.
    @Test mutating func whoeverHandsJobsBackOffersItsSlotsAtOnce() throws {
        func lease(_ job: UInt64) -> Lease { Lease(job: JobID(job), epoch: Epoch(1)) }
        _ = state.start(now: start)
        #expect(state.received(welcome(), now: start).credits == [4])
        _ = state.received(try assignments([1, 2]), now: start)
        #expect(state.unfit([lease(1)], reason: "no such model", now: start).kinds == ["note", "returned", "credit"])
        #expect(state.timePassed(now: start + .seconds(1)).credits == [3])
        _ = state.received(try assignments([3]), now: start)
        let actions = state.unwritable(BatchID("b"), unwritten: [], reason: "no space is left", now: start)
        #expect(actions.returnedJobs == [2, 3])
        // Their slots are free once the runner has let go of them.
        #expect(actions.credits == [2])
    }

    /// A model that does not load sends its jobs back one by one: the reason is noted once, until a job of the batch finishes.
    @Test mutating func whyJobsGoBackIsNotedOnceForEachBatchAndReason() throws {
        func lease(_ job: UInt64) -> Lease { Lease(job: JobID(job), epoch: Epoch(1)) }
        _ = state.start(now: start)
        _ = state.received(welcome(), now: start)
        _ = state.received(try assignments([1, 2, 3, 4, 5, 6]), now: start)
        _ = state.received(try assignments([7], of: "c"), now: start)
        func notes(_ job: UInt64, _ reason: String) -> Int {
            let actions = state.unfit([lease(job)], reason: reason, now: start)
            #expect(actions.returnedJobs == [job])
            return actions.kinds.count { $0 == "note" }
        }
        #expect(notes(1, "no such model") == 1 && notes(2, "no such model") == 0)
        #expect(notes(7, "no such model") == 1 && notes(3, "no memory") == 1 && notes(4, "no memory") == 0)
        _ = state.finished(lease(5))
        #expect(notes(6, "no memory") == 1)
    }

    @Test mutating func anotherProtocolVersionEndsTheWorker() throws {
        _ = state.start(now: start)
        let error = try #require(state.received(welcome(version: 9), now: start).ending)
        #expect(error?.code == .refused)
        #expect(state.deadline == nil)
    }
}

extension [LinkState.Action] {
    /// Short names of the actions, in order.
    fileprivate var kinds: [String] {
        map { action in
            switch action {
            case .connect: "connect"
            case .admit(let job): "admit \(job.lease)"
            case .drop(let lease): "drop \(lease)"
            case .answered(_, let counts): counts ? "answered" : "superseded"
            case .rewrite(_, let jobs): "rewrite \(jobs.sorted())"
            case .hurry: "hurry"
            case .note: "note"
            case .end: "end"
            case .send(let message):
                switch message.kind {
                case .hello: "hello"
                case .heartbeat: "heartbeat"
                case .credit: "credit"
                case .report: "report"
                case .returned: "returned"
                case .failed: "failed"
                case .goodbye: "goodbye"
                case nil: "nothing"
                }
            }
        }
    }

    private var messages: [WireFromWorker.OneOf_Kind] {
        compactMap { if case .send(let message) = $0 { message.kind } else { nil } }
    }

    fileprivate var credits: [UInt32] {
        messages.compactMap { if case .credit(let credit) = $0 { credit.freeSlots } else { nil } }
    }

    fileprivate var returnedJobs: [UInt64] {
        messages.flatMap { if case .returned(let returned) = $0 { returned.leases.map(\.job) } else { [UInt64]() } }
    }

    /// Why this worker cannot run what goes back.
    fileprivate var unfitReasons: [String] {
        messages.compactMap {
            if case .returned(let returned) = $0, returned.unfit { returned.reason } else { nil }
        }
    }

    /// Progress of the only held lease in a heartbeat.
    fileprivate var heldProgress: UInt64? {
        messages.compactMap { if case .heartbeat(let beat) = $0 { beat.held.first?.progress } else { nil } }.first
    }

    /// How the worker ends; nil where it does not.
    /// Whether the worker is done, without an error.
    fileprivate var endsWell: Bool { if case .some(.none) = ending { true } else { false } }

    fileprivate var ending: WorkerError?? {
        for case .end(let error) in self { return .some(error) }
        return nil
    }
}
