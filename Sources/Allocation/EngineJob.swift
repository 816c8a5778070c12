internal import Foundation

/// A job as the batch engine lists it.
public struct EngineJob: Sendable, Hashable {
    /// Its number.
    public var id: String
    /// The cluster that lists it; nil for the one that commands talk to.
    public var cluster: String?
    /// The engine's word for its state, such as `PENDING`.
    public var state: String
    /// Why it is in that state, in the engine's words.
    public var reason: String
    /// Its name.
    public var name: String

    /// A job of a listing.
    public init(id: String, cluster: String? = nil, state: String, reason: String, name: String) {
        self.id = id
        self.cluster = cluster
        self.state = state
        self.reason = reason
        self.name = name
    }
}

extension EngineJob {
    /// What Slurm's word for a state says about an allocation (squeue(1), "JOB STATE CODES").
    package enum Meaning: Hashable {
        case live(Allocation.State)
        case over(Allocation.End)
    }

    /// What the word says.
    package var meaning: Meaning {
        // A newer Slurm appends flags, as in `RUNNING+SIGNALING`.
        let word = state.split(separator: "+").first.map(String.init) ?? ""
        return switch word {
        case "PENDING", "CONFIGURING", "REQUEUED", "REQUEUE_FED", "REQUEUE_HOLD", "RESV_DEL_HOLD", "SPECIAL_EXIT":
            .live(.queued)
        case "RUNNING", "COMPLETING", "SIGNALING", "RESIZING", "STAGE_OUT": .live(.running)
        case "SUSPENDED", "STOPPED": .live(.suspended)
        case "COMPLETED": .over(.completed)
        case "TIMEOUT": .over(.timeLimit)
        case "CANCELLED", "REVOKED": .over(.cancelled)
        case "NODE_FAIL", "PREEMPTED": .over(.machineLost)
        case "FAILED", "BOOT_FAIL", "DEADLINE", "OUT_OF_MEMORY": .over(.failed("the engine says \(why)"))
        default: .live(.unknown)
        }
    }

    /// The job with what its own log says last, where it failed.
    public func explained(byLog folder: String) -> EngineJob {
        let path = "\(folder)/\(name).out"
        guard state.hasPrefix("FAILED"), let file = FileHandle(forReadingAtPath: path) else { return self }
        defer { try? file.close() }
        let size = (try? file.seekToEnd()) ?? 0
        try? file.seek(toOffset: size - min(size, 4096))
        let text = (try? file.readToEnd()).map { String(decoding: $0, as: UTF8.self) } ?? ""
        guard let line = text.split(whereSeparator: \.isNewline).last else { return self }
        var job = self
        job.reason = "\(reason): \(line.prefix(300)); see \(path)"
        return job
    }

    /// The number with the cluster.
    var number: JobNumber { JobNumber(id: id, cluster: cluster) }

    /// The state with its reason where there is one.
    var why: String { reason.isEmpty || reason == "None" ? state : "\(state) (\(reason))" }

    /// Whether it waits for something that will not come: sites whose limits are not enforced at submission let such jobs wait
    /// for ever.
    var waitsInVain: Bool {
        meaning == .live(.queued) && Self.permanentReasons.contains(reason)
    }

    private static let permanentReasons: Set<String> = [
        "PartitionTimeLimit", "PartitionNodeLimit", "PartitionConfig", "BadConstraints", "InvalidAccount",
        "InvalidQOS", "AccountNotAllowed", "QOSNotAllowed", "AssocMaxWallDurationPerJobLimit",
        "QOSMaxWallDurationPerJobLimit", "AssocMaxCpuPerJobLimit", "AssocMaxNodePerJobLimit", "AssocMaxMemPerJob",
        "QOSMaxCpuPerJobLimit", "QOSMaxNodePerJobLimit", "QOSMaxMemoryPerJob", "DependencyNeverSatisfied",
        "launch failed requeued held", "launch_failed_requeued_held",
    ]
}
