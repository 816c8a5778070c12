public import Foundation
public import JobModel
public import ZeroMQ

/// What a worker may use of its machine, for the coordinator to show.
public struct WorkerResources: Sendable, Hashable {
    /// Threads that it computes with.
    public var threads: Int
    /// Memory that it may use, in bytes; nil if that is not known.
    public var memoryBytes: Int?

    /// What a worker may use; without figures, nothing is said.
    public init(threads: Int = 0, memoryBytes: Int? = nil) {
        self.threads = threads
        self.memoryBytes = memoryBytes
    }
}

/// What a worker must know before it starts.
public struct WorkerConfiguration: Sendable {
    /// Limits at which the rows of a batch become a shard; the first one reached counts.
    public struct Sealing: Sendable {
        /// Rows of the shard.
        public var rows = 1_024
        /// Bytes of the columns.
        public var bytes = 64 << 20
        /// Time after the first row.
        public var age: Duration = .seconds(10)
        /// Time without any job of the batch left in the worker, so that a small batch ends promptly.
        public var idle: Duration = .milliseconds(250)
        /// Whether there are files at all; without them rows are reported as if there were, to measure the queue alone.
        public var writesShards = true

        /// The documented defaults.
        public init() {}
    }

    /// Where the coordinator listens, such as `tcp://127.0.0.1:5599`.
    public var endpoint: String
    /// How the connection is protected: by a worker's key and the coordinator's, except on loopback.
    public var security = SocketSecurity.none
    /// The stable name of this worker: the same after a restart.
    public var name: WorkerName
    /// What it tells the coordinator that it may use of its machine.
    public var resources = WorkerResources()
    /// This start of the process.
    public var session: SessionID
    /// Jobs held beyond those that run, so that their pictures can be decoded ahead.
    public var prefetch = 2
    /// When results are written.
    public var sealing = Sealing()
    /// Rows that may wait for the coordinator's answer; beyond that no more jobs are taken.
    public var unansweredRows = 8_192
    /// Where reports wait for their answers; nil keeps them in memory only. The same after a restart.
    public var spool: URL?
    /// How long a connection may stay without an answer to the first message.
    public var welcomePatience: Duration = .seconds(10)
    /// How long a worker that stops waits for a coordinator that does not answer.
    public var farewellPatience: Duration = .seconds(30)
    /// How long a worker may be without a job before it ends; nil for any time.
    public var idleTimeout: Duration?
    /// How long a worker runs before it takes no more jobs and ends; nil for any time. The coordinator is told, and gives it
    /// no job that would take longer than what is left by the median of its batch.
    public var lifetime: Duration?
    /// How long no coordinator may be there before the worker ends with an error; nil for any time.
    public var coordinatorTimeout: Duration?
    /// How long running jobs may take after the worker was asked to end, before they are handed back; nil for any time.
    public var grace: Duration?
    /// First pause before a new connection after the coordinator fell silent; it doubles.
    public var reconnectPause: Duration = .milliseconds(500)
    /// Longest pause before a new connection.
    public var longestReconnectPause: Duration = .seconds(32)

    /// A configuration with the documented defaults; without a session it makes up a new one.
    public init(endpoint: String, name: WorkerName, session: SessionID? = nil) {
        self.endpoint = endpoint
        self.name = name
        self.session = session ?? SessionID(UUID().uuidString)
    }
}
