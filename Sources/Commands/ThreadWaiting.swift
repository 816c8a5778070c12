import Foundation

/// How compute threads wait for their next piece of work.
enum ThreadWaiting {
    /// Lets them sleep soon: libgomp's threads spin for about a millisecond otherwise, which takes the processor from the other
    /// workers of a machine.
    ///
    /// libgomp reads its environment when it is loaded, before `main`. So the program starts itself once more, with the variable
    /// set, unless somebody has chosen how threads wait; child processes inherit it.
    static func beShort() {
        let environment = ProcessInfo.processInfo.environment
        guard environment[variable] == nil, environment["OMP_WAIT_POLICY"] == nil else { return }
        setenv(variable, "5000", 1)
        execv("/proc/self/exe", CommandLine.unsafeArgv)
        // Where that does not work, everything still does, at the cost of spinning.
    }

    private static let variable = "GOMP_SPINCOUNT"
}
