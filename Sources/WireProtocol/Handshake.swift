extension WireHello {
    /// The first message of a client.
    public static func client(session: String) -> WireHello {
        var hello = WireHello()
        hello.protocolVersion = ProtocolVersion.current
        hello.software = ProtocolVersion.software
        hello.session = session
        return hello
    }

    /// The first message of a worker: its stable name, this start of the process, what it still holds, its machine, and how long
    /// it still takes jobs.
    public static func worker(
        _ name: String, session: String, capacity: Int, prefetch: Int = 0, held: [WireLease], host: String = "",
        timeLeft: Duration? = nil
    ) -> WireHello {
        var hello = client(session: session)
        hello.worker = name
        hello.host = host
        // 0 means no limit, so no time left is sent as the least number above 0.
        hello.secondsLeft = timeLeft.map { max($0 / .seconds(1), .leastNonzeroMagnitude) } ?? 0
        hello.capacity = UInt32(clamping: capacity)
        hello.prefetch = UInt32(clamping: prefetch)
        hello.held = held
        return hello
    }
}

extension WireWelcome {
    /// The answer to an accepted Hello: how often to send heartbeats and how long a lease lasts without one.
    public init(heartbeat: Duration, lease: Duration) {
        self.init()
        protocolVersion = ProtocolVersion.current
        software = ProtocolVersion.software
        heartbeatMilliseconds = heartbeat.wireMilliseconds
        leaseMilliseconds = lease.wireMilliseconds
    }

    /// How often a worker sends heartbeats.
    public var heartbeat: Duration { .milliseconds(Int64(heartbeatMilliseconds)) }
}

extension WireRefusal {
    /// The code of a refusal for another protocol version.
    public static let versionCode = "protocol-version"
    /// The code of a refusal of a client where workers connect, or of a worker where clients do.
    public static let otherPortCode = "other-port"

    /// A refusal that says why and what to do.
    public init(code: String, message: String) {
        self.init()
        self.code = code
        self.message = message
    }
}

extension WireLease {
    /// One attempt at one job.
    public init(job: UInt64, epoch: UInt64, progress: UInt64 = 0, isComputed: Bool = false) {
        self.init()
        self.job = job
        self.epoch = epoch
        self.progress = progress
        self.isComputed = isComputed
    }
}

extension Duration {
    fileprivate var wireMilliseconds: UInt32 {
        let (seconds, attoseconds) = components
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000)
        return overflow ? .max : UInt32(clamping: whole + attoseconds / 1_000_000_000_000_000)
    }
}
