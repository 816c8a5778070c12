import ArgumentParser
import JobModel

/// A time on the command line: `90s`, `10m`, `1h 30m`.
struct TimeSpan: ExpressibleByArgument {
    /// The length of the time.
    let duration: Duration

    /// A time of so many seconds.
    init(seconds: Double) { duration = .seconds(seconds) }

    /// The length in seconds.
    var seconds: Double { duration / .seconds(1) }

    /// The form in which it is given, in the largest unit that needs no fraction.
    var defaultValueDescription: String {
        let units: [(seconds: Double, letter: String)] = [(3600, "h"), (60, "m"), (1, "s")]
        let unit = units.first { seconds.truncatingRemainder(dividingBy: $0.seconds) == 0 } ?? (1, "s")
        return "\(Int(seconds / unit.seconds))\(unit.letter)"
    }

    init?(argument: String) {
        guard case .seconds(let seconds)? = TimeLimit(argument) else { return nil }
        duration = .seconds(seconds)
    }
}
