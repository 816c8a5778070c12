/// A point in time on a clock that never goes back; the caller owns the clock, tests just count.
public struct Moment: Hashable, Comparable, Sendable {
    /// Time since the clock's arbitrary beginning.
    public var elapsed: Duration

    /// The moment this long after the clock's beginning.
    public init(_ elapsed: Duration) { self.elapsed = elapsed }

    /// Earlier moments are smaller.
    public static func < (a: Moment, b: Moment) -> Bool { a.elapsed < b.elapsed }
    /// A later moment.
    public static func + (a: Moment, b: Duration) -> Moment { Moment(a.elapsed + b) }
    /// The time from `b` to `a`.
    public static func - (a: Moment, b: Moment) -> Duration { a.elapsed - b.elapsed }
}
