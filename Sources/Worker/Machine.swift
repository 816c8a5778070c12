internal import Foundation

/// What result files say about the machine they were written on.
enum Machine {
    /// The name of the machine.
    static let host = ProcessInfo.processInfo.hostName

    /// The processor as the kernel names it; empty if it does not.
    static let processor: String = {
        let text = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
        let line = text.split(separator: "\n").first { $0.hasPrefix("model name") }
        return line?.split(separator: ":", maxSplits: 1).last?.trimmingCharacters(in: .whitespaces) ?? ""
    }()
}
