import Foundation
import Glibc
import TestSupport

/// A `winnow` process; whatever happens to the test, it does not outlive this value.
final class RunningWinnow {
    /// How a process ended.
    struct End: CustomStringConvertible {
        /// The exit code; nil where a signal ended the process.
        var code: Int32?
        var output: String
        var errors: String

        var description: String {
            "\(code.map { "exit code \($0)" } ?? "ended by a signal")\noutput: \(output)\nerrors: \(errors)"
        }
    }

    /// A process that could not be started or did not end.
    struct Trouble: Error, CustomStringConvertible {
        let description: String
    }

    let process: pid_t
    private let arguments: [String]
    private let folder: TemporaryDirectory
    private var status: Int32?

    /// Starts a program, `winnow` unless told otherwise; what it prints is collected.
    ///
    /// - Parameters:
    ///   - environment: variables besides those of the tests.
    ///   - place: the folder that it runs in; that of the tests unless told otherwise.
    init(
        _ arguments: [String], program: String? = nil, environment: [String: String] = [:], in place: URL? = nil
    ) throws {
        self.arguments = arguments
        folder = try TemporaryDirectory()
        var path = try program ?? Self.binary(), arguments = arguments
        if let place { (path, arguments) = ("/usr/bin/env", ["--chdir=\(place.path)", path] + arguments) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, folder.file("output").path, O_WRONLY | O_CREAT, 0o600)
        posix_spawn_file_actions_addopen(&actions, 2, folder.file("errors").path, O_WRONLY | O_CREAT, 0o600)
        // Of what other tests have open at the moment it shall know nothing: some count what a process holds.
        for name in try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd") {
            if let file = Int32(name), file > 2 { _ = fcntl(file, F_SETFD, FD_CLOEXEC) }
        }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // As a terminal starts programs: no signal is blocked, which threads of the test library do.
        var noSignals = sigset_t()
        sigemptyset(&noSignals)
        posix_spawnattr_setsigmask(&attributes, &noSignals)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP) | Int16(POSIX_SPAWN_SETSIGMASK))
        var pointers = ([path] + arguments).map { strdup($0) } + [nil]
        defer { for pointer in pointers { free(pointer) } }
        let all = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        var variables = all.map { strdup("\($0)=\($1)") } + [nil]
        defer { for variable in variables { free(variable) } }
        var number: pid_t = 0
        let failure = posix_spawn(&number, path, &actions, &attributes, &pointers, &variables)
        guard failure == 0 else { throw Trouble(description: "\(path): \(String(cString: strerror(failure)))") }
        process = number
    }

    deinit {
        guard status == nil else { return }
        Glibc.kill(-process, SIGKILL)
        var status: Int32 = 0
        waitpid(process, &status, 0)
    }

    /// The binary that the same build made: beside the tests, or in the checkout.
    static func binary() throws -> String {
        let tests = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
        let places = [tests, Repository.root.appendingPathComponent(".build/release")].map { $0.path + "/winnow" }
        guard let place = places.first(where: FileManager.default.isExecutableFile) else {
            throw Trouble(
                description: "there is no winnow at \(places.joined(separator: " or ")); build it with ops/build")
        }
        return place
    }

    var isRunning: Bool {
        if status == nil {
            var value: Int32 = 0
            if waitpid(process, &value, WNOHANG) == process { status = value }
        }
        return status == nil
    }

    /// The exit code; nil while it runs, and where a signal ended it.
    var code: Int32? { isRunning ? nil : status.flatMap { $0 & 0x7F == 0 ? $0 >> 8 & 0xFF : nil } }

    /// What it printed so far.
    var output: String { text("output") }
    /// What it complained about so far.
    var errors: String { text("errors") }

    private func text(_ name: String) -> String {
        String(decoding: (try? Data(contentsOf: folder.file(name))) ?? Data(), as: UTF8.self)
    }

    /// Sends it a signal; by default the one it cannot hear.
    func kill(_ signal: Int32 = SIGKILL) { if isRunning { Glibc.kill(process, signal) } }

    /// Waits until it ends; a process that hangs is an error.
    func end() async throws -> End {
        try await eventually("winnow \(arguments.joined(separator: " ")) ends") { !isRunning }
        return End(code: code, output: output, errors: errors)
    }
}

/// Runs `winnow` to its end.
func winnow(_ arguments: String...) async throws -> RunningWinnow.End { try await winnow(arguments) }

/// Runs `winnow` to its end.
func winnow(_ arguments: [String]) async throws -> RunningWinnow.End { try await RunningWinnow(arguments).end() }

/// Runs `winnow` in a folder to its end.
func winnow(_ arguments: String..., in place: URL) async throws -> RunningWinnow.End {
    try await RunningWinnow(arguments, in: place).end()
}

/// Writes the Python reader, as `winnow` prints it, into a folder.
func writeReader(to folder: TemporaryDirectory) async throws {
    let reader = try await winnow("results", "reader")
    try Data(reader.output.utf8).write(to: folder.file("winnow_results.py"))
}

/// Waits for something that must come, however slow the machine is.
func eventually(_ what: String, _ condition: () async throws -> Bool) async throws {
    let deadline = ContinuousClock.now + .seconds(180)
    while try await !condition() {
        guard ContinuousClock.now < deadline else {
            throw RunningWinnow.Trouble(description: "waited in vain: \(what)")
        }
        try await Task.sleep(for: .milliseconds(10))
    }
}

extension Decodable {
    /// A value from what a command printed as JSON.
    init(printed text: String) throws {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        do {
            self = try decoder.decode(Self.self, from: Data(text.utf8))
        } catch {
            throw RunningWinnow.Trouble(description: "\(error) in: \(text.prefix(2000))")
        }
    }
}
