import Foundation

/// Another program that runs no-op jobs, measured in turn with ours.
///
/// Its command prints one JSON object: `{"name": "…", "jobs": 1000, "seconds": 3.2}`, or `{"name": "…", "skipped": "why"}`.
struct QueueBaseline: Decodable {
    let name: String
    let jobs: Int?
    let seconds: Double?
    let skipped: String?

    var jobsPerSecond: Double? {
        guard let jobs, let seconds, seconds > 0 else { return nil }
        return Double(jobs) / seconds
    }

    /// Runs a command of the shell and reads what it prints.
    static func run(_ command: String) throws -> QueueBaseline {
        let process = Process(), output = Pipe()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = ["-c", command]
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        try process.run()
        let printed = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        guard process.terminationStatus == 0, let found = try? JSONDecoder().decode(Self.self, from: printed) else {
            throw CommandFailure("'\(command)' does not print a baseline: \(String(decoding: printed, as: UTF8.self))")
        }
        return found
    }
}
