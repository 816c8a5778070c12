/// How many jobs ended in each of the last intervals, in a ring of fixed size.
public struct EndedJobs: Sendable {
    /// Seconds of one interval.
    public let interval: Int
    private var succeeded: [UInt32]
    private var failed: [UInt32]
    /// The number of the newest interval since the clock began.
    private var newest = 0
    /// When the first job was counted, or the ring was made.
    private var began: Double

    /// No job yet; `intervals` times `interval` seconds are remembered.
    public init(interval: Int, intervals: Int, at seconds: Double) {
        self.interval = interval
        succeeded = Array(repeating: 0, count: intervals)
        failed = succeeded
        began = seconds
        newest = Int(seconds) / interval
    }

    /// Counts jobs that ended now; `seconds` never goes back.
    public mutating func note(succeeded: Int, failed: Int, at seconds: Double) {
        advance(to: seconds)
        self.succeeded[newest % self.succeeded.count] += UInt32(clamping: succeeded)
        self.failed[newest % self.failed.count] += UInt32(clamping: failed)
    }

    /// Jobs of each interval, oldest first, the one under way last.
    public func history(at seconds: Double) -> (succeeded: [UInt32], failed: [UInt32]) {
        var current = self
        current.advance(to: seconds)
        let start = current.newest + 1
        let order = (0..<succeeded.count).map { (start + $0) % succeeded.count }
        return (order.map { current.succeeded[$0] }, order.map { current.failed[$0] })
    }

    /// Jobs a second, over the time that the ring remembers or has existed.
    public func rate(at seconds: Double) -> Double {
        let (succeeded, failed) = history(at: seconds)
        let jobs = (succeeded + failed).reduce(0.0) { $0 + Double($1) }
        // The oldest intervals are whole, the newest one is as long as it has lasted.
        let remembered = Double(interval * (succeeded.count - 1)) + seconds - Double(Int(seconds) / interval * interval)
        return jobs / max(1, min(remembered, seconds - began))
    }

    private mutating func advance(to seconds: Double) {
        let target = Int(seconds) / interval
        guard target > newest else { return }
        for number in max(newest + 1, target - succeeded.count + 1)...target {
            succeeded[number % succeeded.count] = 0
            failed[number % failed.count] = 0
        }
        newest = target
    }
}
