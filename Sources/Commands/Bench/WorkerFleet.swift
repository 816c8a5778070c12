import ArgumentParser
import Foundation
import JobModel
import ResultFiles
import WireProtocol
import Worker
import ZeroMQ

/// `winnow bench fleet-workers`: many workers in one process, for `winnow bench queue` and `winnow bench fleet`.
///
/// Each is a connection of its own with the very conversation that a worker has: hello, heartbeats, credit, and a report of
/// the jobs that it was given, which take no time and leave no files.
struct FleetWorkersCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fleet-workers", abstract: "Connect many workers whose jobs take no time.", shouldDisplay: false)

    @Option(help: "Where the coordinator listens for workers.")
    var connect: String

    @Option(help: "Workers.")
    var count = 1000

    @Option(help: "Jobs that each worker holds.")
    var capacity = 1

    @Option(help: "What the workers' names begin with.")
    var name = "idle"

    @Option(help: "Workers a second that say goodbye, each followed by one with a new name.")
    var leaves = 0.0

    @Option(help: "Workers a second that vanish without a word, each followed by one with a new name.")
    var losses = 0.0

    @Flag(help: ArgumentHelp("End when standard input does.", visibility: .hidden))
    var untilInputEnds = false

    func run() throws {
        if untilInputEnds { StandardInput.whenItEnds { _exit(0) } }
        try OpenFiles.raiseLimit()
        var fleet = try WorkerFleet(connect, name: name, count: count, capacity: capacity)
        fleet.leaving = Turnover(rate: leaves)
        fleet.losing = Turnover(rate: losses)
        while true { try fleet.round() }
    }
}

/// The workers of `FleetWorkersCommand`, all on one thread.
struct WorkerFleet {
    private final class Member {
        let endpoint: String
        let context: Context
        var socket: Socket
        var state: LinkState
        /// Since when it is on its way out.
        var leavingSince: ContinuousClock.Instant?

        init(_ name: String, capacity: Int, to endpoint: String, in context: Context) throws {
            self.endpoint = endpoint
            self.context = context
            socket = try Socket(.dealer, in: context, options: .connector)
            var configuration = WorkerConfiguration(endpoint: endpoint, name: WorkerName(name))
            configuration.prefetch = 0
            state = LinkState(configuration, capacity: capacity)
        }

        func connect() throws {
            socket = try Socket(.dealer, in: context, options: .connector)
            try socket.connect(endpoint)
        }
    }

    /// libzmq gives a context at most 1,023 sockets.
    private static let socketsPerContext = 500
    /// How often every worker looks at its clock, and how often while some are not connected yet.
    private static let (tick, greetingTick) = (Duration.milliseconds(100), Duration.milliseconds(20))
    /// How long a worker that leaves stays connected at least.
    private static let farewell = Duration.seconds(1)

    var leaving = Turnover(rate: 0), losing = Turnover(rate: 0)
    private let endpoint: String
    private let name: String
    private let capacity: Int
    private var members: [Member] = []
    private var made = 0
    private var nextTick = ContinuousClock.now

    init(_ endpoint: String, name: String, count: Int, capacity: Int) throws {
        (self.endpoint, self.name, self.capacity) = (endpoint, name, capacity)
        var context = try Context()
        for number in 0..<count {
            if number % Self.socketsPerContext == 0 { context = try Context() }
            members.append(try member(in: context))
        }
    }

    /// A new worker that says hello.
    private mutating func member(in context: Context) throws -> Member {
        made += 1
        let member = try Member("\(name)-\(made)", capacity: capacity, to: endpoint, in: context)
        try Self.perform(member.state.start(now: .now), of: member)
        return member
    }

    /// Waits for messages and answers them; now and then lets time pass.
    mutating func round() throws {
        let isReadable = try Poller.wait(
            for: members.map { $0.socket.pollSource }, timeout: max(.zero, nextTick - .now))
        for (member, isReadable) in zip(members, isReadable) {
            while isReadable, let frames = try member.socket.receive() {
                try Self.perform(member.state.received(WireToWorker(frames: frames), now: .now), of: member)
            }
        }
        guard .now >= nextTick else { return }
        for member in members {
            try Self.perform(member.state.timePassed(now: .now) + member.state.retryHello(now: .now), of: member)
        }
        for _ in 0..<leaving.due() {
            guard let member = members.randomElement() else { break }
            member.leavingSince = .now
            try Self.perform(member.state.stop(now: .now), of: member)
        }
        for _ in 0..<losing.due() {
            guard let place = members.indices.randomElement() else { break }
            members[place] = try member(in: members[place].context)
        }
        for place in members.indices {
            // Its last words leave the process before its socket is closed.
            guard let since = members[place].leavingSince, members[place].state.hasEnded, .now > since + Self.farewell
            else { continue }
            members[place] = try member(in: members[place].context)
        }
        nextTick = .now + (members.contains { $0.state.isHelloUnsent } ? Self.greetingTick : Self.tick)
    }

    private static func perform(_ actions: [LinkState.Action], of member: Member) throws {
        var admitted: [LeasedJob] = []
        for action in actions {
            switch action {
            case .send(let message):
                do {
                    try member.socket.send(message.frames())
                } catch let error as ZeroMQError where error.isRetriable {
                    member.state.notSent(message)
                }
            case .end(let error):
                guard member.leavingSince != nil else {
                    throw CommandFailure("a worker ended: \(error.map { "\($0)" } ?? "it was asked to")")
                }
            case .connect: try member.connect()
            case .admit(let job): admitted.append(job)
            case .drop(let lease): try perform(member.state.dropped(lease), of: member)
            case .note, .rewrite, .hurry, .answered: break  // nothing is written
            }
        }
        for (batch, jobs) in Dictionary(grouping: admitted, by: \.batch) { try end(jobs, of: batch, by: member) }
    }

    /// Ends jobs and reports them, as if a shard held their rows.
    private static func end(_ jobs: [LeasedJob], of batch: BatchID, by member: Member) throws {
        var report = WireShardReport()
        report.batch = batch.rawValue
        report.shard = ShardName(.now()).path
        report.sha256 = Data(count: 32)
        for (index, job) in jobs.enumerated() {
            try perform(member.state.finished(job.lease), of: member)
            var row = WireRow()
            row.lease = WireLease(job.lease)
            row.row = UInt32(index)
            row.summary.answer = "nothing"
            report.rows.append(row)
        }
        try perform(member.state.sealed(report, now: .now), of: member)
    }
}

/// Something that happens so many times a second.
struct Turnover {
    private let rate: Double
    private let start = ContinuousClock.now
    private var happened = 0

    init(rate: Double) { self.rate = rate }

    /// How many more times it should have happened by now; they count as having happened.
    mutating func due() -> Int {
        let all = Int((ContinuousClock.now - start) / .seconds(1) * rate)
        defer { happened = all }
        return all - happened
    }
}
