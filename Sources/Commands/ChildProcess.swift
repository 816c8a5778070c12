import Foundation

/// This program started again with a service's subcommand; it ends when its parent asks for that or is gone.
final class ChildProcess {
    private let process = Process()
    private let log: URL
    private let output = Pipe()
    /// Nothing is written; that it ends tells the child that we did.
    private let input = Pipe()
    let title: String

    /// Starts `winnow <arguments>`; standard error goes to `log`.
    init(_ title: String, _ arguments: [String], log: URL) throws {
        self.title = title
        self.log = log
        _ = FileManager.default.createFile(atPath: log.path, contents: nil)
        process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        process.arguments = arguments + ["--until-input-ends"]
        process.standardInput = input
        process.standardOutput = output
        process.standardError = try FileHandle(forWritingTo: log)
        try process.run()
    }

    var isRunning: Bool { process.isRunning }

    /// The first line it prints, or nil where it ends without one.
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

    /// Asks it to end, and insists after `patience` seconds.
    func end(patience: Double) {
        guard process.isRunning else { return }
        process.terminate()
        let deadline = Date(timeIntervalSinceNow: patience)
        while process.isRunning, Date() < deadline { Thread.sleep(forTimeInterval: 0.02) }
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
        process.waitUntilExit()
    }
}
