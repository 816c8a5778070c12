/// How a batch is queued: what does not change its results, and may differ when it is submitted again.
public struct QueueOptions: Sendable, Hashable, Codable {
    /// Batches of higher priority go first; default: 0.
    public var priority: Int32
    /// Free labels, for finding batches.
    public var labels: [String: String]
    /// How many jobs may fail before the rest is cancelled; nil for any number.
    public var maxFails: FailureLimit?
    /// Further attempts after failures that may pass; nil takes what the class of each failure has as its default.
    public var retries: Int?
    /// Lost workers and expired leases after which a job is given up.
    public var crashLimit: Int
    /// How long one attempt may run; nil for any time.
    public var timeout: TimeLimit?
    /// Whether the last few jobs get a second run when they take far longer than the median; the first result counts.
    public var secondRuns: Bool

    /// The options of a batch whose file names none.
    public init(
        priority: Int32 = 0, labels: [String: String] = [:], maxFails: FailureLimit? = nil, retries: Int? = nil,
        crashLimit: Int = 5, timeout: TimeLimit? = nil, secondRuns: Bool = false
    ) {
        self.priority = priority
        self.labels = labels
        self.maxFails = maxFails
        self.retries = retries
        self.crashLimit = crashLimit
        self.timeout = timeout
        self.secondRuns = secondRuns
    }

    /// The rule for failures of a class: the class's own, with the batch's number of retries where it names one.
    public func retryRule(_ errorClass: ErrorClass) -> RetryRule {
        var rule = errorClass.retryRule
        if let retries, errorClass != .input { rule.limit = retries }
        return rule
    }
}

/// How many jobs of a batch may fail before the rest is cancelled: `100`, or a share of all, `3%`.
public enum FailureLimit: Sendable, Hashable, LosslessStringConvertible {
    /// A number of jobs.
    case count(UInt64)
    /// A percentage of the batch's jobs.
    case percent(Double)

    /// Reads `100` or `3%`; nil for anything else.
    public init?(_ text: String) {
        if text.hasSuffix("%") {
            guard let share = Double(text.dropLast()), (0...100).contains(share) else { return nil }
            self = .percent(share)
        } else {
            guard let count = UInt64(text.filter { $0 != "_" }), !text.isEmpty else { return nil }
            self = .count(count)
        }
    }

    /// The form that is read.
    public var description: String {
        switch self {
        case .count(let count): "\(count)"
        case .percent(let share): share == share.rounded() ? "\(Int(share))%" : "\(share)%"
        }
    }

    /// Whether more jobs failed than may.
    public func isExceeded(failed: UInt64, of total: UInt64) -> Bool {
        switch self {
        case .count(let count): failed > count
        case .percent(let share): Double(failed) > share / 100 * Double(total)
        }
    }
}

/// How long one attempt may run: a time, `90s`, `10m`, `1h 30m`, or a share of the median of its batch, `300%`.
public enum TimeLimit: Sendable, Hashable, LosslessStringConvertible {
    /// A number of seconds.
    case seconds(Double)
    /// A percentage of the median of the batch's attempts, from the tenth attempt on.
    case percentOfMedian(Double)

    /// Reads `90`, `90s`, `10m`, `1h 30m` or `300%`; nil for anything else.
    public init?(_ text: String) {
        if text.hasSuffix("%") {
            guard let share = Double(text.dropLast()), share > 100, share <= 1e6 else { return nil }
            self = .percentOfMedian(share)
            return
        }
        var seconds = 0.0
        let parts = text.split(separator: " ")
        for part in parts {
            let unit: Double? =
                switch part.last {
                case "s": 1
                case "m": 60
                case "h": 3600
                case "d": 86_400
                default: nil
                }
            guard let value = Double(unit == nil ? part[...] : part.dropLast()), value >= 0, value.isFinite,
                unit != nil || parts.count == 1
            else { return nil }
            seconds += value * (unit ?? 1)
        }
        // Thirty years; beyond what a whole number of seconds holds there would be no way to write it.
        guard seconds > 0, seconds <= 1e9 else { return nil }
        self = .seconds(seconds)
    }

    /// The form that is read.
    public var description: String {
        switch self {
        case .seconds(let seconds): seconds == seconds.rounded() ? "\(Int(seconds))s" : "\(seconds)s"
        case .percentOfMedian(let share): share == share.rounded() ? "\(Int(share))%" : "\(share)%"
        }
    }
}

extension FailureLimit: Codable {
    /// Reads the text.
    public init(from decoder: any Decoder) throws { self = try decoder.lossless() }
    /// Writes the text.
    public func encode(to encoder: any Encoder) throws { try encoder.write(description) }
}

extension TimeLimit: Codable {
    /// Reads the text.
    public init(from decoder: any Decoder) throws { self = try decoder.lossless() }
    /// Writes the text.
    public func encode(to encoder: any Encoder) throws { try encoder.write(description) }
}

extension Decoder {
    /// A value from its text.
    fileprivate func lossless<Value: LosslessStringConvertible>() throws -> Value {
        let container = try singleValueContainer()
        let text = try container.decode(String.self)
        guard let value = Value(text) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "'\(text)' is no \(Value.self)")
        }
        return value
    }
}

extension Encoder {
    fileprivate func write(_ text: String) throws {
        var container = singleValueContainer()
        try container.encode(text)
    }
}
