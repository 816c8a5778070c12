private import Glibc

/// How long attempts took, in steps of a twelfth of a doubling from a millisecond to some days: a median within 3 per cent
/// from a thousand bytes, however many there were.
struct DurationHistogram {
    private static let stepsPerDoubling = 12.0
    private static let steps = 360

    private var counts: [UInt32] = []
    private(set) var total: UInt64 = 0

    /// Adds an attempt.
    mutating func add(seconds: Double) {
        guard seconds > 0, seconds.isFinite else { return }
        if counts.isEmpty { counts = Array(repeating: 0, count: Self.steps) }
        let step = Int(max(0, log2(seconds * 1000) * Self.stepsPerDoubling).rounded(.down))
        counts[min(step, Self.steps - 1)] &+= 1
        total += 1
    }

    /// Half of the attempts took less; nil before the tenth.
    var median: Double? {
        guard total >= 10 else { return nil }
        var below: UInt64 = 0
        for (step, count) in counts.enumerated() {
            below += UInt64(count)
            if below * 2 >= total { return exp2((Double(step) + 0.5) / Self.stepsPerDoubling) / 1000 }
        }
        return nil
    }
}
