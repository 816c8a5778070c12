import Foundation

/// Processor time and memory that a process has used so far, as the kernel counts them.
struct ProcessUsage {
    /// Processor time, of all threads.
    let seconds: Double
    /// Largest resident memory so far.
    let peakBytes: Int

    /// Reads the counters of a process that runs.
    init(of process: pid_t) throws {
        let stat = try Self.text("/proc/\(process)/stat")
        // Behind the name, which may hold anything: state, then numbers; the 12th and 13th are user and system ticks.
        let fields = stat.suffix(from: stat.lastIndex(of: ")") ?? stat.startIndex).split(separator: " ")
        let ticks = Double(sysconf(Int32(_SC_CLK_TCK)))
        guard fields.count > 13, let user = Double(fields[12]), let system = Double(fields[13]), ticks > 0 else {
            throw CommandFailure("/proc/\(process)/stat is not understood")
        }
        seconds = (user + system) / ticks
        let peak = try Self.text("/proc/\(process)/status").split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
        peakBytes = peak.flatMap { Int($0.filter(\.isNumber)) }.map { $0 * 1024 } ?? 0
    }

    private static func text(_ path: String) throws -> String {
        do {
            return try String(contentsOfFile: path, encoding: .utf8)
        } catch {
            throw CommandFailure("\(path) cannot be read: did the process end?")
        }
    }
}
