/// A value that result files store as a byte with a name, an HDF5 enumeration.
public protocol ResultCode: RawRepresentable<UInt8>, CaseIterable, Sendable, Hashable {
    /// The name in the file.
    var name: String { get }
}

/// Whether a job ended with an answer.
public enum JobStatus: UInt8, ResultCode {
    /// It has an answer.
    case ok
    /// It has an error instead.
    case failed

    /// The name in the file.
    public var name: String { self == .ok ? "ok" : "failed" }
}

/// Why an answer ended.
public enum FinishReason: UInt8, ResultCode {
    /// An end-of-sequence token or a stop text.
    case stop
    /// The limit on its length.
    case length
    /// The job failed.
    case error

    /// The name in the file.
    public var name: String {
        switch self {
        case .stop: "stop"
        case .length: "length"
        case .error: "error"
        }
    }
}

/// The half of the model in which tokens were reduced.
public enum ReductionPlace: UInt8, ResultCode {
    /// The vision tower.
    case encoder
    /// The language model.
    case decoder
    /// Between the projector and the language model.
    case projector

    /// The name in the file.
    public var name: String {
        switch self {
        case .encoder: "encoder"
        case .decoder: "decoder"
        case .projector: "projector"
        }
    }
}
