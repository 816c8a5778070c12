internal import JobVocabulary

/// A value that result files store as a byte with a name, an HDF5 enumeration: the name is its raw value.
protocol ResultCode: RawRepresentable<String>, Sendable, Hashable {
    /// Every value at the place that is its code; new values go to the end.
    static var byCode: [Self] { get }
}

extension ResultCode {
    /// The byte in the file.
    var code: UInt8 {
        guard let place = Self.byCode.firstIndex(of: self) else { preconditionFailure("\(self) has no code") }
        return UInt8(place)
    }
}

/// Whether a job ended with an answer; the raw values stand in result files.
public enum JobStatus: String, Sendable, CaseIterable {
    /// The job has an answer.
    case ok
    /// The job has an error instead of an answer.
    case failed
}

extension JobStatus: ResultCode {
    static let byCode: [JobStatus] = [.ok, .failed]
}

extension FinishReason: ResultCode {
    static let byCode: [FinishReason] = [.stop, .length, .error]
}

extension ReductionPlace: ResultCode {
    static let byCode: [ReductionPlace] = [.visionEncoder, .languageModel, .projector]
}
