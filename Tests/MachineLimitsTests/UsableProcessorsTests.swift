import Foundation
import MachineLimits
import Testing

@Suite struct UsableProcessorsTests {
    /// The count where the scheduler offers 64 processors and some files are there.
    private func count(
        _ files: [String: String], environment: [String: String] = [:], affinity: Int = 64
    ) throws -> Int {
        let system = try FakeSystem(files)
        defer { withExtendedLifetime(system) {} }
        return UsableProcessors.count(root: system.root, environment: environment, affinity: affinity)
    }

    @Test func thisMachineHasProcessors() {
        #expect(UsableProcessors.affinityCount >= 1)
        #expect(UsableProcessors.affinityCount <= ProcessInfo.processInfo.processorCount)
        #expect((1...UsableProcessors.affinityCount).contains(UsableProcessors.count()))
    }

    @Test func withoutLimitsTheSchedulersChoiceCounts() throws {
        #expect(try count([:]) == 64)
        #expect(try count(["proc/self/cgroup": "0::/job\n"]) == 64)
        #expect(try count([:], affinity: 0) == 1)
    }

    private static let quotas: [(String, Int)] = [
        ("100000 100000", 1), ("100001 100000", 2), ("250000 100000", 3), ("1000 100000", 1), ("400000 50000", 8),
        ("9000000 100000", 64), ("max 100000", 64), ("9223372036854775807 1", 64), ("9223372036854775807 2", 64),
        ("99999999999999999999 100000", 64), ("0 100000", 64), ("-1 100000", 64), ("100000 0", 64), ("100000", 64),
        ("100000 100000 100000", 64), ("few 100000", 64), ("", 64),
    ]

    @Test(arguments: quotas)
    func aQuotaIsRoundedUp(text: String, expected: Int) throws {
        #expect(try count(["proc/self/cgroup": "0::/job\n", "sys/fs/cgroup/job/cpu.max": text + "\n"]) == expected)
    }

    @Test func theTightestOfNestedQuotasWins() throws {
        let files = [
            "proc/self/cgroup": "0::/slurm/job\n", "sys/fs/cgroup/slurm/cpu.max": "400000 100000\n",
            "sys/fs/cgroup/slurm/job/cpu.max": "800000 100000\n",
        ]
        #expect(try count(files) == 4)
        #expect(try count(files, affinity: 3) == 3)
    }

    @Test(arguments: [
        ("cpu", "cpu"), ("cpu,cpuacct", "cpu,cpuacct"), ("cpu,cpuacct", "cpu"), ("cpuacct,cpu", "cpuacct,cpu"),
    ])
    func firstVersionGroupsHaveFilesOfTheirOwn(controllers: String, mount: String) throws {
        func files(quota: String) -> [String: String] {
            [
                "proc/self/cgroup": "3:cpuset:/\n2:\(controllers):/job\n0::/\n",
                "sys/fs/cgroup/\(mount)/job/cpu.cfs_quota_us": quota,
                "sys/fs/cgroup/\(mount)/job/cpu.cfs_period_us": "100000\n",
            ]
        }
        #expect(try count(files(quota: "550000\n")) == 6)
        #expect(try count(files(quota: "-1\n")) == 64)
        #expect(try count(files(quota: "")) == 64)
    }

    @Test(arguments: ["0::/docker/4f1c", "2:cpu,cpuacct:/docker/4f1c"])
    func aContainerFindsItsQuotaAtTheMount(line: String) throws {
        let files = [
            "proc/self/cgroup": line + "\n", "sys/fs/cgroup/cpu.max": "200000 100000\n",
            "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "200000\n",
            "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us": "100000\n",
        ]
        #expect(try count(files) == 2)
    }

    @Test(arguments: [
        ("5", 5), ("1", 1), ("65", 64), ("0", 64), ("-3", 64), ("", 64), ("4x", 64), ("99999999999999999999", 64),
    ])
    func slurmsCountOfATaskCounts(value: String, expected: Int) throws {
        #expect(try count([:], environment: ["SLURM_CPUS_PER_TASK": value]) == expected)
    }

    @Test func anotherProcessHasItsOwnQuota() throws {
        let system = try FakeSystem([
            "proc/self/cgroup": "0::/a\n", "proc/12/cgroup": "0::/b\n",
            "sys/fs/cgroup/a/cpu.max": "100000 100000\n", "sys/fs/cgroup/b/cpu.max": "200000 100000\n",
        ])
        defer { withExtendedLifetime(system) {} }
        #expect(UsableProcessors.count(root: system.root, pid: "12", environment: [:], affinity: 64) == 2)
    }
}
