/// What the owner of a key may be to a coordinator; a key for one is none for the other.
public enum AccessRole: String, Sendable, Hashable, Codable, CaseIterable {
    /// Takes jobs and writes results.
    case worker
    /// Submits, asks and cancels.
    case client
}
