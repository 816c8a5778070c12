import Glibc

/// Standard input, output and error as this process was given them, or was not.
enum StandardStreams {
    /// Opens those that are closed on the null device. Otherwise the next files to be opened would get their numbers, and
    /// what is printed would land in them.
    static func openMissing() {
        for stream in STDIN_FILENO...STDERR_FILENO where fcntl(stream, F_GETFD) < 0 {
            // The lowest free number is taken, and all below this one are in use.
            _ = open("/dev/null", stream == STDIN_FILENO ? O_RDONLY : O_WRONLY)
        }
    }
}

/// Writes to standard error; output without a reader is lost.
func writeError(_ text: String) {
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
        let count = rest.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
        if count < 0, errno == EINTR { continue }
        guard count > 0 else { return }
        rest = rest.dropFirst(count)
    }
}
