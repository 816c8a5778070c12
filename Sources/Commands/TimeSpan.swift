import ArgumentParser
import JobModel

/// A time on the command line: `90s`, `10m`, `1h 30m`.
struct TimeSpan: ExpressibleByArgument {
    /// The time.
    let duration: Duration

    init?(argument: String) {
        guard case .seconds(let seconds)? = TimeLimit(argument) else { return nil }
        duration = .seconds(seconds)
    }
}
