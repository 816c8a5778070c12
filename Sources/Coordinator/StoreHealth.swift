public import Foundation

/// Whether the job store takes changes; `/healthz` tells it.
public struct StoreHealth: Sendable, Hashable {
    /// What keeps the store from taking changes; nil if nothing does.
    public var trouble: String?
    /// When the present state began.
    public var since: Date

    /// A store that takes changes.
    public static func sound(since: Date) -> StoreHealth { StoreHealth(trouble: nil, since: since) }

    /// Whether changes are made and acknowledged; otherwise only questions are answered.
    public var isSound: Bool { trouble == nil }
}
