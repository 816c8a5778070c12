public import Foundation

/// How many bytes of memory this process can still use, and whether the machine, a control group or Slurm says so.
///
/// A container, many a Slurm job and a systemd service are control groups. The kernel kills a process whose group exceeds its
/// limit, however much memory the machine has left. Where Slurm makes no groups, a job that takes more than it asked for takes
/// it from its neighbours.
public struct AvailableMemory: Sendable, Hashable {
    /// Whose memory runs out first.
    public enum Limit: Sendable, Hashable {
        /// The memory of the whole machine.
        case machine
        /// That of the control group with this name in its hierarchy; inside a container the name is often `/`.
        case controlGroup(path: String)
        /// What the Slurm job of this process asked for on this machine.
        case slurmJob

        /// Who has the memory, in messages.
        public var owner: String { self == .slurmJob ? "this Slurm job" : "this machine" }
    }

    /// All memory of the machine, or the limit of the control group or the Slurm job, in bytes.
    public let total: Int
    /// What can still be used, in bytes: never negative, and at most `total`.
    ///
    /// Pages of files that the kernel drops when memory is asked for count as available.
    public let available: Int
    /// Whom the two figures describe.
    public let limitedBy: Limit

    /// The figures of a machine, a control group or a Slurm job.
    public init(total: Int, available: Int, limitedBy: Limit) {
        self.total = total
        self.available = available
        self.limitedBy = limitedBy
    }

    /// Reads what is left: of the machine, of the control groups around a process and of its Slurm job, whichever has least.
    ///
    /// Reads `proc/meminfo`, `proc/<pid>/cgroup` and the groups' files in `sys/fs/cgroup`, of version 1 and 2. A group
    /// counts if its limit can be read and is below the machine's memory. If only its use cannot be read, the group
    /// counts as empty. Of a Slurm job only the use of this process is known (`RssAnon` in `proc/<pid>/status`): other
    /// processes of the job count as using nothing.
    ///
    /// - Parameters:
    ///   - root: The folder that holds `proc` and `sys`.
    ///   - pid: The process, as `proc` names it.
    ///   - environment: The variables of the process.
    /// - Throws: `MachineLimitsError` if `proc/meminfo` is missing or lacks the two figures.
    public static func now(
        root: String = "/", pid: String = "self",
        environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws -> AvailableMemory {
        let system = SystemFolder(root)
        let machine = try ofMachine(system)
        var limits = ControlGroup.limiting(pid, controller: "memory", in: system)
            .compactMap { left(to: $0, in: system, machine: machine) }
        if let limit = SlurmVariables.memory(environment), limit < machine.total {
            let use = (try? system.text("proc/\(pid)/status")).flatMap { figure("RssAnon", in: $0) } ?? 0
            limits.append(AvailableMemory(total: limit, available: max(0, limit - use), limitedBy: .slurmJob))
        }
        return limits.reduce(machine) { $1.available < $0.available ? $1 : $0 }
    }

    private static func ofMachine(_ system: SystemFolder) throws(MachineLimitsError) -> AvailableMemory {
        let path = "proc/meminfo"
        let text: String
        do {
            text = try system.text(path)
        } catch {
            throw MachineLimitsError(
                .cannotRead,
                "The machine's memory is unknown: \(error.reason). Mount proc so that this process can read the file: "
                    + system.location(path))
        }
        guard let total = figure("MemTotal", in: text), total > 0, let available = figure("MemAvailable", in: text)
        else {
            throw MachineLimitsError(
                .malformedFile,
                "The machine's memory is unknown: MemTotal or MemAvailable is missing or no count of kB. Linux 3.14 "
                    + "and later write both; check what is mounted in place of the file: \(system.location(path))")
        }
        return AvailableMemory(total: total, available: min(available, total), limitedBy: .machine)
    }

    /// A figure of `meminfo` or `status` in bytes; their lines look like `MemTotal:  24684092 kB`, and a kB has 1024 bytes.
    private static func figure(_ name: String, in text: String) -> Int? {
        for line in text.split(whereSeparator: \.isNewline) {
            let words = line.split(whereSeparator: \.isWhitespace)
            guard words.first == "\(name):" else { continue }
            guard words.count == 3, words[2] == "kB", let count = Int(words[1]), count >= 0 else { return nil }
            let (bytes, overflows) = count.multipliedReportingOverflow(by: 1024)
            return overflows ? nil : bytes
        }
        return nil
    }

    /// What a group has left, or nil if it has no limit that matters.
    ///
    /// Version 1 states no limit as the largest multiple of a page, which the machine's memory tells from a real one.
    private static func left(
        to group: ControlGroup, in system: SystemFolder, machine: AvailableMemory
    ) -> AvailableMemory? {
        // Pages of files can be dropped, also those in use, such as the weights that another worker has mapped.
        let (limitFile, useFile, reclaimable) =
            switch group.version {
            case .v1: ("memory.limit_in_bytes", "memory.usage_in_bytes", ["total_inactive_file", "total_active_file"])
            case .v2: ("memory.max", "memory.current", ["inactive_file", "active_file"])
            }
        guard let limit = system.count("\(group.folder)/\(limitFile)"), limit < machine.total else { return nil }
        let use = system.count("\(group.folder)/\(useFile)") ?? 0
        let files = reclaimable.reduce(0) { $0 + (system.count("\(group.folder)/memory.stat", named: $1) ?? 0) }
        let available = max(0, limit - max(0, use - files))
        return AvailableMemory(total: limit, available: available, limitedBy: .controlGroup(path: group.path))
    }
}
