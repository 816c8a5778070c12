private import Glibc

/// The message that the process prints if the HDF5 library crashes while it reads a file.
///
/// Files with damage that no check finds beforehand can bring libhdf5 1.10 down. A command that reads a file somebody
/// handed it then ends with a message that names the file, and with exit code 1, instead of with a signal.
enum CrashMessage {
    // Written by the one thread that holds the library, read by the handler of a signal in that thread: hence unsafe.
    nonisolated(unsafe) private static let text = UnsafeMutablePointer<CChar>.allocate(capacity: 4096)
    nonisolated(unsafe) private static var length = 0

    /// Has crashes explained from now on; everything the handler needs is made here.
    static func install() {
        length = 0
        text.initialize(repeating: 0, count: 4096)
        // A stack of its own, for crashes that are the end of the other one.
        let bytes = 64 << 10
        var stack = stack_t(ss_sp: malloc(bytes), ss_flags: 0, ss_size: bytes)
        sigaltstack(&stack, nil)
        var action = sigaction()
        action.__sigaction_handler.sa_handler = { number in
            if CrashMessage.length > 0 {
                _ = write(STDERR_FILENO, CrashMessage.text, CrashMessage.length)
                _exit(1)
            }
            signal(number, SIG_DFL)
            raise(number)
        }
        action.sa_flags = Int32(bitPattern: UInt32(SA_ONSTACK))
        for number in [SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL] { sigaction(number, &action, nil) }
    }

    /// Notes which file is being read; nil if none is.
    static func note(_ path: String?) {
        length = 0
        guard let path else { return }
        let words =
            "winnow: \(path): the HDF5 library crashed while reading this file: it is damaged or malicious; "
            + "remove it, or restore it from a copy\n"
        for (place, byte) in words.utf8.prefix(4095).enumerated() { text[place] = CChar(bitPattern: byte) }
        length = min(4095, words.utf8.count)
    }
}

extension HDF5Library {
    /// Ends the process with a message instead of a signal where the library crashes while it reads a file; for programs
    /// that read files of other people. Other crashes stay what they are.
    public static func explainCrashes() { CrashMessage.install() }
}
