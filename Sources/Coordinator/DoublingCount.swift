/// Counts what a peer may cause for ever and says when to log it: the 1st, 2nd, 4th, 8th, … time, so that no disk fills.
struct DoublingCount {
    /// How often it has happened.
    private(set) var total = 0

    /// Counts one more; returns the total if it is to be logged, else nil.
    mutating func countUp() -> Int? {
        total += 1
        return total.nonzeroBitCount == 1 ? total : nil
    }
}
