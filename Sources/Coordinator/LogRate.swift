internal import Logging
internal import Scheduling

/// Bounds what peers can cause to be logged: twenty lines of one peer at once, then one each ten seconds; a thousand lines
/// of all peers, then one each second.
struct LogRate {
    /// Lines that may be logged: some at once, and more as time passes.
    private struct Allowance {
        let burst: Double
        let secondsPerLine: Double
        private var lines: Double
        private var at: Moment

        init(burst: Double, secondsPerLine: Double, at now: Moment) {
            (self.burst, self.secondsPerLine, lines, at) = (burst, secondsPerLine, burst, now)
        }

        /// Whether nothing of it has been used, or all of it has come back.
        func isWhole(at now: Moment) -> Bool { earned(at: now) >= burst }

        /// Takes a line, where one is left.
        mutating func take(at now: Moment) -> Bool {
            lines = earned(at: now)
            at = now
            guard lines >= 1 else { return false }
            lines -= 1
            return true
        }

        private func earned(at now: Moment) -> Double {
            min(burst, lines + (now - at) / .seconds(secondsPerLine))
        }
    }

    /// Peers that are told apart at a time; more of them are bounded together only.
    private static let peerLimit = 4_096

    private var ofPeers: [String: Allowance] = [:]
    private var ofAll: Allowance?
    /// Lines that were left out since the last one that was not.
    private var leftOut = 0

    /// What to add to a line that a peer causes: how many were left out before it. Nil where it is left out itself.
    mutating func allows(_ peer: String, at now: Moment) -> Logger.Metadata? {
        if ofPeers[peer] == nil, ofPeers.count >= Self.peerLimit {
            ofPeers = ofPeers.filter { !$0.value.isWhole(at: now) }
        }
        var own = ofPeers[peer] ?? Allowance(burst: 20, secondsPerLine: 10, at: now)
        var all = ofAll ?? Allowance(burst: 1_000, secondsPerLine: 1, at: now)
        let isAllowed = own.take(at: now) && all.take(at: now)
        if ofPeers[peer] != nil || ofPeers.count < Self.peerLimit { ofPeers[peer] = own }
        ofAll = all
        guard isAllowed else {
            leftOut += 1
            return nil
        }
        defer { leftOut = 0 }
        return leftOut == 0 ? [:] : [LogKey.leftOut: "\(leftOut)"]
    }
}
