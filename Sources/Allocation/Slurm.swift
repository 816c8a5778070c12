private import Glibc

/// Slurm, by its own commands: `sbatch`, `squeue` and `scancel`.
///
/// Commands may take minutes when the controller is away (`sbatch` waits 120 s in a full queue), so whoever calls must not
/// be waited for; they are killed when this process is to end. A job is known by its name: numbers are given out again after a
/// loss of the controller's memory, and an `sbatch` that was killed may have submitted its job.
public struct Slurm: Sendable {
    /// Seconds that a question may take: a client that finds no controller gives up after 9.
    private static let patience = 30.0
    /// Seconds that a submission may take.
    private static let submissionPatience = 150.0
    /// Most numbers in one command.
    static let numbersPerCommand = 50

    /// Whether to wait for commands, and to start others.
    private let goesOn: @Sendable () -> Bool

    /// Slurm as the PATH and `SLURM_CONF` lead to it.
    ///
    /// - Parameter goesOn: Whether this process goes on; if not, commands that run are killed and no others are started.
    public init(goesOn: @escaping @Sendable () -> Bool = { true }) { self.goesOn = goesOn }

    /// Options of `sbatch` that a queue sets itself, with the option of the queue to use instead.
    public static let ownOptions: [(option: String, instead: String)] = [
        ("--time", "--time-limit"), ("-t", "--time-limit"), ("--job-name", "--name"), ("-J", "--name"),
        ("--signal", "--notice"), ("--array", "--backlog"), ("-a", "--backlog"), ("--wrap", "--worker-options"),
        ("--parsable", "nothing"), ("--wait", "nothing"), ("-W", "nothing"), ("--test-only", "--dry-run"),
        ("--requeue", "nothing"), ("--no-requeue", "nothing"), ("--time-min", "nothing"), ("--nodes", "nothing"),
        ("-N", "nothing"),
    ]

    /// The options of `sbatch` for an allocation.
    ///
    /// - Parameter logs: The folder of what its workers say, where the user's options name none.
    public static func options(_ settings: QueueSettings, name: String, logs: String) -> [String] {
        [
            "--parsable", "--job-name=\(name)", "--time=\(clock(settings.timeLimit))",
            "--signal=B:USR1@\(Int(settings.notice.rounded(.up)))", "--no-requeue", "--output=\(logs)/%x.out",
        ] + settings.engineOptions
    }

    /// Seconds as `hours:minutes:seconds`.
    private static func clock(_ seconds: Double) -> String {
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        let whole = Int(seconds.rounded(.up))
        return "\(whole / 3600):\(two(whole / 60 % 60)):\(two(whole % 60))"
    }

    /// Asks for an allocation.
    public func submit(_ allocation: Allocation, _ settings: QueueSettings, logs: String) -> QueueState.Answer {
        let result: CommandTool.Result
        do {
            result = try run(
                "sbatch", Self.options(settings, name: allocation.name, logs: logs),
                input: BatchScript(settings, name: allocation.name).text, patience: Self.submissionPatience)
        } catch {
            return .notNow("sbatch cannot be started: \(error)")
        }
        let complaint = result.complaint(of: "sbatch")
        switch result.end {
        case .exited(0): break
        case .exited:
            if Self.isAway(result.words) { return .notNow(complaint) }
            // If the connection broke, nobody knows whether the job arrived before.
            let isLost = result.words.contains("timed out") || result.words.contains("Zero Bytes were transmitted")
            return isLost ? .unknown(complaint) : .refused(complaint)
        // A terminal and systemd signal the end to every process of a service, this one and sbatch.
        case .brokenOff, .signalled(SIGINT), .signalled(SIGTERM), .signalled(SIGHUP): return .brokenOff
        case .signalled, .late: return .unknown(complaint)
        }
        let parts = result.output.split(whereSeparator: \.isNewline).last?.split(separator: ";").map(String.init) ?? []
        guard let id = parts.first, id.allSatisfy({ $0.isASCII && $0.isNumber }) else {
            return .unknown("sbatch printed '\(result.words)' rather than a job's number")
        }
        return .accepted(JobNumber(id: id, cluster: parts.count > 1 ? parts[1] : nil))
    }

    /// Whether Slurm's words say that its controller was not reached, so that nothing came of a request.
    private static func isAway(_ words: String) -> Bool {
        words.contains("Unable to contact slurm controller") || words.contains("Resource temporarily unavailable")
    }

    /// Why Slurm would not take an allocation, in its own words; nil if it would. Nothing is submitted.
    public func refusal(_ settings: QueueSettings, logs: String) throws -> String? {
        let result = try run(
            "sbatch", ["--test-only"] + Self.options(settings, name: settings.name(of: 0), logs: logs),
            input: BatchScript(settings, name: settings.name(of: 0)).text, patience: Self.submissionPatience)
        return result.isSuccess ? nil : result.complaint(of: "sbatch")
    }

    /// The jobs of this user on a cluster; nil stands for the one that commands talk to.
    public func jobs(on cluster: String?) -> EngineListings.Answer {
        let options =
            ["-h", "-a", "-t", "all", "-u", "\(getuid())", "-o", Self.listingForm] + (cluster.map { ["-M", $0] } ?? [])
        guard let result = try? run("squeue", options, patience: Self.patience) else {
            return EngineListings.Answer(jobs: nil, words: "squeue cannot be started")
        }
        guard result.isSuccess else {
            return EngineListings.Answer(jobs: nil, words: result.complaint(of: "squeue"))
        }
        guard let jobs = Self.jobs(in: result.output, cluster: cluster) else {
            return EngineListings.Answer(jobs: nil, words: "squeue prints no list: \(result.output.prefix(200))")
        }
        return EngineListings.Answer(jobs: jobs)
    }

    /// Number, state, reason and name; users choose names, so those come last.
    private static let listingForm = "%i|%T|%r|%j"

    /// The jobs of a listing; lines that are no job, such as the name of a cluster or the rest of a job's name, are left out. nil if
    /// there is no other line, such as an error in the place of a listing: jobs that it does not name would count as gone.
    package static func jobs(in listing: String, cluster: String? = nil) -> [EngineJob]? {
        var jobs: [EngineJob] = [], hasOther = false
        for line in listing.split(whereSeparator: \.isNewline) where !line.hasPrefix("CLUSTER:") {
            let parts = line.split(separator: "|", maxSplits: 3, omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 4 else {
                hasOther = true
                continue
            }
            jobs.append(
                EngineJob(id: parts[0], cluster: cluster, state: parts[1], reason: parts[2], name: parts[3]))
        }
        return jobs.isEmpty && hasOther ? nil : jobs
    }

    /// Ends jobs at once. Returns Slurm's complaints; empty if it had none.
    public func cancel(_ allocations: [Allocation]) -> String { scancel(allocations, options: []) }

    /// Takes jobs back that still wait in line.
    public func takeBack(_ allocations: [Allocation]) -> String { scancel(allocations, options: ["--state=PENDING"]) }

    /// A command that ends jobs, for a user to type.
    static func cancelCommand(_ cluster: String?, _ numbers: [String]) -> String {
        (["scancel"] + (cluster.map { ["-M", $0] } ?? []) + numbers).joined(separator: " ")
    }

    /// Tells the workers of running jobs to finish and end.
    public func drain(_ allocations: [Allocation]) -> String { scancel(allocations, options: ["-b", "-s", "USR1"]) }

    private func scancel(_ allocations: [Allocation], options: [String]) -> String {
        var complaints: [String] = []
        for (cluster, members) in Dictionary(grouping: allocations.compactMap(\.job), by: \.cluster) {
            for numbers in Self.pieces(members.map(\.id)) {
                let command = options + (cluster.map { ["-M", $0] } ?? []) + numbers
                let result = try? run("scancel", command, patience: Self.patience)
                if result?.isSuccess != true {
                    complaints.append(result?.complaint(of: "scancel") ?? "scancel cannot be started")
                }
            }
        }
        return complaints.joined(separator: "; ")
    }

    private func run(
        _ program: String, _ arguments: [String], input: String = "", patience: Double
    ) throws -> CommandTool.Result {
        try CommandTool.run(program, arguments, input: input, patience: patience, goesOn: goesOn)
    }

    /// Numbers in commands of a sane length.
    package static func pieces(_ numbers: [String]) -> [[String]] {
        stride(from: 0, to: numbers.count, by: numbersPerCommand).map {
            Array(numbers[$0..<min($0 + numbersPerCommand, numbers.count)])
        }
    }
}
