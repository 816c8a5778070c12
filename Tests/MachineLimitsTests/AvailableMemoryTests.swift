import Foundation
import MachineLimits
import Testing

@Suite struct AvailableMemoryTests {
    /// 8 GiB, of which 6 GiB are available.
    private static let meminfo = """
        MemTotal:        8388608 kB
        MemFree:         1048576 kB
        MemAvailable:    6291456 kB
        HugePages_Total:       0

        """
    private static let machine = AvailableMemory(total: 8 << 30, available: 6 << 30, limitedBy: .machine)

    /// What is left on a machine of 8 GiB with some further files.
    private func left(
        _ files: [String: String], rootEnding: String = "", environment: [String: String] = [:]
    ) throws -> AvailableMemory {
        let system = try FakeSystem(files.merging(["proc/meminfo": Self.meminfo]) { given, _ in given })
        defer { withExtendedLifetime(system) {} }
        return try AvailableMemory.now(root: system.root + rootEnding, environment: environment)
    }

    private func group(_ path: String, total: Int, available: Int) -> AvailableMemory {
        AvailableMemory(total: total, available: available, limitedBy: .controlGroup(path: path))
    }

    @Test func thisMachineHasMemoryLeft() throws {
        let memory = try AvailableMemory.now()
        #expect(memory.available > 0)
        #expect(memory.available <= memory.total)
    }

    @Test func withoutControlGroupsTheMachineCounts() throws {
        for ending in ["", "/", "//"] { #expect(try left([:], rootEnding: ending) == Self.machine) }
        #expect(try left(["proc/self/cgroup": "0::/user.slice\n"]) == Self.machine)
    }

    @Test func theTightestOfNestedGroupsWins() throws {
        var files = [
            "proc/self/cgroup": "0::/slurm/job_7/step_0\n",
            "sys/fs/cgroup/slurm/memory.max": "4294967296\n",
            "sys/fs/cgroup/slurm/memory.current": "1073741824\n",
            "sys/fs/cgroup/slurm/job_7/memory.max": "2147483648\n",
            "sys/fs/cgroup/slurm/job_7/memory.current": "1000\n",
            "sys/fs/cgroup/slurm/job_7/step_0/memory.max": "max\n",
            "sys/fs/cgroup/slurm/job_7/step_0/memory.current": "900\n",
        ]
        #expect(try left(files) == group("/slurm/job_7", total: 2 << 30, available: 2 << 30 - 1000))
        files["sys/fs/cgroup/slurm/memory.current"] = "\(4 << 30 - 500)\n"
        #expect(try left(files) == group("/slurm", total: 4 << 30, available: 500))
    }

    @Test func theMachineWinsIfItHasLessThanTheGroup() throws {
        let files = [
            "proc/self/cgroup": "0::/job\n", "sys/fs/cgroup/job/memory.max": "\(7 << 30)\n",
            "sys/fs/cgroup/job/memory.current": "0\n",
        ]
        #expect(try left(files) == Self.machine)
    }

    @Test func pagesOfFilesThatCanBeDroppedAreAvailable() throws {
        let stat = "anon 700\nfile 300\ninactive_file 250\nactive_file 50\ntotal_inactive_file 9\n"
        var files = [
            "proc/self/cgroup": "0::/job\n", "sys/fs/cgroup/job/memory.max": "5000\n",
            "sys/fs/cgroup/job/memory.current": "1000\n", "sys/fs/cgroup/job/memory.stat": stat,
        ]
        #expect(try left(files) == group("/job", total: 5000, available: 4300))
        files["sys/fs/cgroup/job/memory.current"] = "100\n"
        #expect(try left(files) == group("/job", total: 5000, available: 5000))
        files["sys/fs/cgroup/job/memory.current"] = "6000\n"
        #expect(try left(files) == group("/job", total: 5000, available: 0))
    }

    @Test func firstVersionGroupsHaveFilesOfTheirOwn() throws {
        let folder = "sys/fs/cgroup/memory/batch"
        var files = [
            "proc/self/cgroup": "9:name=systemd:/\n4:cpuset,memory:/batch/a:b\n0::/\n",
            "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
            "\(folder)/memory.limit_in_bytes": "3000\n", "\(folder)/memory.usage_in_bytes": "2000\n",
            "\(folder)/memory.stat": "inactive_file 7\ntotal_inactive_file 400\ntotal_active_file 100\n",
            "\(folder)/a:b/memory.limit_in_bytes": "9223372036854771712\n",
        ]
        #expect(try left(files) == group("/batch", total: 3000, available: 1500))
        files["\(folder)/a:b/memory.limit_in_bytes"] = "1200\n"
        #expect(try left(files) == group("/batch/a:b", total: 1200, available: 1200))
    }

    @Test(arguments: ["0::/docker/4f1c", "0::/../../job", "0::/"])
    func aContainerFindsItsLimitAtTheMount(line: String) throws {
        let files = [
            "proc/self/cgroup": line + "\n", "sys/fs/cgroup/memory.max": "4000\n",
            "sys/fs/cgroup/memory.current": "1000\n", "sys/fs/job/memory.max": "1\n",
        ]
        #expect(try left(files) == group("/", total: 4000, available: 3000))
    }

    @Test func aContainerOfTheFirstVersionFindsItsLimitAtTheMount() throws {
        let files = [
            "proc/self/cgroup": "4:memory:/docker/4f1c\n",
            "sys/fs/cgroup/memory/memory.limit_in_bytes": "4000\n",
            "sys/fs/cgroup/memory/memory.usage_in_bytes": "1000\n",
        ]
        #expect(try left(files) == group("/", total: 4000, available: 3000))
    }

    @Test func anotherProcessHasItsOwnGroup() throws {
        let system = try FakeSystem([
            "proc/meminfo": Self.meminfo, "proc/self/cgroup": "0::/a\n", "proc/12/cgroup": "0::/b\n",
            "sys/fs/cgroup/a/memory.max": "1000\n", "sys/fs/cgroup/b/memory.max": "2000\n",
        ])
        defer { withExtendedLifetime(system) {} }
        let memory = try AvailableMemory.now(root: system.root, pid: "12", environment: [:])
        #expect(memory == group("/b", total: 2000, available: 2000))
    }

    @Test(arguments: ["max", "", "-1", "12 34", "4 GB", "9223372036854775807", "18446744073709551615", "9\u{0}9"])
    func whatIsNoLimitLimitsNothing(text: String) throws {
        let second = ["proc/self/cgroup": "0::/job\n", "sys/fs/cgroup/job/memory.max": text]
        #expect(try left(second) == Self.machine)
        let first = ["proc/self/cgroup": "4:memory:/job\n", "sys/fs/cgroup/memory/job/memory.limit_in_bytes": text]
        #expect(try left(first) == Self.machine)
    }

    @Test func aGroupWhoseUseIsUnknownStillHasItsLimit() throws {
        let files = [
            "proc/self/cgroup": "0::/job\n", "sys/fs/cgroup/job/memory.max": "5000\n",
            "sys/fs/cgroup/job/memory.current": "much\n", "sys/fs/cgroup/job/memory.stat": "inactive_file -3\n",
        ]
        #expect(try left(files) == group("/job", total: 5000, available: 5000))
    }

    @Test(arguments: [
        (["SLURM_MEM_PER_NODE": "2048"], 2048),
        (["SLURM_MEM_PER_CPU": "100", "SLURM_CPUS_ON_NODE": "4"], 400),
        (["SLURM_MEM_PER_NODE": "2048", "SLURM_MEM_PER_CPU": "100", "SLURM_CPUS_ON_NODE": "4"], 400),
        (["SLURM_MEM_PER_NODE": "0", "SLURM_MEM_PER_CPU": "100", "SLURM_CPUS_ON_NODE": "4"], 400),
    ])
    func aSlurmJobHasWhatItAskedFor(environment: [String: String], mebibytes: Int) throws {
        #expect(
            try left([:], environment: environment)
                == AvailableMemory(total: mebibytes << 20, available: mebibytes << 20, limitedBy: .slurmJob))
        // What the process holds is not there to be used again; files that it maps can be dropped.
        let status = ["proc/self/status": "VmRSS:\t  90000 kB\nRssAnon:\t    1024 kB\nRssFile:\t   70000 kB\n"]
        #expect(try left(status, environment: environment).available == (mebibytes - 1) << 20)
    }

    @Test(arguments: [
        ["SLURM_MEM_PER_NODE": "0"], ["SLURM_MEM_PER_NODE": "-5"], ["SLURM_MEM_PER_NODE": "4G"],
        ["SLURM_MEM_PER_NODE": ""], ["SLURM_MEM_PER_CPU": "100"], ["SLURM_MEM_PER_NODE": "8192"],
        ["SLURM_MEM_PER_CPU": "0", "SLURM_CPUS_ON_NODE": "4"], ["SLURM_MEM_PER_NODE": "9223372036854775807"],
        ["SLURM_MEM_PER_CPU": "9223372036854775807", "SLURM_CPUS_ON_NODE": "2"],
    ])
    func aSlurmJobWithoutALimitHasWhatTheMachineHas(environment: [String: String]) throws {
        #expect(try left([:], environment: environment) == Self.machine)
    }

    @Test func theTighterOfSlurmJobAndControlGroupWins() throws {
        let files = [
            "proc/self/cgroup": "0::/job\n", "sys/fs/cgroup/job/memory.max": "\(1 << 30)\n",
            "sys/fs/cgroup/job/memory.current": "0\n",
        ]
        #expect(
            try left(files, environment: ["SLURM_MEM_PER_NODE": "2048"])
                == group("/job", total: 1 << 30, available: 1 << 30))
        #expect(try left(files, environment: ["SLURM_MEM_PER_NODE": "512"]).limitedBy == .slurmJob)
        #expect(AvailableMemory.Limit.slurmJob.owner != AvailableMemory.Limit.machine.owner)
    }

    @Test(arguments: ["", "\n\n", "0::", "0:/job", "nonsense", "x:memory", ":::::"])
    func malformedLinesOfGroupsAreSkipped(line: String) throws {
        let files = [
            "proc/self/cgroup": "\(line)\n0::/job\n", "sys/fs/cgroup/job/memory.max": "5000\n",
            "sys/fs/cgroup/job/memory.current": "0\n",
        ]
        #expect(try left(files) == group("/job", total: 5000, available: 5000))
    }
}
