/// Why an answer ended; the raw values stand in result files and in what commands print.
public enum FinishReason: String, Sendable, CaseIterable {
    /// An end-of-sequence token or a stop text came.
    case stop
    /// The answer reached its greatest length, or the model's context its end.
    case length
    /// The job failed, so that there is no answer.
    case error
}
