import Foundation

/// This program started again with a service's subcommand; it ends when its parent asks for that or is gone.
final class ChildProcess {
    private let process = Process()
    private let log: URL
    private let output = Pipe()
    /// Nothing is written; that it ends tells the child that we did.
    private let input = Pipe()
    let title: String

    /// The program that runs here.
    static var thisProgram: URL { URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath() }

    /// Starts `winnow <arguments>`; what it says goes to `log`, behind what a former process left there. With `announces`
    /// its standard output is kept for `firstLine` instead.
    init(_ title: String, _ arguments: [String], log: URL, announces: Bool = false) throws {
        self.title = title
        self.log = log
        if !FileManager.default.fileExists(atPath: log.path) {
            _ = FileManager.default.createFile(atPath: log.path, contents: nil)
        }
        let errors = try FileHandle(forWritingTo: log)
        try errors.seekToEnd()
        process.executableURL = Self.thisProgram
        process.arguments = arguments + ["--until-input-ends"]
        process.standardInput = input
        process.standardOutput = announces ? output : errors
        process.standardError = errors
        try process.run()
    }

    var isRunning: Bool { process.isRunning }
    var id: pid_t { process.processIdentifier }

    /// Ends it as a crash or the loss of its machine would.
    func kill() {
        Foundation.kill(id, SIGKILL)
        process.waitUntilExit()
    }

    /// The first line that the process prints, or nil if it ends without one.
    func firstLine() -> String? {
        var line = Data()
        while let byte = try? output.fileHandleForReading.read(upToCount: 1), !byte.isEmpty {
            if byte.first == UInt8(ascii: "\n") { return String(decoding: line, as: UTF8.self) }
            line.append(byte)
        }
        return nil
    }

    /// The last lines of its log.
    var lastWords: String {
        let text = (try? String(contentsOf: log, encoding: .utf8)) ?? ""
        return text.split(separator: "\n").suffix(5).joined(separator: "\n")
    }

    /// Asks processes to end, all at once: to finish what they do, after half of `patience` seconds to leave it, and
    /// after all of it they are killed.
    static func end(_ children: [ChildProcess], patience: Double) {
        var running = children.map(\.process).filter(\.isRunning)
        for _ in 0..<2 where !running.isEmpty {
            for process in running { process.terminate() }
            let deadline = Date(timeIntervalSinceNow: patience / 2)
            while running.contains(where: \.isRunning), Date() < deadline { Thread.sleep(forTimeInterval: 0.02) }
            running = running.filter(\.isRunning)
        }
        for process in running {
            Foundation.kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
        }
    }
}
