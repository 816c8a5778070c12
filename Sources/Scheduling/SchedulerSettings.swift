/// The times and limits that the scheduler judges by.
public struct SchedulerSettings: Sendable, Hashable {
    /// How often a worker says that it lives.
    public var heartbeat: Duration
    /// After how many silent heartbeat intervals a worker counts as lost.
    public var missedHeartbeats: Int
    /// How long an attempt may go without progress.
    public var lease: Duration
    /// How many lost workers or expired leases one job may cost before it is given up, where its batch does not say.
    public var lossLimit: Int
    /// After how many failures in a row, on different jobs, a worker itself is under suspicion and rests.
    public var failuresBeforeRest = 5
    /// How long a worker on which everything fails rests at first; each further failure doubles it, up to 64-fold.
    public var rest: Duration = .seconds(5)
    /// How long a worker that cannot run a batch gets no jobs of it at first; each time that it still cannot, twice as long.
    public var unfitness: Duration = .seconds(5)
    /// Longest time that a worker gets no jobs of a batch that it cannot run.
    public var longestUnfitness: Duration = .seconds(300)
    /// How long a lost worker is remembered.
    public var memory: Duration = .seconds(3600)
    /// How often running attempts are looked at for those that take too long.
    public var patrol: Duration = .seconds(1)

    /// Heartbeats every 5 s, lost after 3, leases of 60 s and at most 5 losses unless told otherwise.
    public init(
        heartbeat: Duration = .seconds(5), missedHeartbeats: Int = 3, lease: Duration = .seconds(60), lossLimit: Int = 5
    ) {
        self.heartbeat = heartbeat
        self.missedHeartbeats = missedHeartbeats
        self.lease = lease
        self.lossLimit = lossLimit
    }

    /// How long a worker may be silent.
    var silence: Duration { heartbeat * missedHeartbeats }
}
