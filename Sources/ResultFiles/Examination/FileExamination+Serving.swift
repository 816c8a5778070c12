import Foundation
private import Glibc
internal import HDF5

extension FileExamination {
    /// Answers requests from standard input until it ends: the other side of ``begin(by:_:)``.
    ///
    /// Each file may take some processor time, some time and some memory, all of them growing with its size; beyond these
    /// the process is ended by a signal.
    public static func serve() {
        // A crash is an answer here: it is to be a signal, and nobody wants its core.
        for number in [SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL] { signal(number, SIG_DFL) }
        limit(RLIMIT_CORE, to: 0)
        while let line = readLine() {
            guard let request = try? JSONDecoder().decode(ExaminationRequest.self, from: Data(line.utf8)) else {
                return
            }
            Allowance(for: request.path).begin()
            let answer = answer(to: request)
            Allowance.end()
            guard let text = try? JSONEncoder().encode(answer) else { return }
            FileHandle.standardOutput.write(text + [0x0A])
        }
    }

    private static func answer(to request: ExaminationRequest) -> ExaminationAnswer {
        do throws(ResultFileError) {
            switch request.parts {
            case .reductionCase: _ = try ReductionCase<Double>(unexamined: request.path, limits: ReadLimits())
            case .scalars, .rows, .everything: try read(request.parts, of: request.path)
            }
            return ExaminationAnswer()
        } catch {
            return ExaminationAnswer(code: error.code, reason: error.message)
        }
    }

    private static func read(_ parts: Parts, of path: String) throws(ResultFileError) {
        let reader = try ShardReader(unexamined: path)
        _ = try reader.rows(features: false, trace: parts != .scalars)
        _ = try reader.origins()
        if parts == .everything { try reader.readFeatures() }
    }
}

/// Limits of time and memory for reading one file.
private struct Allowance {
    private let bytes: Int

    /// A file of holes is no larger than what it takes on the disk. File systems that pack files, or say late what one takes,
    /// tell less than it holds.
    init(for path: String) {
        var file = stat()
        guard stat(path, &file) == 0 else {
            bytes = 0
            return
        }
        let taken = file.st_blocks == 0 ? Int.max : max(64 << 20, 16 * 512 * Int(file.st_blocks))
        bytes = min(Int(file.st_size), taken)
    }

    /// From now on, until the next one: damage makes the library loop and allocate, which takes processor time and memory;
    /// a lock that a crash left behind takes neither, so time counts as well.
    func begin() {
        limit(RLIMIT_DATA, to: UInt(384 << 20) + 8 * UInt(bytes))
        Self.setTimer(ITIMER_PROF, seconds: 1 + bytes / (20 << 20))
        Self.setTimer(ITIMER_REAL, seconds: 8 + bytes / (4 << 20))
    }

    /// The time runs for files, not for waiting between them.
    static func end() {
        setTimer(ITIMER_PROF, seconds: 0)
        setTimer(ITIMER_REAL, seconds: 0)
    }

    private static func setTimer(_ timer: __itimer_which, seconds: Int) {
        var value = itimerval()
        value.it_value.tv_sec = seconds
        setitimer(__itimer_which_t(timer.rawValue), &value, nil)
    }
}

/// Lowers a limit of this process that can be raised again.
private func limit(_ resource: __rlimit_resource, to value: UInt) {
    var limits = rlimit()
    let resource = __rlimit_resource_t(resource.rawValue)
    guard getrlimit(resource, &limits) == 0 else { return }
    limits.rlim_cur = min(value, limits.rlim_max)
    setrlimit(resource, &limits)
}
