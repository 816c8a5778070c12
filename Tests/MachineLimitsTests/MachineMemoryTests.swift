import MachineLimits
import Testing

@Suite struct MachineMemoryTests {
    @Test func aMachineWithoutMeminfoIsAnErrorThatNamesTheFile() throws {
        let system = try FakeSystem([:])
        defer { withExtendedLifetime(system) {} }
        let error = try #require(throws: MachineLimitsError.self) { try AvailableMemory.now(root: system.root) }
        let file = "\(system.root)/proc/meminfo"
        #expect(error.code == .cannotRead)
        #expect(error.message.contains("No such file or directory"))
        #expect(error.description.hasSuffix("Mount proc so that this process can read the file: " + file))
    }

    @Test(arguments: [
        "", "MemTotal: 100 kB\n", "MemAvailable: 100 kB\n", "MemTotal: 0 kB\nMemAvailable: 0 kB\n",
        "MemTotal: 100 MB\nMemAvailable: 50 kB\n", "MemTotal: -100 kB\nMemAvailable: 50 kB\n",
        "MemTotal: 9223372036854775807 kB\nMemAvailable: 50 kB\n", "MemTotal: 100 kB\nMemAvailable: many kB\n",
        "MemTotal: 99999999999999999999 kB\nMemAvailable: 50 kB\n", "MemTotal: 100\nMemAvailable: 50\n",
    ])
    func malformedFiguresAreAnError(text: String) throws {
        let system = try FakeSystem(["proc/meminfo": text])
        defer { withExtendedLifetime(system) {} }
        let error = try #require(throws: MachineLimitsError.self) { try AvailableMemory.now(root: system.root) }
        #expect(error.code == .malformedFile)
        #expect(error.message.hasSuffix("\(system.root)/proc/meminfo"))
    }

    @Test func availableNeverExceedsTheTotal() throws {
        let system = try FakeSystem(["proc/meminfo": "MemTotal: 100 kB\nMemAvailable: 101 kB\n"])
        defer { withExtendedLifetime(system) {} }
        let expected = AvailableMemory(total: 102_400, available: 102_400, limitedBy: .machine)
        #expect(try AvailableMemory.now(root: system.root) == expected)
    }

    @Test func aLongFileIsReadToItsEnd() throws {
        let filler = String(repeating: "Filler: 1 kB\n", count: 10_000)
        let system = try FakeSystem(["proc/meminfo": filler + "MemTotal: 100 kB\n" + filler + "MemAvailable: 50 kB\n"])
        defer { withExtendedLifetime(system) {} }
        #expect(try AvailableMemory.now(root: system.root).available == 51_200)
    }
}
