import ArgumentParser
import JobModel

/// A time on the command line: `90s`, `10m`, `1h 30m`.
struct TimeSpan: ExpressibleByArgument {
    /// The length of the time.
    let duration: Duration

    init?(argument: String) {
        guard case .seconds(let seconds)? = TimeLimit(argument) else { return nil }
        duration = .seconds(seconds)
    }
}
