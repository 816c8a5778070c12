internal import Synchronization

/// What the batch engine lists at one look: each cluster is asked once, however many queues want to know.
///
/// Whoever needs a cluster's listing first asks for it; others that need it wait for that answer, and those that do not go on.
public final class EngineListings: Sendable {
    /// What the engine said when it was asked for its jobs.
    public struct Answer: Sendable, Hashable {
        /// The jobs of this user; nil if the engine does not say.
        public var jobs: [EngineJob]?
        /// Why the engine does not say; empty if it does.
        public var words: String

        /// The jobs that the engine listed, or the words that it had instead.
        public init(jobs: [EngineJob]?, words: String = "") {
            self.jobs = jobs
            self.words = words
        }
    }

    /// The answer of one cluster, once it is there.
    private final class Place: Sendable { let answer = Mutex<Answer?>(nil) }

    private let ask: @Sendable (_ cluster: String?) -> Answer
    private let places = Mutex<[String?: Place]>([:])

    /// One look at the engine.
    ///
    /// - Parameter ask: Asks for the jobs of a cluster, or of the one that commands talk to if the name is nil.
    public init(_ ask: @escaping @Sendable (_ cluster: String?) -> Answer) { self.ask = ask }

    /// The jobs whose names begin with `prefix`, of the usual cluster and of others; the first refusal if one does not answer.
    public func jobs(prefix: String, clusters: Set<String>) -> Answer {
        var all: [EngineJob] = []
        for cluster in [nil] + clusters.sorted().map(Optional.some) {
            let answer = answer(of: cluster)
            guard let jobs = answer.jobs else { return answer }
            all += jobs.filter { $0.name.hasPrefix(prefix) }
        }
        return Answer(jobs: all)
    }

    private func answer(of cluster: String?) -> Answer {
        let place = places.withLock { places in
            let place = places[cluster] ?? Place()
            places[cluster] = place
            return place
        }
        return place.answer.withLock { known in
            let answer = known ?? ask(cluster)
            known = answer
            return answer
        }
    }
}
