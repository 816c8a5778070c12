import ArgumentParser
import Foundation
import JobModel
import WireProtocol
import Worker
import ZeroMQ

/// `winnow bench idle-workers`: many workers without work in one process, for `winnow bench queue`.
///
/// Each is a connection of its own with the very conversation that a worker has: hello, heartbeats, credit.
struct IdleFleetCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "idle-workers", abstract: "Connect many workers that never get a job.", shouldDisplay: false)

    @Option(help: "Where the coordinator listens for workers.")
    var connect: String

    @Option(help: "Workers.")
    var count = 1000

    @Flag(help: ArgumentHelp("End when standard input does.", visibility: .hidden))
    var untilInputEnds = false

    func run() throws {
        if untilInputEnds { StandardInput.whenItEnds { _exit(0) } }
        try OpenFiles.raiseLimit()
        var fleet = try IdleFleet(connect, count: count)
        while true { try fleet.round() }
    }
}

/// The workers of `IdleFleetCommand`, all on one thread.
struct IdleFleet {
    private final class Member {
        let endpoint: String
        let context: Context
        var socket: Socket
        var state: LinkState

        init(_ number: Int, to endpoint: String, in context: Context) throws {
            self.endpoint = endpoint
            self.context = context
            socket = try Socket(.dealer, in: context, options: .connector)
            let configuration = WorkerConfiguration(endpoint: endpoint, name: WorkerName("idle-\(number)"))
            state = LinkState(configuration, capacity: 1)
        }

        func connect() throws {
            socket = try Socket(.dealer, in: context, options: .connector)
            try socket.connect(endpoint)
        }
    }

    /// libzmq gives a context at most 1,023 sockets.
    private static let socketsPerContext = 500

    private var members: [Member] = []

    init(_ endpoint: String, count: Int) throws {
        var context = try Context()
        for number in 0..<count {
            if number % Self.socketsPerContext == 0 { context = try Context() }
            let member = try Member(number, to: endpoint, in: context)
            try Self.perform(member.state.start(now: .now), of: member)
            members.append(member)
        }
    }

    /// Waits for the next due event and handles it.
    mutating func round() throws {
        let deadline = members.compactMap { $0.state.deadline }.min() ?? .now
        let isGreeting = members.contains { $0.state.isHelloUnsent }
        let patience = min(max(.zero, deadline - .now), isGreeting ? .milliseconds(20) : .seconds(1))
        let isReadable = try Poller.wait(for: members.map { $0.socket.pollSource }, timeout: patience)
        for (member, isReadable) in zip(members, isReadable) {
            while isReadable, let frames = try member.socket.receive() {
                try Self.perform(member.state.received(WireToWorker(frames: frames), now: .now), of: member)
            }
            try Self.perform(member.state.timePassed(now: .now) + member.state.retryHello(now: .now), of: member)
        }
    }

    private static func perform(_ actions: [LinkState.Action], of member: Member) throws {
        for action in actions {
            switch action {
            case .send(let message):
                do {
                    try member.socket.send(message.frames())
                } catch let error as ZeroMQError where error.isRetriable {
                    member.state.notSent(message)
                }
            case .end(let error): throw CommandFailure("a worker ended: \(error.map { "\($0)" } ?? "it was asked to")")
            case .connect: try member.connect()
            case .note: break
            case .admit, .drop, .rewrite, .hurry, .answered: break  // it gets no jobs
            }
        }
    }
}
