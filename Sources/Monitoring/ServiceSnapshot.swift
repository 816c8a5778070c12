/// The state of a coordinator at one moment, for the status page and metrics.
public struct ServiceSnapshot: Sendable {
    /// Whether changes can be made durable.
    public enum StoreHealth: Sendable, Hashable {
        /// Changes can be made durable.
        case healthy
        /// Changes cannot be made durable, for this reason; nothing is acknowledged meanwhile.
        case failing(String)
    }

    /// A batch.
    public struct Batch: Sendable, Encodable {
        /// Its id, its state, and its results folder.
        public var batch, state, results: String
        /// Jobs in each state, by the state's name; a running job is one that a worker holds.
        public var jobs: [String: UInt64]
        /// Of the running jobs, answers that wait to be written.
        public var answered: UInt64 = 0
        /// Seconds since it was complete, up to its end.
        public var elapsedSeconds: Double
        /// Jobs that end in a second, lately.
        public var jobsPerSecond: Double
        /// How long the rest may take; nil if nothing has ended lately.
        public var secondsLeft: Double?
        /// Whether its jobs are held back.
        public var isPaused = false
        /// Why none of its jobs can run at present; empty if some can.
        public var trouble = ""
        /// The reduction as one reads it, such as `ficoco-v, 64 tokens`.
        public var method: String
        /// The text of a batch file with every default; made only for a page about this batch.
        public var parameters: @Sendable () -> String = { "" }

        private enum CodingKeys: CodingKey {
            case batch, state, results, jobs, answered, elapsedSeconds, jobsPerSecond, secondsLeft, isPaused, trouble,
                method
        }

        /// A batch without jobs.
        public init(batch: String, state: String, method: String = "none", results: String) {
            (self.batch, self.state, self.method, self.results) = (batch, state, method, results)
            (jobs, elapsedSeconds, jobsPerSecond) = ([:], 0, 0)
        }
    }

    /// A worker.
    public struct Worker: Sendable, Encodable {
        /// Its name and its state.
        public var worker, state: String
        /// Jobs it holds, and jobs it works on at the same time.
        public var running, capacity: Int
        /// Of the jobs it holds, answers that wait to be written.
        public var answered = 0
        /// Of the jobs it holds, those that wait until another one ends.
        public var ahead = 0
        /// Jobs it has ended.
        public var finished: UInt64
        /// Jobs it ends in a second, lately.
        public var jobsPerSecond: Double
        /// Since it was last heard.
        public var silentSeconds: Double
        /// Why the worker is lost or gets no jobs; empty if it gets jobs.
        public var note = ""
        /// The machine it runs on, and the name of the key it came with; empty if that is not known, or without keys.
        public var host = "", key = ""

        /// A worker.
        public init(
            worker: String, state: String, running: Int, capacity: Int, finished: UInt64, jobsPerSecond: Double,
            silentSeconds: Double
        ) {
            (self.worker, self.state, self.running, self.capacity) = (worker, state, running, capacity)
            (self.finished, self.jobsPerSecond, self.silentSeconds) = (finished, jobsPerSecond, silentSeconds)
        }
    }

    /// A job that failed.
    public struct Failure: Sendable, Encodable {
        /// When the job failed, in seconds since 1970.
        public var at: Double
        /// The item and its batch.
        public var batch, item: String
        /// Why the job failed.
        public var reason: String

        /// A failure.
        public init(at: Double, batch: String, item: String, reason: String) {
            (self.at, self.batch, self.item, self.reason) = (at, batch, item, reason)
        }
    }

    /// The software's name and version.
    public var software: String
    /// When the coordinator began, in seconds since 1970.
    public var startedAt: Double
    /// Batches in the order of their opening.
    public var batches: [Batch] = []
    /// Workers by name.
    public var workers: [Worker] = []
    /// The newest failures, newest first.
    public var failures: [Failure] = []
    /// Jobs that ended, by interval.
    public var throughput: EndedJobs
    /// Seconds on the clock of `throughput`.
    public var seconds: Double
    /// Counters.
    public var counters: ServiceCounters
    /// Whether changes can be made durable.
    public var store = StoreHealth.healthy
    /// Bytes of the job store's files.
    public var storeBytes: UInt64 = 0

    /// A coordinator with nothing to do.
    public init(software: String, startedAt: Double, throughput: EndedJobs, seconds: Double, counters: ServiceCounters)
    {
        self.software = software
        self.startedAt = startedAt
        self.throughput = throughput
        self.seconds = seconds
        self.counters = counters
    }
}
