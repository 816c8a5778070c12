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

    /// Whether its numbers are such that a queue can be added with.
    var isPlausible: Bool {
        (60...1e9).contains(timeLimit) && (1..<timeLimit).contains(notice) && (0...1e9).contains(idleTimeout)
            && (1...1024).contains(workersPerAllocation) && (1...4096).contains(capacity)
            && (1...1000).contains(backlog) && (workersPerAllocation...100_000).contains(maxWorkers)
    }

    /// Whether a name is one that a queue may have: 1 to 32 letters, digits and hyphens.
    public static func isName(_ name: String) -> Bool {
        (1...32).contains(name.count) && name.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-") }
    }

    /// How the names of its jobs and workers begin.
    public var prefix: String { "winnow-\(name)-\(token)-" }

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
