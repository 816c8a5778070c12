import TestSupport

/// Everything that goes wrong in one run.
struct ChaosPlan: CustomStringConvertible, Sendable {
    enum Event: Sendable {
        case killWorker(Int)
        case stopWorker(Int, milliseconds: Int)
        case killCoordinator(downMilliseconds: Int)
        case stopCoordinator(milliseconds: Int)
        case stall(Int, [ChaosProxy.Direction], milliseconds: Int)
        case cut(Int)
    }

    struct Step: Sendable {
        /// From the submission.
        var milliseconds: Int
        var event: Event
    }

    static let workers = 3

    var seed: UInt64 = 1
    var jobs = 120
    /// What a job takes.
    var jobMilliseconds = 40
    var sealRows = 8
    /// Whether nothing of it is a reason to take a job from its worker.
    var mustNotLose = false
    /// What the messages of each worker suffer.
    var mischief = [ChaosProxy.Mischief](repeating: ChaosProxy.Mischief(), count: workers)
    /// Failpoints of the first process of each worker, and of the coordinator.
    var workerFailpoints = [String](repeating: "", count: workers)
    var coordinatorFailpoints = ""
    var steps: [Step] = []
    /// Jobs that kill whoever runs them.
    var poison = 0

    /// Nothing goes wrong.
    init() {}

    private static let workerPlaces = [
        "runner.step=kill@%", "shard.written=kill@%", "shard.closed=kill@%", "shard.published=kill@%",
        "link.reported=kill:30@%", "link.answered=kill@%", "shard.write=error:ENOSPC@%+", "shard.sync=error:EIO@%",
        "shard.publish=error:EROFS@%+", "runner.step=sleep:2500@%", "runner.step=stop@%",
    ]
    private static let coordinatorPlaces = [
        "store.commit=kill@%", "store.committed=kill@%", "store.commit=sleep:700@%",
    ]

    /// Whatever follows from the seed goes wrong.
    init(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        func number(_ range: ClosedRange<Int>) -> Int { .random(in: range, using: &random) }
        func happens(_ percent: Int) -> Bool { number(1...100) <= percent }
        func place(_ places: [String]) -> String {
            places[number(0...places.count - 1)].replacing("%", with: "\(number(1...12))")
        }
        self.seed = seed
        jobs = number(120...240)
        jobMilliseconds = number(20...90)
        sealRows = number(1...16)
        poison = happens(15) ? 1 : 0
        mischief = (0..<Self.workers).map { _ in
            ChaosProxy.Mischief(
                duplicate: happens(60) ? Double(number(1...30)) / 100 : 0,
                swap: happens(60) ? Double(number(1...30)) / 100 : 0,
                delay: happens(40) ? 0...number(1...200) : 0...0)
        }
        workerFailpoints = (0..<Self.workers).map { _ in happens(60) ? place(Self.workerPlaces) : "" }
        coordinatorFailpoints = happens(50) ? place(Self.coordinatorPlaces) : ""
        steps = (0..<number(2...5)).map { _ in
            let worker = number(0...Self.workers - 1), duration = number(100...3000)
            let event: Event =
                switch number(1...10) {
                case 1...2: .killWorker(worker)
                case 3...4: .stopWorker(worker, milliseconds: duration)
                case 5: .killCoordinator(downMilliseconds: duration / 2)
                case 6: .stopCoordinator(milliseconds: duration / 2)
                case 7: .cut(worker)
                case 8: .stall(worker, [.toWorker], milliseconds: duration)
                case 9: .stall(worker, [.toCoordinator], milliseconds: duration)
                default: .stall(worker, ChaosProxy.Direction.allCases, milliseconds: duration)
                }
            return Step(milliseconds: number(50...2500), event: event)
        }.sorted { $0.milliseconds < $1.milliseconds }
    }

    var description: String {
        """
        seed \(seed): \(jobs) jobs of \(jobMilliseconds) ms, shards of \(sealRows), \(poison) poisonous; \
        coordinator [\(coordinatorFailpoints)], workers \(workerFailpoints); \
        \(mischief.map { "duplicate \($0.duplicate) swap \($0.swap) delay \($0.delay.upperBound)" }); \
        \(steps.map { "\($0.milliseconds): \($0.event)" }.joined(separator: ", "))
        """
    }
}
