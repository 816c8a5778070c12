import Foundation
import TestSupport

/// A Slurm of a test's own on this machine: a controller and two nodes of four processors each, which do not exist.
///
/// Everything is in a folder that goes away with this value, and so do the jobs.
final class SlurmCluster {
    /// Whether the programs are here and may be started, and why not.
    static let hindrance: String? = {
        for program in ["sbatch", "slurmctld", "slurmd", "munged"] where path(of: program) == nil {
            return "\(program) is not installed (Debian: slurm-wlm and munge)"
        }
        return getuid() == 0 ? nil : "the test's Slurm runs as root"
    }()

    private let folder: TemporaryDirectory
    private let port: Int
    private let host: String

    /// Where clients find its configuration.
    var configuration: String { folder.file("slurm.conf").path }
    /// What clients need in their environment.
    var environment: [String: String] { ["SLURM_CONF": configuration] }

    /// Starts it, and waits until both nodes take jobs.
    ///
    /// - Parameters:
    ///   - enforcesLimits: Whether jobs that no partition takes are refused rather than left in line for ever.
    init(enforcesLimits: Bool = true) async throws {
        folder = try TemporaryDirectory()
        port = Int.random(in: 20_000..<30_000)
        host = try Self.output("hostname", ["-s"]).trimmingCharacters(in: .whitespacesAndNewlines)
        for name in ["munge", "state", "spool-n1", "spool-n2", "log", "run"] {
            try FileManager.default.createDirectory(
                at: folder.file(name), withIntermediateDirectories: true, attributes: [.posixPermissions: 0o755])
        }
        let key = folder.file("munge/key")
        try Data((0..<128).map { _ in UInt8.random(in: 0...255) }).write(to: key)
        try FileManager.default.setAttributes([.posixPermissions: 0o400], ofItemAtPath: key.path)
        try Data(text(enforcesLimits).utf8).write(to: URL(fileURLWithPath: configuration))
        // A munged that is asked by name refuses folders that others may write to.
        try run(
            "munged",
            [
                "--key-file=\(key.path)", "--socket=\(place("munge/sock"))", "--pid-file=\(place("munge/pid"))",
                "--log-file=\(place("log/munged.log"))", "--seed-file=\(place("munge/seed"))", "--force",
            ])
        try startController()
        for node in ["n1", "n2"] { try run("slurmd", ["-N", node, "-f", configuration]) }
        try await eventually("the nodes of Slurm are idle") {
            try query("sinfo", ["-h", "-p", "main", "-o", "%D %T"]) == "2 idle"
        }
    }

    deinit {
        _ = try? query("scancel", ["-f", "-u", "root"])
        Thread.sleep(forTimeInterval: 1)
        for name in ["run/slurmctld.pid", "run/slurmd-n1.pid", "run/slurmd-n2.pid", "munge/pid"] { end(name) }
        // What a script left running, and the steps that watch it.
        _ = try? Self.output("pkill", ["-9", "-f", folder.url.path])
    }

    /// Starts the controller.
    func startController() throws { try run("slurmctld", ["-f", configuration]) }

    /// Ends the controller, which keeps what it knows.
    func stopController() { end("run/slurmctld.pid") }

    /// What a client's command prints, without space around it.
    @discardableResult
    func query(_ program: String, _ arguments: [String]) throws -> String {
        try Self.output(program, arguments, environment: environment).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// Names and states of the jobs that hold a machine, or wait for one.
    func jobs() throws -> [String] {
        try query("squeue", ["-h", "-o", "%i|%T|%j"]).split(separator: "\n").map(String.init)
    }

    private func place(_ name: String) -> String { folder.file(name).path }

    private func run(_ program: String, _ arguments: [String]) throws { _ = try query(program, arguments) }

    /// Ends the process whose number a file holds, and waits for that.
    private func end(_ file: String) {
        guard let text = try? String(contentsOf: folder.file(file), encoding: .utf8),
            let number = pid_t(text.trimmingCharacters(in: .whitespacesAndNewlines))
        else { return }
        kill(number, SIGTERM)
        for _ in 0..<400 where kill(number, 0) == 0 { Thread.sleep(forTimeInterval: 0.02) }
        kill(number, SIGKILL)
    }

    private static func path(of program: String) -> String? {
        ["/usr/bin", "/usr/sbin", "/bin", "/sbin"].map { "\($0)/\(program)" }
            .first(where: FileManager.default.isExecutableFile)
    }

    private static func output(
        _ program: String, _ arguments: [String], environment: [String: String] = [:]
    ) throws -> String {
        guard let path = path(of: program) else { throw RunningWinnow.Trouble(description: "no \(program)") }
        let process = try RunningWinnow(arguments, program: path, environment: environment)
        while process.isRunning { Thread.sleep(forTimeInterval: 0.01) }
        guard process.code == 0 else {
            throw RunningWinnow.Trouble(
                description: "\(program) \(arguments.joined(separator: " ")): \(process.errors)")
        }
        return process.output
    }

    private func text(_ enforcesLimits: Bool) -> String {
        """
        ClusterName=test
        SlurmctldHost=\(host)(127.0.0.1)
        SlurmctldPort=\(port)
        SlurmUser=root
        SlurmdUser=root
        AuthType=auth/munge
        CredType=cred/munge
        AuthInfo=socket=\(place("munge/sock"))
        StateSaveLocation=\(place("state"))
        SlurmdSpoolDir=\(folder.url.path)/spool-%n
        SlurmctldPidFile=\(place("run/slurmctld.pid"))
        SlurmdPidFile=\(folder.url.path)/run/slurmd-%n.pid
        SlurmctldLogFile=\(place("log/slurmctld.log"))
        SlurmdLogFile=\(folder.url.path)/log/slurmd-%n.log
        ProctrackType=proctrack/linuxproc
        TaskPlugin=task/none
        JobAcctGatherType=jobacct_gather/none
        AccountingStorageType=accounting_storage/none
        SelectType=select/cons_tres
        SelectTypeParameters=CR_CPU_Memory
        MpiDefault=none
        ReturnToService=1
        SlurmdParameters=config_overrides
        EnforcePartLimits=\(enforcesLimits ? "ALL" : "NO")
        KillWait=5
        MinJobAge=300
        SlurmdTimeout=30
        MessageTimeout=10
        NodeName=n1 NodeHostname=\(host) NodeAddr=127.0.0.1 Port=\(port + 1) CPUs=4 RealMemory=4000
        NodeName=n2 NodeHostname=\(host) NodeAddr=127.0.0.1 Port=\(port + 2) CPUs=4 RealMemory=4000
        PartitionName=main Nodes=n1,n2 Default=YES MaxTime=60 DefaultTime=10 DefMemPerCPU=100 State=UP
        PartitionName=short Nodes=n1 MaxTime=2 State=UP

        """
    }
}
