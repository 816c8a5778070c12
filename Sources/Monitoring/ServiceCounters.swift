/// What a coordinator counts from its start on. Its own thread keeps it; others see copies.
public struct ServiceCounters: Sendable {
    /// One of the two ports.
    public struct Traffic: Sendable {
        /// Messages and bytes that came in.
        public var received: (messages: UInt64, bytes: UInt64) = (0, 0)
        /// Messages and bytes that went out.
        public var sent: (messages: UInt64, bytes: UInt64) = (0, 0)
        /// Connections taken, ended, and refused in the hand-shake.
        public var connections: (accepted: Int, ended: Int, refused: Int) = (0, 0, 0)

        /// Nothing yet.
        public init() {}
    }

    /// Attempts that began.
    public var attempts: UInt64 = 0
    /// Jobs that ended, by outcome: `succeeded`, `failed`, `quarantined`, `cancelled`.
    public var ended: [String: UInt64] = ["succeeded": 0, "failed": 0, "quarantined": 0, "cancelled": 0]
    /// Attempts that ended without a result; the job waits again.
    public var requeued: UInt64 = 0
    /// Leases that ran out while their worker was connected, whether the job waits again or is given up.
    public var leaseExpiries: UInt64 = 0
    /// Workers that fell silent.
    public var workersLost: UInt64 = 0
    /// Workers that joined, each return included.
    public var workersJoined: UInt64 = 0
    /// Reported rows whose attempt no longer counted.
    public var staleRows: UInt64 = 0
    /// Bytes of reported shards.
    public var resultBytes: UInt64 = 0
    /// Messages that were not understood.
    public var malformed: UInt64 = 0
    /// Messages thrown away unread because their sender's key does not count.
    public var unauthorised: UInt64 = 0
    /// From acceptance of a batch to each assignment.
    public var queueWait = Histogram(bounds: [0.01, 0.1, 1, 10, 60, 600, 3_600, 21_600, 86_400])
    /// Work on each job, as its worker measured it.
    public var jobTime = Histogram(bounds: [0.001, 0.01, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 300])
    /// Time that each group of changes took to become durable.
    public var commitTime = Histogram(bounds: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1, 5])
    /// Traffic by port: `workers`, `clients`.
    public var traffic: [String: Traffic] = ["workers": Traffic(), "clients": Traffic()]

    /// Nothing yet.
    public init() {}
}
