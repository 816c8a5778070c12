import Allocation
import Foundation
import Testing

/// A queue beside an engine and a coordinator that say what a test wants.
private struct Scene {
    var settings = QueueSettings(
        name: "gpu", token: "abcde", timeLimit: 600, notice: 60, workersPerAllocation: 1, capacity: 8, backlog: 2,
        maxWorkers: 64, idleTimeout: 300, endpoint: "tcp://head:5757", program: "/opt/winnow", workerOptions: [],
        engineOptions: [])
    var state: QueueState
    var now = Date(timeIntervalSince1970: 1_000_000)
    /// What the engine lists, by allocation number.
    var listing: [Int: (state: String, reason: String)] = [:]
    var isListed = true
    var demand: Demand? = Demand(waiting: 1000, hindrance: "", workers: [])
    private(set) var submitted = 0

    init() { state = QueueState(of: settings) }

    /// One look; the engine accepts what is asked for, unless `refusal` says why not.
    @discardableResult
    mutating func look(refusal: String? = nil) -> [QueueState.Action] {
        now += 10
        let jobs = listing.map {
            EngineJob(
                id: "\(100 + $0.key)", state: $0.value.state, reason: $0.value.reason, name: settings.name(of: $0.key))
        }
        let actions = state.step(
            settings, jobs: isListed ? jobs : nil, words: "Unable to contact slurm controller", demand: demand, at: now)
        for case .submit(let allocation) in actions {
            submitted += 1
            if let refusal {
                _ = state.submitted(allocation.number, .refused(refusal), at: now)
            } else {
                _ = state.submitted(
                    allocation.number, .accepted(JobNumber(id: "\(100 + allocation.number)")), at: now)
                listing[allocation.number] = ("PENDING", "Priority")
            }
        }
        return actions
    }

    mutating func worker(_ number: Int, finished: UInt64 = 0, note: String = "") {
        demand?.workers.append(.init(name: settings.name(of: number) + "-1", finished: finished, note: note))
    }

    /// An allocation runs and has its worker.
    mutating func begin(_ number: Int, finished: UInt64 = 0, note: String = "") {
        listing[number] = ("RUNNING", "None")
        worker(number, finished: finished, note: note)
    }

    /// An allocation has ended, as the engine says, and no worker is there.
    mutating func end(_ number: Int, _ state: String) {
        demand?.workers = []
        listing[number] = (state, "None")
    }

    /// Allocations one after the other, each submitted, running and ended, until the queue asks for no more.
    ///
    /// - Parameters:
    ///   - most: How many there may be.
    ///   - state: How each ends.
    ///   - looks: Looks while it runs.
    ///   - rests: Looks after its end.
    ///   - begin: What is there of an allocation that runs.
    mutating func live(
        upTo most: Int, ending state: String, looks: Int = 1, rests: Int = 7, _ begin: (inout Scene, Int) -> Void
    ) {
        for number in 1...most {
            look()
            guard submitted == number else { return }
            begin(&self, number)
            for _ in 0..<looks { look() }
            end(number, state)
            for _ in 0..<rests { look() }
        }
    }

    func allocation(_ number: Int) -> Allocation? { state.allocations.first { $0.number == number } }
}

@Suite struct QueueStateTests {
    @Test("while jobs wait, as many allocations are in line as the backlog says, and no more")
    func backlog() {
        var scene = Scene()
        for _ in 0..<5 { scene.look() }
        #expect(scene.submitted == 2)
        scene.begin(1)
        scene.look()
        #expect(scene.submitted == 3, "one of them has its worker, so another may wait in line")
    }

    @Test("no more is asked for than the jobs that wait need, nor than may be")
    func bounds() {
        var scene = Scene()
        scene.settings.backlog = 100
        scene.demand?.waiting = 17
        scene.look()
        #expect(scene.submitted == 3, "17 jobs fill three workers of 8")
        scene = Scene()
        scene.settings.backlog = 100
        scene.settings.maxWorkers = 5
        scene.settings.workersPerAllocation = 2
        scene.look()
        #expect(scene.submitted == 2, "three allocations would be six workers")
        scene.look()
        #expect(scene.submitted == 2)
        #expect(scene.state.standing.contains("--max-workers"))
    }

    @Test("nothing is asked for where no job could run within an allocation, and it says why")
    func hindered() {
        var scene = Scene()
        scene.demand = Demand(
            waiting: 0, hindrance: "a job of batch long takes 900 s, longer than the 540 s", workers: [])
        for _ in 0..<20 { scene.look() }
        #expect(scene.submitted == 0)
        #expect(scene.state.standing.contains("a job of batch long takes 900 s"))
    }

    @Test("a coordinator or an engine that does not answer leads to no submission")
    func silence() {
        var scene = Scene()
        scene.demand = nil
        scene.look()
        #expect(scene.state.standing == "the coordinator does not answer")
        scene.demand = Demand(waiting: 9, hindrance: "", workers: [])
        scene.isListed = false
        scene.look()
        #expect(scene.state.standing == "the engine does not list its jobs: Unable to contact slurm controller")
        #expect(scene.submitted == 0)
    }

    @Test("what waits in line is taken back when no job has waited for a while, and running workers are left alone")
    func calm() {
        var scene = Scene()
        scene.look()
        scene.begin(1, finished: 3)
        scene.demand?.waiting = 0
        var cancelled: [Int] = []
        for _ in 0..<10 {
            for case .takeBack(let allocations) in scene.look() { cancelled += allocations.map(\.number) }
        }
        #expect(cancelled == [2])
    }

    @Test("an end by the time limit is no failure, and another allocation follows")
    func timeLimit() {
        var scene = Scene()
        scene.settings.backlog = 1
        scene.live(upTo: 10, ending: "TIMEOUT", rests: 0) { $0.begin($1, finished: 5) }
        #expect(scene.submitted == 11, "the next one is in line")
        scene.look()
        #expect(scene.state.failuresInRow == 0)
        #expect(scene.allocation(9)?.end == .timeLimit)
    }

    @Test("refusals in a row pause the queue with the engine's own words; its user lets it go on")
    func refusals() {
        var scene = Scene()
        let words = "sbatch: error: invalid partition specified: nowhere"
        for _ in 0..<60 { scene.look(refusal: words) }
        #expect(scene.state.isPaused(scene.settings))
        #expect(scene.submitted < 8, "it stops rather than asking for ever")
        #expect(scene.state.standing.contains(words))
        scene.settings.resumeCount += 1
        scene.look()
        #expect(!scene.state.isPaused(scene.settings))
        #expect(scene.state.live.count == 2)
    }

    @Test("that older allocations still work does not hide that new ones are refused")
    func refusedBesideWork() {
        var scene = Scene()
        scene.settings.backlog = 1
        scene.look()
        scene.begin(1, finished: 1)
        for finished in 0..<60 {
            scene.demand?.workers[0].finished = UInt64(finished)
            scene.look(refusal: "sbatch: error: QOSMaxSubmitJobPerUserLimit")
        }
        #expect(scene.state.isPaused(scene.settings))
    }

    @Test("allocations whose workers can run nothing pause the queue with the workers' reason")
    func unfitWorkers() {
        var scene = Scene()
        scene.settings.maxWorkers = 1
        scene.live(upTo: 20, ending: "COMPLETED") { $0.begin($1, note: "batch: the model folder is not there") }
        #expect(scene.state.isPaused(scene.settings))
        #expect(scene.state.standing.contains("the model folder is not there"))
        #expect(scene.state.allocations.count == 3)
    }

    @Test("allocations in which no job ever comes to its end, though jobs wait, pause the queue")
    func nothingEnds() {
        var scene = Scene()
        scene.settings.maxWorkers = 1
        // 540 s until they are told to finish, in looks of 10 s.
        scene.live(upTo: 20, ending: "COMPLETED", looks: 54) { $0.begin($1) }
        #expect(scene.state.isPaused(scene.settings))
        #expect(scene.state.standing.contains("--time-limit"))
        #expect(scene.state.allocations.count == 3)
    }

    @Test("an allocation that ended early because others did the work is no failure")
    func nothingLeft() {
        var scene = Scene()
        scene.settings.maxWorkers = 1
        scene.look()
        scene.begin(1)
        scene.look()
        scene.demand = Demand(waiting: 0, hindrance: "", workers: [])
        scene.listing[1] = ("COMPLETED", "None")
        scene.look()
        #expect(scene.allocation(1)?.isLive == false)
        #expect(scene.state.failuresInRow == 0)
    }

    @Test("workers that never reach the coordinator are a failure of their queue")
    func unreached() {
        var scene = Scene()
        scene.settings.maxWorkers = 1
        scene.live(upTo: 20, ending: "COMPLETED", looks: 10) { $0.listing[$1] = ("RUNNING", "None") }
        #expect(scene.state.isPaused(scene.settings))
        #expect(scene.state.standing.contains("reached the coordinator"))
    }

    @Test("what the engine does not do now is no failure, and what a process never asked for is forgotten")
    func notNow() {
        var scene = Scene()
        scene.settings.backlog = 1
        for _ in 0..<10 {
            scene.now += 10
            let actions = scene.state.step(scene.settings, jobs: [], demand: scene.demand, at: scene.now)
            for case .submit(let allocation) in actions {
                _ = scene.state.submitted(allocation.number, .notNow("the controller is away"), at: scene.now)
            }
        }
        #expect(scene.state.allocations.isEmpty && scene.state.failuresInRow == 0)
        // A process that ends between deciding and asking.
        _ = scene.state.step(scene.settings, jobs: [], demand: scene.demand, at: scene.now + 20)
        #expect(scene.state.live.map(\.state) == [.submitting])
        scene.demand?.waiting = 0
        scene.now += 60
        for _ in 0..<3 { scene.look() }
        #expect(scene.state.allocations.isEmpty && scene.state.failuresInRow == 0)
    }

    @Test("allocations that came and went while nobody looked are no failure")
    func away() {
        var scene = Scene()
        scene.look()
        scene.look()
        scene.listing = [:]
        scene.now += 7200
        for _ in 0..<4 {
            scene.look()
            scene.demand?.waiting = 0
        }
        #expect(scene.allocation(1)?.end == .vanished && scene.allocation(2)?.end == .vanished)
        #expect(scene.state.failuresInRow == 0)
    }

    @Test("jobs that the engine never lists do not make the queue ask for more and more")
    func invisible() {
        var scene = Scene()
        for _ in 0..<200 {
            scene.look()
            scene.listing = [:]
        }
        #expect(scene.state.isPaused(scene.settings))
        #expect(scene.submitted <= 6)
        #expect(scene.state.standing.contains("does not list it"))
    }

    @Test("an unknown state is not taken for a running one, and holds its place among the workers that may be")
    func unknownState() {
        var scene = Scene()
        scene.settings.maxWorkers = 2
        scene.look()
        scene.listing[1] = ("HIBERNATING", "None")
        scene.listing[2] = ("HIBERNATING", "None")
        let notes = scene.look().compactMap { if case .note(let event) = $0 { event.text } else { nil } }
        #expect(scene.allocation(1)?.state == .unknown)
        #expect(notes.contains { $0.contains("HIBERNATING") })
        scene.look()
        #expect(scene.submitted == 2)
    }

    @Test("a job that vanished has ended once two listings lack it; one look without it is not enough")
    func vanished() {
        var scene = Scene()
        scene.settings.backlog = 1
        scene.look()
        scene.begin(1, finished: 2)
        for _ in 0..<5 { scene.look() }
        scene.listing[1] = nil
        scene.demand?.workers = []
        scene.look()
        #expect(scene.allocation(1)?.isLive == true)
        scene.look()
        #expect(scene.allocation(1)?.end == .vanished)
        #expect(scene.state.failuresInRow == 0)
    }

    @Test("an allocation that was called finished counts again when its worker comes")
    func lateWorker() {
        var scene = Scene()
        scene.settings.backlog = 1
        scene.look()
        for _ in 0..<6 {
            scene.listing[1] = nil
            scene.demand?.waiting = 0
            scene.look()
        }
        #expect(scene.allocation(1)?.isLive == false)
        scene.worker(1)
        scene.look()
        #expect(scene.allocation(1)?.isLive == true)
        #expect(scene.allocation(1)?.state == .running)
    }

    @Test("a job that would wait for ever is taken back and counts as a failure")
    func waitsInVain() {
        var scene = Scene()
        scene.settings.backlog = 1
        scene.look()
        scene.listing[1] = ("PENDING", "PartitionTimeLimit")
        let cancelled = scene.look().contains { if case .cancel = $0 { true } else { false } }
        #expect(cancelled)
        #expect(scene.state.lastFailure.contains("PartitionTimeLimit"))
    }

    @Test("a submission without an answer is looked for by its name, and found")
    func noAnswer() throws {
        var scene = Scene()
        let actions = scene.state.step(scene.settings, jobs: [], demand: scene.demand, at: scene.now)
        guard case .submit(let allocation)? = actions.first else { throw Trouble() }
        _ = scene.state.submitted(allocation.number, .unknown("sbatch took more than 150 s"), at: scene.now)
        scene.listing[allocation.number] = ("RUNNING", "None")
        scene.look()
        #expect(scene.allocation(allocation.number)?.job?.id == "\(100 + allocation.number)")
        #expect(scene.allocation(allocation.number)?.state == .running)
    }

    @Test("a submission that was broken off with its process is found by its name, or was none and is no failure")
    func brokenOff() throws {
        for isListed in [true, false] {
            var scene = Scene()
            scene.settings.backlog = 1
            let actions = scene.state.step(scene.settings, jobs: [], demand: scene.demand, at: scene.now)
            guard case .submit(let allocation)? = actions.first else { throw Trouble() }
            let event = scene.state.submitted(allocation.number, .brokenOff, at: scene.now)
            #expect(event?.text.contains("broken off") == true)
            #expect(scene.allocation(1)?.state == .submitting)
            scene.demand?.waiting = 0
            if isListed { scene.listing[1] = ("RUNNING", "None") }
            for _ in 0..<4 { scene.look() }
            #expect(scene.allocation(1)?.state == (isListed ? .running : nil))
            #expect(scene.state.failuresInRow == 0)
        }
    }

    @Test("what a queue without a file left behind is named with the commands that end it, until it has ended")
    func withoutFile() {
        var scene = Scene()
        scene.settings.maxWorkers = 2
        let settings = scene.settings
        scene.look()
        scene.begin(1)
        scene.listing[2] = ("PENDING", "Priority")
        scene.look()
        func job(_ number: Int, _ state: String) -> EngineJob {
            EngineJob(
                id: "\(100 + number)", cluster: number == 2 ? "north" : nil, state: state, reason: "None",
                name: settings.name(of: number))
        }
        #expect(scene.state.prefix == settings.prefix)
        _ = scene.state.stepWithoutFile(jobs: [job(1, "RUNNING"), job(2, "PENDING")], at: scene.now + 10)
        let words = scene.state.wordsWithoutFile ?? ""
        #expect(words.contains("scancel 101") && words.contains("scancel -M north 102"), "\(words)")
        #expect(scene.state.clusters == ["north"])
        let last = scene.state.stepWithoutFile(jobs: [job(1, "COMPLETED"), job(2, "CANCELLED")], at: scene.now + 20)
        #expect(last.contains(.forget) && scene.state.wordsWithoutFile == nil)
    }

    @Test("jobs of the queue that its file does not know are taken up, and their numbers not given again")
    func adopted() {
        var scene = Scene()
        scene.listing[7] = ("RUNNING", "None")
        scene.look()
        #expect(scene.allocation(7)?.state == .running)
        #expect(scene.state.allocations.map(\.number).filter { $0 != 7 }.allSatisfy { $0 > 7 })
    }

    @Test("a removed queue takes back what waits, lets workers finish, ends those that do not, and is forgotten")
    func removal() {
        var scene = Scene()
        scene.look()
        scene.begin(1, finished: 1)
        scene.look()
        scene.settings.isRemoved = true
        let actions = scene.look()
        #expect(actions.contains { if case .drain(let those) = $0 { those.map(\.number) == [1] } else { false } })
        #expect(actions.contains { if case .cancel(let those) = $0 { those.map(\.number).contains(2) } else { false } })
        #expect(!actions.contains(.forget))
        var wasCancelled = false
        for _ in 0..<20 {
            for case .cancel(let those) in scene.look() {
                wasCancelled = wasCancelled || those.contains { $0.number == 1 }
            }
        }
        #expect(wasCancelled, "a worker that does not end is not waited for for ever")
        scene.demand?.workers = []
        for number in scene.listing.keys { scene.listing[number] = ("CANCELLED", "None") }
        #expect(scene.look().contains(.forget))
    }

    @Test("lost machines are no failure of the queue, and are replaced")
    func lostMachine() {
        var scene = Scene()
        scene.settings.backlog = 1
        scene.look()
        scene.listing[1] = ("NODE_FAIL", "None")
        scene.look()
        #expect(scene.state.failuresInRow == 0)
        #expect(scene.submitted == 1, "not in the same breath")
        scene.look()
        #expect(scene.submitted == 2)
    }

    @Test("ends that are nobody's fault make each next try later", arguments: ["CANCELLED", "NODE_FAIL", "PREEMPTED"])
    func laterAndLater(word: String) {
        var scene = Scene()
        scene.settings.backlog = 1
        for _ in 0..<60 {
            scene.look()
            for (number, job) in scene.listing where job.state == "PENDING" { scene.listing[number] = (word, "None") }
        }
        #expect(scene.state.failuresInRow == 0)
        #expect(scene.submitted <= 9, "ten minutes of looks every ten seconds")
    }

    @Test("a clock that was wrong holds nothing up")
    func wrongClock() {
        var scene = Scene()
        scene.now += 30 * 86_400
        scene.look(refusal: "busy")
        scene.now -= 30 * 86_400
        scene.look()
        #expect(scene.submitted > 2)
    }

    @Test("jobs with numbers that nobody gave are left alone, and so are workers whose names only look alike")
    func lookalikes() {
        var scene = Scene()
        scene.demand?.waiting = 0
        let name = scene.settings.name(of: .max)
        let job = EngineJob(id: "7", state: "RUNNING", reason: "None", name: name)
        scene.now += 10
        _ = scene.state.step(scene.settings, jobs: [job], demand: scene.demand, at: scene.now)
        #expect(scene.state.allocations.isEmpty)
        #expect(!QueueState.isWorker(scene.settings.name(of: 1) + "-mine", of: scene.settings.name(of: 1)))
        #expect(QueueState.isWorker(scene.settings.name(of: 1) + "-2", of: scene.settings.name(of: 1)))
    }

    @Test("only what the engine lists under its name is ended with its queue")
    func removalByName() {
        var scene = Scene()
        scene.look()
        scene.listing = [:]
        scene.settings.isRemoved = true
        let actions = scene.look()
        #expect(!actions.contains { if case .cancel = $0 { true } else { false } })
    }

    @Test("of ended allocations the last are remembered")
    func memory() {
        var scene = Scene()
        scene.settings.backlog = 1
        for number in 1...80 {
            scene.look()
            scene.begin(number, finished: 1)
            scene.look()
            scene.demand?.workers = []
            scene.listing = [:]
            for _ in 0..<6 where scene.allocation(number)?.isLive == true { scene.look(refusal: "wait") }
        }
        #expect(scene.state.allocations.count <= QueueState.remembered + 2)
    }

    private struct Trouble: Error {}
}
