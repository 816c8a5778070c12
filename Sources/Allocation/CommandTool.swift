internal import Foundation

/// A program of the batch engine, run to its end or until its time is over.
enum CommandTool {
    /// What a program said.
    struct Result {
        /// The exit status; nil if it was ended because its time was over.
        var status: Int32?
        var output: String
        var errors: String

        /// What it complained about, on one line, with its name before that.
        func complaint(of program: String) -> String {
            words.hasPrefix(program) ? words : "\(program): \(words)"
        }

        /// What it complained about, on one line.
        var words: String {
            let lines = (errors + "\n" + output).split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
            return String(lines.filter { !$0.isEmpty }.joined(separator: "; ").prefix(1000))
        }
    }

    /// What programs see: all that this one does, but for variables that would change what is asked for or answered.
    private static var environment: [String: String] {
        ProcessInfo.processInfo.environment.filter { name, _ in
            !name.hasPrefix("SQUEUE_") && !name.hasPrefix("SCANCEL_")
                && !["SLURM_CLUSTERS", "SBATCH_ARRAY_INX", "SBATCH_WAIT", "SBATCH_SIGNAL"].contains(name)
        }
    }

    /// Runs a program that the PATH leads to.
    ///
    /// - Parameters:
    ///   - input: What it reads.
    ///   - patience: Seconds that it may take.
    static func run(_ program: String, _ arguments: [String], input: String = "", patience: Double) throws -> Result {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("winnow-\(UUID().uuidString)")
        try FileManager.default.createDirectory(
            at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        defer { try? FileManager.default.removeItem(at: folder) }
        func file(_ name: String, _ text: String = "") throws -> URL {
            let url = folder.appendingPathComponent(name)
            try Data(text.utf8).write(to: url)
            return url
        }
        let (inputFile, outputFile, errorFile) = (try file("in", input), try file("out"), try file("err"))
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [program] + arguments
        process.environment = environment
        // Files take whatever a program writes; a pipe that nobody reads would stop it.
        process.standardInput = try FileHandle(forReadingFrom: inputFile)
        process.standardOutput = try FileHandle(forWritingTo: outputFile)
        process.standardError = try FileHandle(forWritingTo: errorFile)
        try process.run()
        let deadline = Date(timeIntervalSinceNow: patience)
        while process.isRunning, Date() < deadline { Thread.sleep(forTimeInterval: 0.02) }
        let isLate = process.isRunning
        if isLate {
            process.terminate()
            let end = Date(timeIntervalSinceNow: 5)
            while process.isRunning, Date() < end { Thread.sleep(forTimeInterval: 0.02) }
            if process.isRunning { kill(process.processIdentifier, SIGKILL) }
        }
        func text(_ url: URL) -> String { String(decoding: (try? Data(contentsOf: url)) ?? Data(), as: UTF8.self) }
        return Result(
            status: isLate ? nil : process.terminationStatus, output: text(outputFile), errors: text(errorFile))
    }
}
