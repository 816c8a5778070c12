/// A set of processes for which the kernel limits memory and processor time together (Linux: cgroup).
///
/// Source: the kernel's `admin-guide/cgroup-v2.rst` and `admin-guide/cgroup-v1/`, and cgroups(7).
struct ControlGroup {
    /// The two interfaces that the kernel offers; a machine may use both at once.
    enum Version {
        case v1, v2
    }

    /// Which files the group has.
    let version: Version
    /// The group's name in its hierarchy, such as `/slurm/job_7`; `/` is the outermost that this process sees.
    let path: String
    /// Where its files lie below the root of the system, without slashes at the ends.
    let folder: String

    /// The groups that limit a process with one controller (`memory`, `cpu`), each followed by the one around it.
    ///
    /// A folder that does not exist is listed as well, and reading its files finds nothing. A container often shows the
    /// name that its group has outside while its own group is mounted at the outermost folder: there the limits are found.
    static func limiting(_ pid: String, controller: String, in system: SystemFolder) -> [ControlGroup] {
        var groups: [ControlGroup] = []
        for line in system.lines("proc/\(pid)/cgroup") {
            // hierarchy:controllers:path, and the path may contain colons.
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3 else { continue }
            if fields[0] == "0", fields[1].isEmpty {
                groups += chain(.v2, mount: "sys/fs/cgroup", path: fields[2])
            } else if fields[1].split(separator: ",").contains(controller[...]) {
                // A hierarchy of several controllers (`cpu,cpuacct`) is mounted under all their names, or under each.
                let mounts = fields[1] == controller ? [controller] : [String(fields[1]), controller]
                for mount in mounts { groups += chain(.v1, mount: "sys/fs/cgroup/\(mount)", path: fields[2]) }
            }
        }
        return groups
    }

    /// A group and all around it, innermost first.
    private static func chain(_ version: Version, mount: String, path: Substring) -> [ControlGroup] {
        var names = path.split(separator: "/")
        // The path of a group outside of what this process may see starts with `/..`: only the outermost is known.
        if names.contains("..") { names = [] }
        return (0...names.count).reversed().map { depth in
            let inner = names[..<depth].joined(separator: "/")
            return ControlGroup(
                version: version, path: "/" + inner, folder: inner.isEmpty ? mount : "\(mount)/\(inner)")
        }
    }
}
