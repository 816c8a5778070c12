import Foundation

/// The system's Python, as the outside reader of our HDF5 files.
public enum SystemPython {
    /// Whether it is there with h5py (Debian: python3-h5py); tests that need it skip with a reason otherwise.
    public static let hasH5py = (try? run("import h5py")) != nil

    /// Whether it is there with some module.
    public static func has(_ module: String) -> Bool { (try? run("import \(module)")) != nil }

    /// Runs a script with arguments and returns what it prints.
    public static func run(
        _ script: String, _ arguments: String..., python: String = "/usr/bin/python3"
    ) throws -> String {
        try run(script, arguments, python: python)
    }

    /// Runs a script with arguments and returns what it prints.
    public static func run(
        _ script: String, _ arguments: [String], python: String = "/usr/bin/python3"
    ) throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [python, "-c", script] + arguments
        let output = Pipe()
        let errors = Pipe()
        process.standardOutput = output
        process.standardError = errors
        try process.run()
        let printed = try output.fileHandleForReading.readToEnd() ?? Data()
        let complaints = try errors.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw Failure(text: String(decoding: complaints, as: UTF8.self)) }
        return String(decoding: printed, as: UTF8.self)
    }

    /// What a script complained about.
    public struct Failure: Error, CustomStringConvertible {
        let text: String
        /// The complaint.
        public var description: String { "python3 failed: \(text)" }
    }
}
