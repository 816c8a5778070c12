/// What there is to do for the workers of a queue, as the coordinator sees it.
public struct Demand: Sendable, Hashable {
    /// A worker that the queue's allocations brought.
    public struct Worker: Sendable, Hashable {
        /// The name, which begins with that of its allocation.
        public var name: String
        /// Jobs that it has ended.
        public var finished: UInt64
        /// Why it gets no jobs; empty if it gets some.
        public var note: String

        /// A worker.
        public init(name: String, finished: UInt64, note: String) {
            self.name = name
            self.finished = finished
            self.note = note
        }
    }

    /// Jobs that wait and that a new worker of the queue could run within an allocation.
    public var waiting: UInt64
    /// Why it could not run others that wait; empty if it could.
    public var hindrance: String
    /// Its workers that are there.
    public var workers: [Worker]

    /// What there is to do.
    public init(waiting: UInt64, hindrance: String, workers: [Worker]) {
        self.waiting = waiting
        self.hindrance = hindrance
        self.workers = workers
    }
}
