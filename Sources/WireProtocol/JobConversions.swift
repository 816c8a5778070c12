public import JobModel

extension WireLease {
    /// A lease as it travels.
    public init(_ lease: Lease, progress: UInt64 = 0, isComputed: Bool = false) {
        self.init(
            job: lease.job.rawValue, epoch: lease.epoch.rawValue, progress: progress, isComputed: isComputed)
    }

    /// The lease, without its progress.
    public var lease: Lease { Lease(job: JobID(job), epoch: Epoch(epoch)) }

    /// The lease with its progress.
    public var heldLease: HeldLease { HeldLease(lease, progress: progress, isComputed: isComputed) }
}

extension WireSummary {
    /// A summary as it travels.
    public init(_ summary: JobSummary) {
        self.init()
        answer = summary.answer
        visualTokens = summary.visualTokens
        seconds = summary.seconds
    }

    /// The summary.
    public var jobSummary: JobSummary { JobSummary(answer: answer, visualTokens: visualTokens, seconds: seconds) }
}

extension WireErrorClass {
    /// A class as it travels.
    public init(_ errorClass: ErrorClass) { self = WireErrorClass(rawValue: errorClass.rawValue) ?? .other }

    /// The class; one that this version does not know counts as none of the others.
    public var errorClass: ErrorClass { ErrorClass(rawValue: rawValue) ?? .other }
}

extension Set<ErrorClass> {
    /// A bit for each class.
    public var mask: UInt32 { reduce(0) { $0 | 1 << UInt32($1.rawValue) } }

    /// The classes whose bits are set.
    public init(mask: UInt32) { self = Set(ErrorClass.allCases.filter { mask & 1 << UInt32($0.rawValue) != 0 }) }
}
