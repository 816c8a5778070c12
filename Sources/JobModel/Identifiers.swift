/// The name of a batch, unique within one coordinator.
public struct BatchID: RawRepresentable, Hashable, Sendable, Codable, CustomStringConvertible {
    /// The name as the coordinator gave it out.
    public let rawValue: String
    /// Wraps a name.
    public init(rawValue: String) { self.rawValue = rawValue }
    /// Wraps a name.
    public init(_ rawValue: String) { self.rawValue = rawValue }
    /// The name itself.
    public var description: String { rawValue }
}

/// The `id` of an item, unique within its batch and chosen by the user.
public struct ItemID: RawRepresentable, Hashable, Sendable, Codable, CustomStringConvertible {
    /// Most bytes of an id: every message that names one has room for it.
    public static let maximumBytes = 1_024

    /// The text from the manifest.
    public let rawValue: String
    /// Wraps an id.
    public init(rawValue: String) { self.rawValue = rawValue }
    /// Wraps an id.
    public init(_ rawValue: String) { self.rawValue = rawValue }
    /// The id itself.
    public var description: String { rawValue }
}

/// The number of a job, unique and growing within one job store; never used twice.
public struct JobID: RawRepresentable, Hashable, Comparable, Sendable, Codable, CustomStringConvertible {
    /// The number the job store gave out.
    public let rawValue: UInt64
    /// Wraps a number.
    public init(rawValue: UInt64) { self.rawValue = rawValue }
    /// Wraps a number.
    public init(_ rawValue: UInt64) { self.rawValue = rawValue }
    /// The number in decimal.
    public var description: String { String(rawValue) }
    /// Earlier submitted jobs come first.
    public static func < (a: JobID, b: JobID) -> Bool { a.rawValue < b.rawValue }
}

/// The stable name of a worker: the same after a restart.
public struct WorkerName: RawRepresentable, Hashable, Sendable, Codable, CustomStringConvertible {
    /// The name from the worker's configuration.
    public let rawValue: String
    /// Wraps a name.
    public init(rawValue: String) { self.rawValue = rawValue }
    /// Wraps a name.
    public init(_ rawValue: String) { self.rawValue = rawValue }
    /// The name itself.
    public var description: String { rawValue }
}

/// One run of a worker process: another one means that the process started anew and remembers nothing.
public struct SessionID: RawRepresentable, Hashable, Sendable, Codable, CustomStringConvertible {
    /// The text that the process made at its start.
    public let rawValue: String
    /// Wraps a session.
    public init(rawValue: String) { self.rawValue = rawValue }
    /// Wraps a session.
    public init(_ rawValue: String) { self.rawValue = rawValue }
    /// The session itself.
    public var description: String { rawValue }
}

/// The number of an attempt at a job: 0 before the first, and greater with each one. It fences off older attempts.
public struct Epoch: RawRepresentable, Hashable, Comparable, Sendable, Codable, CustomStringConvertible {
    /// How many attempts there were, this one included.
    public let rawValue: UInt64
    /// Wraps a number.
    public init(rawValue: UInt64) { self.rawValue = rawValue }
    /// Wraps a number.
    public init(_ rawValue: UInt64) { self.rawValue = rawValue }
    /// No attempt yet.
    public static let none = Epoch(0)
    /// The epoch of the next attempt.
    public var next: Epoch { Epoch(rawValue &+ 1) }
    /// The number in decimal.
    public var description: String { String(rawValue) }
    /// Later attempts are greater.
    public static func < (a: Epoch, b: Epoch) -> Bool { a.rawValue < b.rawValue }
}
