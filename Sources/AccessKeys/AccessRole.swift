/// The role of a key's owner; a key for one role does not open the port of the other.
public enum AccessRole: String, Sendable, Hashable, Codable, CaseIterable {
    /// Takes jobs and writes results.
    case worker
    /// Submits, asks and cancels.
    case client
}
