import Foundation
import TestSupport

/// Two machines as far as the network can tell: namespaces `head` and `node`, joined by a cable.
///
/// Names are looked up in a file of the node's own, so that a test can let a name lead elsewhere.
final class TestNetwork {
    /// Whether this machine lets tests make namespaces, and why not.
    static let hindrance: String? = {
        guard getuid() == 0, ip != nil else { return "network namespaces take root and Debian's iproute2" }
        let name = "winnow-probe-\(getpid())"
        guard (try? run(["netns", "add", name])) != nil else { return "this machine makes no network namespaces" }
        let hasCable = (try? run(["-n", name, "link", "add", "cable", "type", "veth", "peer", "name", "other"])) != nil
        try? run(["netns", "del", name])
        return hasCable ? nil : "this machine makes no veth pairs"
    }()

    private static let ip = ["/usr/sbin/ip", "/usr/bin/ip", "/sbin/ip"].first(
        where: FileManager.default.isExecutableFile)

    private let head: String
    private let node: String
    private let hosts: URL

    init() throws {
        let number = "\(getpid())-\(UInt16.random(in: 0...UInt16.max))"
        (head, node) = ("winnow-head-\(number)", "winnow-node-\(number)")
        // `ip netns exec` shows this file as /etc/hosts to what it starts.
        hosts = URL(fileURLWithPath: "/etc/netns/\(node)/hosts")
        try FileManager.default.createDirectory(
            at: hosts.deletingLastPathComponent(), withIntermediateDirectories: true)
        try nameHead("10.77.1.1")
        for name in [head, node] {
            try Self.run(["netns", "add", name])
            try Self.run(["-n", name, "link", "set", "lo", "up"])
        }
        try Self.run(["link", "add", "cable", "netns", head, "type", "veth", "peer", "name", "cable", "netns", node])
        for (name, last) in [(head, "1"), (node, "2")] {
            try Self.run(["-n", name, "addr", "add", "10.77.1.\(last)/24", "dev", "cable"])
            // The head gets its second address, in a net of its own, from a test.
            if name == node { try Self.run(["-n", name, "addr", "add", "10.77.2.\(last)/24", "dev", "cable"]) }
            try Self.run(["-n", name, "addr", "add", "fd77::\(last)/64", "dev", "cable", "nodad"])
            try Self.run(["-n", name, "link", "set", "cable", "up"])
        }
    }

    deinit {
        for name in [head, node] { try? Self.run(["netns", "del", name]) }
        try? FileManager.default.removeItem(at: hosts.deletingLastPathComponent())
    }

    /// Lets the node's name for the head, `head.test`, lead to addresses.
    func nameHead(_ addresses: String...) throws {
        let text = (["127.0.0.1 localhost"] + addresses.map { "\($0) head.test" }).joined(separator: "\n") + "\n"
        // Written in place: a mounted file that is replaced stays the old one.
        if let file = try? FileHandle(forWritingTo: hosts) {
            try file.truncate(atOffset: 0)
            try file.write(contentsOf: Data(text.utf8))
            try file.close()
        } else {
            try Data(text.utf8).write(to: hosts)
        }
    }

    /// Gives the head one more address of IPv4.
    func addAddress(_ address: String) throws {
        try Self.run(["-n", head, "addr", "add", "\(address)/24", "dev", "cable"])
    }

    /// Takes an address of IPv4 away from the head: what is sent there goes unanswered.
    func removeAddress(_ address: String) throws {
        try Self.run(["-n", head, "addr", "del", "\(address)/24", "dev", "cable"])
    }

    /// Cuts the cable, of which neither side is told, or mends it.
    func cutCable(_ isCut: Bool) throws {
        // Packets are thrown away rather than the cable pulled: nobody notices a thing.
        if isCut {
            try Self.run(["-n", head, "route", "add", "blackhole", "10.77.1.2/32"])
        } else {
            try Self.run(["-n", head, "route", "del", "blackhole", "10.77.1.2/32"])
        }
    }

    /// Starts `winnow` on the head.
    func onHead(_ arguments: [String]) throws -> RunningWinnow { try start(head, arguments) }

    /// Starts `winnow` on the node.
    func onNode(_ arguments: [String]) throws -> RunningWinnow { try start(node, arguments) }

    private func start(_ name: String, _ arguments: [String]) throws -> RunningWinnow {
        try RunningWinnow(["netns", "exec", name, RunningWinnow.binary()] + arguments, program: Self.ip)
    }

    private static func run(_ arguments: [String]) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: ip ?? "/sbin/ip")
        process.arguments = arguments
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw RunningWinnow.Trouble(description: "ip \(arguments.joined(separator: " ")) failed")
        }
    }
}
