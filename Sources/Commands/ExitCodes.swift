import Foundation
import Glibc

/// The program's exit codes, which say how the jobs ended.
enum ExitCodes {
    static let success: Int32 = 0
    static let infrastructure: Int32 = 1
    static let usage: Int32 = 2
    static let someJobsFailed: Int32 = 3
    static let cancelled: Int32 = 4
}

/// A command that cannot go on: what to tell the user, and the exit code.
struct CommandFailure: Error, CustomStringConvertible {
    let exitCode: Int32
    let message: String
    /// The message: a failure inside of another reads like one.
    var description: String { message }

    /// Something around the jobs failed.
    init(_ message: String) {
        self.init(ExitCodes.infrastructure, message)
    }

    init(_ exitCode: Int32, _ message: String) {
        self.exitCode = exitCode
        self.message = message
    }
}

/// Ends the command with an exit code, without a message.
func endCommand(_ exitCode: Int32) throws {
    if exitCode != ExitCodes.success { throw CommandFailure(exitCode, "") }
}

/// Writes a line to standard error; on a terminal in as many as its width asks for.
func printError(_ text: String) {
    let lines = terminalWidth(of: STDERR_FILENO).map { text.shown.wrapped(to: $0) } ?? [text.shown]
    writeError(lines.joined(separator: "\n") + "\n")
}
