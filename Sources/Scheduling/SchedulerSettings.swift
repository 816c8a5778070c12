/// The times and limits that the scheduler judges by.
public struct SchedulerSettings: Sendable, Hashable {
    /// How often a worker says that it lives.
    public var heartbeat: Duration
    /// After how many silent heartbeat intervals a worker counts as lost.
    public var missedHeartbeats: Int
    /// How long an attempt may go without progress.
    public var lease: Duration
    /// How many lost workers or expired leases one job may cost before it is given up.
    public var lossLimit: Int

    /// Heartbeats every 5 s, lost after 3, leases of 60 s and at most 5 losses unless told otherwise.
    public init(
        heartbeat: Duration = .seconds(5), missedHeartbeats: Int = 3, lease: Duration = .seconds(60), lossLimit: Int = 5
    ) {
        self.heartbeat = heartbeat
        self.missedHeartbeats = missedHeartbeats
        self.lease = lease
        self.lossLimit = lossLimit
    }

    /// After how many losses a job is a suspect and runs by itself, so that the last losses are its own doing.
    var suspectAfter: Int { max(1, lossLimit - 2) }

    /// How long a worker may be silent.
    var silence: Duration { heartbeat * missedHeartbeats }
}
