internal import Foundation
private import Glibc

/// A program of the batch engine, run to its end, until its time is over, or until this process is to end.
enum CommandTool {
    /// How a program ended.
    enum End: Hashable {
        /// By itself, with this exit status.
        case exited(Int32)
        /// By a signal that somebody else sent.
        case signalled(Int32)
        /// It was killed after so many seconds.
        case late(Double)
        /// It was killed, or not started, because this process is to end.
        case brokenOff
    }

    /// What a program said.
    struct Result {
        var end: End
        var output = ""
        var errors = ""

        /// Whether it says that it did what it was asked to.
        var isSuccess: Bool { end == .exited(0) }

        /// Why it did not do what it was asked to, on one line, with its name before that.
        func complaint(of program: String) -> String {
            switch end {
            case .exited(let status):
                words.isEmpty
                    ? "\(program) ended with exit code \(status)"
                    : words.hasPrefix(program) ? words : "\(program): \(words)"
            case .signalled(let number): "\(program) was ended by signal \(number)"
            case .late(let seconds): "\(program) took more than \(Int(seconds)) s"
            case .brokenOff: "\(program) was not waited for, because this process ends"
            }
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
    ///   - goesOn: Whether waiting for it still makes sense; asked again and again meanwhile.
    static func run(
        _ program: String, _ arguments: [String], input: String = "", patience: Double, goesOn: () -> Bool
    ) throws -> Result {
        guard goesOn() else { return Result(end: .brokenOff) }
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
        let end = wait(for: process, patience: patience, goesOn)
        func text(_ url: URL) -> String { String(decoding: (try? Data(contentsOf: url)) ?? Data(), as: UTF8.self) }
        return Result(end: end, output: text(outputFile), errors: text(errorFile))
    }

    /// Waits until a program has ended, and kills it when nobody waits for it any more.
    private static func wait(for process: Process, patience: Double, _ goesOn: () -> Bool) -> End {
        let deadline = ContinuousClock.now + .seconds(patience)
        while process.isRunning {
            guard goesOn() else {
                end(process, grace: .seconds(1))
                return .brokenOff
            }
            guard .now < deadline else {
                end(process, grace: .seconds(5))
                return .late(patience)
            }
            Thread.sleep(forTimeInterval: 0.02)
        }
        return process.terminationReason == .uncaughtSignal
            ? .signalled(process.terminationStatus) : .exited(process.terminationStatus)
    }

    /// Ends a program and those that it started, which is how sites wrap the engine's commands: first by SIGTERM, which it may
    /// ignore.
    private static func end(_ process: Process, grace: Duration) {
        let number = process.processIdentifier
        let target = getpgid(number) == number ? -number : number
        Glibc.kill(target, SIGTERM)
        let deadline = ContinuousClock.now + grace
        while process.isRunning, .now < deadline { Thread.sleep(forTimeInterval: 0.02) }
        if process.isRunning { Glibc.kill(target, SIGKILL) }
    }
}
