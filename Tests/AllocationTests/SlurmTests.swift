import Allocation
import Foundation
import TestSupport
import Testing

@Suite struct SlurmTests {
    private static let settings = QueueSettings(
        name: "cpu", token: "abcde", timeLimit: 5400, notice: 60, workersPerAllocation: 2, capacity: 8, backlog: 2,
        maxWorkers: 64, idleTimeout: 300, endpoint: "tcp://head:5757", program: "/opt/my winnow",
        workerOptions: ["--memory", "9GB"], engineOptions: ["--partition=cpu"])

    @Test("a listing is read line by line; names of clusters and broken lines are left out")
    func listing() {
        let jobs = Slurm.jobs(
            in: """
                CLUSTER: north
                12|PENDING|Resources|winnow-cpu-abcde-1
                13|RUNNING|None|odd|name
                broken
                """)
        #expect(
            jobs == [
                EngineJob(id: "12", state: "PENDING", reason: "Resources", name: "winnow-cpu-abcde-1"),
                EngineJob(id: "13", state: "RUNNING", reason: "None", name: "odd|name"),
            ])
    }

    @Test("every word that Slurm's manual lists has a meaning, with flags behind it as well")
    func states() {
        let over = [
            "COMPLETED", "TIMEOUT", "CANCELLED", "NODE_FAIL", "PREEMPTED", "FAILED", "BOOT_FAIL", "DEADLINE",
            "OUT_OF_MEMORY", "REVOKED",
        ]
        let live = [
            "PENDING", "CONFIGURING", "REQUEUED", "REQUEUE_FED", "REQUEUE_HOLD", "RESV_DEL_HOLD", "SPECIAL_EXIT",
            "RUNNING", "COMPLETING", "SIGNALING", "RESIZING", "STAGE_OUT", "SUSPENDED", "STOPPED",
        ]
        func meaning(_ word: String) -> EngineJob.Meaning {
            EngineJob(id: "1", state: word, reason: "None", name: "").meaning
        }
        for word in over { #expect(!meaning(word).isLive, "\(word)") }
        for word in live {
            #expect(meaning(word).isLive, "\(word)")
            #expect(meaning(word) != .live(.unknown), "\(word)")
        }
        #expect(meaning("RUNNING+SIGNALING") == .live(.running))
        #expect(meaning("") == .live(.unknown))
    }

    @Test("the time limit, the signal and the name are in the options, and the user's own come last")
    func options() {
        #expect(
            Slurm.options(Self.settings, name: "winnow-cpu-abcde-3", logs: "/q/logs") == [
                "--parsable", "--job-name=winnow-cpu-abcde-3", "--time=1:30:00", "--signal=B:USR1@60", "--no-requeue",
                "--output=/q/logs/%x.out", "--partition=cpu",
            ])
    }

    @Test(
        "clusters are those that the options name",
        arguments: [
            (["-M", "north"], ["north"]), (["--clusters=a,b"], ["a", "b"]), (["--clusters", "a"], ["a"]),
            (["-Mnorth"], ["north"]), (["--mem=1"], []),
        ])
    func clusters(options: [String], names: [String]) {
        var settings = Self.settings
        settings.engineOptions = options
        #expect(settings.clusters == Set(names))
    }

    @Test("hundreds of numbers go to scancel in pieces")
    func pieces() {
        let numbers = (1...120).map(String.init)
        let pieces = Slurm.pieces(numbers)
        #expect(pieces.map(\.count) == [50, 50, 20])
        #expect(pieces.flatMap(\.self) == numbers)
    }

    @Test("the script starts its workers, passes the announced end on to each, waits for them and gives their status")
    func script() throws {
        let folder = try TemporaryDirectory()
        // A worker that ends with 3 when it hears the announcement, and says which name it was given.
        let worker = folder.file("my winnow")
        let text = """
            #!/bin/sh
            echo "$@" >> "\(folder.file("started").path)"
            trap 'kill $!; exit 3' USR1
            sleep 60 & wait

            """
        try Data(text.utf8).write(to: worker)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: worker.path)
        var settings = Self.settings
        settings.program = worker.path
        let script = folder.file("script")
        try Data(BatchScript(settings, name: "winnow-cpu-abcde-3").text.utf8).write(to: script)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = [script.path]
        process.environment = ["TMPDIR": folder.file("").path, "PATH": "/usr/bin:/bin"]
        try withoutBlockedSignals { try process.run() }
        func started() -> String { (try? String(contentsOf: folder.file("started"), encoding: .utf8)) ?? "" }
        while started().split(separator: "\n").count < 2 { Thread.sleep(forTimeInterval: 0.01) }
        // The workers have set their traps by then, or do so at once.
        Thread.sleep(forTimeInterval: 0.5)
        kill(process.processIdentifier, SIGUSR1)
        process.waitUntilExit()
        #expect(process.terminationStatus == 3)
        for number in 1...2 { #expect(started().contains("--name winnow-cpu-abcde-3-\(number) ")) }
        #expect(started().contains("--lifetime 5340s --grace 50s"))
        #expect(started().contains("--memory 9GB"))
        let left = try FileManager.default.contentsOfDirectory(atPath: folder.file("").path)
        #expect(left.sorted() == ["my winnow", "script", "started"], "its own folder is gone")
    }

    @Test("words go to the shell as they are", arguments: ["plain", "two words", "it's", "$(touch x)", "", "a;b"])
    func quoting(word: String) throws {
        let process = Process(), output = Pipe()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = ["-c", "printf %s \(BatchScript.quoted(word))"]
        process.standardOutput = output
        try process.run()
        process.waitUntilExit()
        #expect(String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self) == word)
    }
}
