public import Foundation

/// Something that happened to a queue or an allocation.
public struct Event: Codable, Sendable, Hashable {
    /// When it happened.
    public var at: Date
    /// The queue's name.
    public var queue: String
    /// The allocation's name; nil for what concerns the queue.
    public var allocation: String?
    /// What happened, as a phrase.
    public var text: String

    /// Something that happened.
    public init(at: Date, queue: String, allocation: String? = nil, text: String) {
        self.at = at
        self.queue = queue
        self.allocation = allocation
        self.text = text
    }
}
