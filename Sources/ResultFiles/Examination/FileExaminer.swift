import Foundation
private import Glibc

/// Lets another process read files, one after the other, and starts a new process if a file ended it.
final class FileExaminer {
    private let program: URL
    private let arguments: [String]
    private var child: Child?
    private var examined: [String: (stamp: Stamp, parts: FileExamination.Parts)] = [:]
    /// Files that stopped or crashed a process, which none need try again.
    private var hostile: [String: (stamp: Stamp, refusal: ResultFileError)] = [:]

    init(program: URL, arguments: [String]) {
        self.program = program
        self.arguments = arguments
    }

    /// Returns where the other process could read these parts of a file; the same file is not read twice.
    func examine(_ path: String, _ parts: FileExamination.Parts) throws(ResultFileError) {
        let stamp = Stamp(of: path)
        if let stamp, let known = examined[path], known.stamp == stamp, known.parts.comprise(parts) { return }
        if let stamp, let known = hostile[path], known.stamp == stamp { throw known.refusal }
        let request = ExaminationRequest(path: path, parts: parts)
        let running: Child
        if let child { running = child } else { running = try start(for: path) }
        child = running
        guard let answer = running.ask(request) else {
            child = nil
            let refusal = Self.refusal(of: path, running.end())
            if let stamp, refusal.code == .corrupt { hostile[path] = (stamp, refusal) }
            throw refusal
        }
        if let reason = answer.reason { throw ResultFileError(answer.code ?? .corrupt, reason) }
        guard Stamp(of: path) == stamp else {
            throw ResultFileError(
                .refused, "the file changed while it was examined; try again when nobody writes to it", at: path)
        }
        if let stamp { examined[path] = (stamp, parts) }
    }

    private func start(for path: String) throws(ResultFileError) -> Child {
        do {
            return try Child(program, arguments)
        } catch {
            throw ResultFileError(
                .refused, "the file was not read: no process could be started to examine it first", at: path,
                cause: error)
        }
    }

    /// What the end of the process says about the file that it was reading.
    private static func refusal(of path: String, _ signal: Int32?) -> ResultFileError {
        let advice = "restore it from a copy, or run its jobs again"
        switch signal {
        case SIGALRM, SIGKILL, SIGTERM, SIGINT, SIGHUP, nil:
            return ResultFileError(
                .refused,
                "the file was not read: the process that examines it first was killed or did not end, as on a machine that "
                    + "has no memory or no time left; try again", at: path)
        case SIGPROF:
            return ResultFileError(
                .corrupt,
                "reading \(path) does not end: the file is damaged or malicious; \(advice)")
        case let signal?:
            return ResultFileError(
                .corrupt,
                "reading \(path) crashed the HDF5 library (signal \(signal)): the file is damaged or malicious; "
                    + advice)
        }
    }
}

/// A file as it was: equal stamps mean the same bytes.
private struct Stamp: Equatable {
    private let numbers: [Int]

    init?(of path: String) {
        var file = stat()
        guard stat(path, &file) == 0 else { return nil }
        numbers = [
            Int(file.st_dev), Int(file.st_ino), Int(file.st_size), file.st_ctim.tv_sec, file.st_ctim.tv_nsec,
            file.st_mtim.tv_sec, file.st_mtim.tv_nsec,
        ]
    }
}

/// The examining process; it ends when its input ends, so with this process at the latest.
private final class Child {
    private let process = Process()
    private let input = Pipe()
    private let output = Pipe()
    private var rest = Data()

    init(_ program: URL, _ arguments: [String]) throws {
        process.executableURL = program
        process.arguments = arguments
        process.standardInput = input
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
    }

    /// The answer; nil if the process ends without one.
    func ask(_ request: ExaminationRequest) -> ExaminationAnswer? {
        guard let line = try? JSONEncoder().encode(request),
            (try? input.fileHandleForWriting.write(contentsOf: line + [0x0A])) != nil
        else { return nil }
        while true {
            if let end = rest.firstIndex(of: 0x0A) {
                let answer = try? JSONDecoder().decode(ExaminationAnswer.self, from: rest[..<end])
                rest = Data(rest[(end + 1)...])
                return answer
            }
            let more = output.fileHandleForReading.availableData
            guard !more.isEmpty else { return nil }
            rest += more
        }
    }

    /// Waits for its end and says by which signal that came; nil if there was none.
    func end() -> Int32? {
        try? input.fileHandleForWriting.close()
        process.waitUntilExit()
        return process.terminationReason == .uncaughtSignal ? process.terminationStatus : nil
    }
}
