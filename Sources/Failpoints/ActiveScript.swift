private import Glibc
private import Synchronization

/// A script that runs: counts how often each place was reached and does what is due there.
final class ActiveScript: Sendable {
    private struct State {
        var counts: [String: Int] = [:]
        var random: UInt64
    }

    private let entries: [String: FailpointScript.Entry]
    private let state: Mutex<State>

    init(_ script: FailpointScript) {
        entries = script.entries
        state = Mutex(State(random: script.seed))
    }

    func reach(_ name: String) -> Failpoint.Fault? {
        guard let entry = entries[name], isDue(name, entry.occasion) else { return nil }
        switch entry.action {
        case .kill(let milliseconds):
            usleep(milliseconds * 1000)
            kill(getpid(), SIGKILL)
        case .stop: kill(getpid(), SIGSTOP)
        case .sleep(let milliseconds): usleep(milliseconds * 1000)
        case .error(let number): return .error(number)
        }
        return nil
    }

    private func isDue(_ name: String, _ occasion: FailpointScript.Occasion) -> Bool {
        state.withLock { state in
            state.counts[name, default: 0] += 1
            switch occasion {
            case .times(let range): return range.contains(state.counts[name, default: 0])
            case .percent(let percent):
                // xorshift64: good enough to roll dice, and the same in each run.
                state.random ^= state.random << 13
                state.random ^= state.random >> 7
                state.random ^= state.random << 17
                return Double(state.random >> 11) / Double(1 << 53) * 100 < percent
            }
        }
    }
}
