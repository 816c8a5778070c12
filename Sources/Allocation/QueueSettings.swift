/// What an allocation queue was told to do: which machines to ask the batch engine for, and for how long.
public struct QueueSettings: Codable, Sendable, Hashable {
    /// Its name, which is also part of the names of its jobs and workers.
    public var name: String
    /// Letters that tell its jobs from those of another queue of the same name.
    public var token: String
    /// How long an allocation may run, in seconds.
    public var timeLimit: Double
    /// How many seconds before an allocation's end its workers are told to finish.
    public var notice: Double
    /// Workers that an allocation starts.
    public var workersPerAllocation: Int
    /// Jobs that one of its workers runs at a time.
    public var capacity: Int
    /// Most allocations that wait in the engine's line at a time.
    public var backlog: Int
    /// Most workers at a time.
    public var maxWorkers: Int
    /// How long a worker may be without a job before it ends, in seconds.
    public var idleTimeout: Double
    /// Where its workers connect.
    public var endpoint: String
    /// The path of the program, as the machines of the engine know it.
    public var program: String
    /// Further options of `winnow worker`.
    public var workerOptions: [String]
    /// Options of the engine's own submission command.
    public var engineOptions: [String]
    /// Whether its user paused it.
    public var isPaused = false
    /// How often its user let it go on, which ends a pause that the queue itself began before.
    public var resumeCount = 0
    /// Whether its user removed it: it ends its allocations and is then forgotten.
    public var isRemoved = false

    /// A queue with what its user chose.
    public init(
        name: String, token: String, timeLimit: Double, notice: Double, workersPerAllocation: Int, capacity: Int,
        backlog: Int, maxWorkers: Int, idleTimeout: Double, endpoint: String, program: String,
        workerOptions: [String], engineOptions: [String]
    ) {
        self.name = name
        self.token = token
        self.timeLimit = timeLimit
        self.notice = notice
        self.workersPerAllocation = workersPerAllocation
        self.capacity = capacity
        self.backlog = backlog
        self.maxWorkers = maxWorkers
        self.idleTimeout = idleTimeout
        self.endpoint = endpoint
        self.program = program
        self.workerOptions = workerOptions
        self.engineOptions = engineOptions
    }

    /// What one of its numbers may be, and the option of `winnow alloc add` that sets it.
    private struct Bound {
        let option: String
        let value, least, most: Double
        /// How the least and the most are said; nil if the numbers say it.
        var words: String?

        /// That the number is out of bounds, and what it may be; nil if it is not.
        var flaw: String? {
            guard !(value >= least && value <= most) else { return nil }
            return "\(option) must be \(words ?? "from \(Int(least)) to \(Int(most))")"
        }
    }

    private var bounds: [Bound] {
        [
            Bound(option: "--workers-per-allocation", value: Double(workersPerAllocation), least: 1, most: 1024),
            Bound(option: "--backlog", value: Double(backlog), least: 1, most: 1000),
            Bound(
                option: "--max-workers", value: Double(maxWorkers), least: Double(workersPerAllocation), most: 100_000,
                words: "from \(workersPerAllocation), one allocation's, to 100000"),
            Bound(
                option: "--time-limit", value: timeLimit, least: 60, most: 1e9,
                words: "from a minute to a billion seconds, with its unit: 60s, 30m, 4h"),
            Bound(
                option: "--notice", value: notice, least: 1, most: timeLimit.nextDown,
                words: "from a second to less than the time limit"),
            Bound(
                option: "--idle-timeout", value: idleTimeout, least: 0, most: 1e9, words: "at most a billion seconds"),
            Bound(option: "--capacity in --worker-options", value: Double(capacity), least: 1, most: 4096),
        ]
    }

    /// Which of its numbers no queue can have, and what it may be; nil if all are in bounds.
    public var flaw: String? { bounds.lazy.compactMap(\.flaw).first }

    /// Whether a name is one that a queue may have: 1 to 32 letters, digits and hyphens.
    public static func isName(_ name: String) -> Bool {
        (1...32).contains(name.count) && name.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-") }
    }

    /// How the names of its jobs and workers begin.
    public var prefix: String { Self.prefix(name, token: token) }

    /// How the names of the jobs and workers of a queue begin.
    static func prefix(_ name: String, token: String) -> String { "winnow-\(name)-\(token)-" }

    /// The name of one of its allocations.
    public func name(of number: Int) -> String { prefix + "\(number)" }

    /// The clusters that its options of the engine name, besides which there is the usual one.
    public var clusters: Set<String> {
        var names: [Substring] = []
        for (index, word) in engineOptions.enumerated() {
            if word.hasPrefix("--clusters=") { names += word.dropFirst(11).split(separator: ",") }
            if word == "--clusters" || word == "-M", index + 1 < engineOptions.count {
                names += engineOptions[index + 1].split(separator: ",")
            } else if word.hasPrefix("-M"), word.count > 2 {
                names += word.dropFirst(2).split(separator: ",")
            }
        }
        return Set(names.map(String.init))
    }

    /// How long a worker of an allocation takes jobs, in seconds: until it is told to finish.
    public var lifetime: Double { max(1, timeLimit - notice) }
}
