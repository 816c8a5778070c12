public import Foundation
private import Glibc

/// How many threads can compute at once in this process, which may be fewer than the machine has processors.
public enum UsableProcessors {
    /// Counts the processors that this process can keep busy: at least 1.
    ///
    /// It is the smallest of three counts:
    /// - the processors that the scheduler may choose for this process;
    /// - the processor time of the control groups around it, rounded up: a quota of 150 ms in 100 ms is 2 processors;
    /// - `SLURM_CPUS_PER_TASK`, if it is a positive integer.
    ///
    /// What cannot be read limits nothing.
    ///
    /// - Parameters:
    ///   - root: The folder that holds `proc` and `sys`.
    ///   - pid: The process whose control groups count, as `proc` names it.
    ///   - environment: The variables of the process.
    ///   - affinity: How many processors the scheduler may choose.
    public static func count(
        root: String = "/", pid: String = "self",
        environment: [String: String] = ProcessInfo.processInfo.environment, affinity: Int = affinityCount
    ) -> Int {
        let system = SystemFolder(root)
        var counts = ControlGroup.limiting(pid, controller: "cpu", in: system).compactMap { quota(of: $0, in: system) }
        if let task = SlurmVariables.processors(environment) { counts.append(task) }
        return max(1, counts.reduce(affinity, min))
    }

    /// How many processors the scheduler may choose for the calling thread (sched_getaffinity(2)).
    ///
    /// `taskset`, container runtimes and Slurm narrow that choice. If the kernel does not tell it, these are the
    /// processors of the machine that are switched on.
    public static var affinityCount: Int {
        // Glibc's header shows the function to GNU C only, and so not to Swift; it is looked up by its name.
        typealias GetAffinity = @convention(c) (pid_t, Int, UnsafeMutableRawPointer) -> Int32
        if let symbol = dlsym(nil, "sched_getaffinity") {
            let getAffinity = unsafeBitCast(symbol, to: GetAffinity.self)
            // The kernel refuses masks that are too small for the machine; the first has room for 1024 processors.
            for bytes in [128, 1024, 8192] {
                var mask = [UInt8](repeating: 0, count: bytes)
                guard getAffinity(0, bytes, &mask) == 0 else { continue }
                return mask.reduce(0) { $0 + $1.nonzeroBitCount }
            }
        }
        return ProcessInfo.processInfo.activeProcessorCount
    }

    /// The processors that a group's quota pays for, rounded up, or nil if it has none.
    private static func quota(of group: ControlGroup, in system: SystemFolder) -> Int? {
        let words: [Substring] =
            switch group.version {
            case .v1: ["quota", "period"].flatMap { system.words("\(group.folder)/cpu.cfs_\($0)_us") }
            case .v2: system.words("\(group.folder)/cpu.max")
            }
        // Version 1 states no quota as -1, version 2 as `max`. Times are microseconds.
        guard words.count == 2, let quota = Int(words[0]), let period = Int(words[1]), quota > 0, period > 0
        else { return nil }
        let (whole, rest) = quota.quotientAndRemainder(dividingBy: period)
        return rest > 0 ? whole + 1 : whole
    }
}
