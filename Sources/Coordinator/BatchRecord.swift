internal import Foundation
internal import JobModel
internal import JobStore
internal import WireProtocol

/// What the coordinator remembers of a batch besides the scheduler's numbers.
struct BatchRecord {
    /// The description as JSON, as workers get it.
    var json: String
    var description: BatchDescription
    /// What the model's files looked like to the submitter.
    var modelFingerprint = ""
    /// A description that was asked for while the batch was over, with what the model's files look like: it counts from the
    /// next job on, so that a batch of which nothing runs keeps the description that its results have.
    var awaited: (json: String, description: BatchDescription, modelFingerprint: String)?
    /// Whether items that differ from those of the same id replace them, as the submitter asked.
    var isReplacing = false
    var closedAt: Date?
    var finishedAt: Date?
    /// Why it was cancelled.
    var reason: String?
    /// The results folder by the path that all its aliases have in common.
    let folder: String
    /// Why results that were reported cannot be taken at present; nil if they can.
    var hindrance: String?

    init(
        json: String, description: BatchDescription, modelFingerprint: String = "", closedAt: Date? = nil,
        finishedAt: Date? = nil, reason: String? = nil
    ) {
        self.json = json
        self.description = description
        self.modelFingerprint = modelFingerprint
        self.closedAt = closedAt
        self.finishedAt = finishedAt
        self.reason = reason
        folder = BatchFolder.canonical(description.results)
    }

    /// Seconds since the batch was complete, up to its end.
    func elapsed(at now: Date) -> Double {
        closedAt.map { max(0, (finishedAt ?? now).timeIntervalSince($0)) } ?? 0
    }
}

extension ItemRecord {
    /// The record as it travels.
    var wire: WireItemStatus {
        var status = WireItemStatus()
        status.ordinal = ordinal
        status.item = id.rawValue
        status.state = state.description
        status.error = error ?? ""
        if let summary { status.summary = WireSummary(summary) }
        status.shard = shard ?? ""
        status.row = row ?? 0
        status.attempts = UInt32(clamping: attempts)
        return status
    }
}
