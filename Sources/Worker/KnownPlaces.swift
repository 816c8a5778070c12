internal import JobModel

/// Which results folders were found to be the ones that their batches were submitted with.
struct KnownPlaces {
    /// How long a folder that was found counts as found.
    private static let validity: Duration = .seconds(1)

    private var checked: [String: ContinuousClock.Instant] = [:]

    /// Why the results of a job would not be found where this worker would write them; nil if they would.
    mutating func misplacement(of job: LeasedJob) -> String? {
        guard let token = job.description.resultsToken else { return nil }
        let now = ContinuousClock.now
        if let last = checked[token], now < last + Self.validity { return nil }
        checked = checked.filter { now < $0.value + Self.validity }
        if let reason = ResultsToken.mismatch(token, in: job.description.results) { return reason }
        checked[token] = now
        return nil
    }
}
