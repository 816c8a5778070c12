internal import Foundation
public import WireProtocol
public import ZeroMQ

/// A request to the coordinator that was not answered as asked.
public struct CoordinatorClientError: Error, CustomStringConvertible, Sendable {
    /// The kind of failure.
    public enum Code: Sendable, Hashable {
        /// No coordinator answers at the endpoint.
        case noAnswer
        /// The caller stopped waiting.
        case givenUp
        /// The request is larger than messages may be.
        case tooLarge
        /// The coordinator refuses; `refusal` says which of its reasons.
        case refused
        /// The other side does not speak this protocol, or another version of it.
        case misunderstood
        /// The endpoint cannot be used.
        case transport
    }

    /// The kind of failure.
    public let code: Code
    /// What went wrong and what to do.
    public let message: String
    /// The coordinator's own code where it refused, such as `no-such-batch`.
    public let refusal: String?

    /// The message.
    public var description: String { message }

    /// Whether the request itself was at fault.
    var isUsage: Bool {
        let usage = [
            "no-such-batch", "no-such-item", "no-such-worker", "bad-state", "bad-name", "bad-item", "bad-description",
            "changed-batch", "changed-item", WireRefusal.otherPortCode, "batch-ended", "batch-not-ended",
            "results-taken",
            "implausible", "too-large",
        ]
        return refusal.map(usage.contains) ?? false
    }
}

extension WireToClient {
    /// Whether it refuses whoever came to the port where workers connect, which does not read the number of a client's request.
    fileprivate var isOfOtherPort: Bool {
        if case .refusal(let refusal) = kind { refusal.code == WireRefusal.otherPortCode } else { false }
    }
}

/// Asks a coordinator: one request, one answer, in order.
///
/// It belongs to one thread. The first request says hello. A request without an answer in time may have been carried out
/// all the same; an answer that comes too late is ignored.
public final class CoordinatorClient {
    /// How long nobody may be there before it is found out why.
    private static let quiet = Duration.seconds(2)

    private let endpoint: String
    private let patience: Duration
    private let isSilent: Bool
    /// Whether waiting for an answer still makes sense; asked again and again meanwhile.
    private let goesOn: () -> Bool
    private let session = UUID().uuidString
    private let socket: Socket
    private let monitor: ConnectionMonitor
    private var lastRequest: UInt64 = 0
    private var isWelcome = false
    /// Whether the coordinator has ever answered.
    var hasAnswered: Bool { isWelcome }
    /// Whether the last connection was refused rather than not answered.
    private(set) var isRefused = false

    /// A client of the coordinator at an endpoint such as `tcp://127.0.0.1:5758`.
    ///
    /// - Parameters:
    ///   - patience: how long one answer may take.
    ///   - security: the client's key and the coordinator's, except on loopback.
    ///   - isSilent: whether nothing is said on standard error while it looks for the coordinator.
    ///   - goesOn: whether waiting still makes sense; where it does not, requests end with ``CoordinatorClientError/Code-swift.enum/givenUp``.
    public init(
        endpoint: String, patience: Duration = .seconds(10), security: SocketSecurity = .none,
        isSilent: Bool = false, goesOn: @escaping () -> Bool = { true }
    ) throws(CoordinatorClientError) {
        self.endpoint = endpoint
        self.patience = patience
        self.isSilent = isSilent
        self.goesOn = goesOn
        do throws(ZeroMQError) {
            let context = try Context()
            var options = SocketOptions.connector
            options.security = security
            let socket = try Socket(.dealer, in: context, options: options)
            let monitor = try ConnectionMonitor(socket.reportConnections(), in: context)
            try socket.connect(endpoint)
            self.socket = socket
            self.monitor = monitor
        } catch {
            throw CoordinatorClientError(code: .transport, message: "\(error)", refusal: nil)
        }
    }

    /// Sends a request and waits for its answer; a refusal is thrown.
    public func request(_ kind: WireFromClient.OneOf_Kind) throws(CoordinatorClientError) -> WireToClient {
        if !isWelcome {
            guard case .welcome(let welcome) = try exchange(.hello(.client(session: session))).kind else {
                throw misunderstood("its first answer is not a welcome")
            }
            do {
                try ProtocolVersion.check(welcome)
            } catch {
                throw misunderstood(error.message)
            }
            isWelcome = true
        }
        return try exchange(kind)
    }

    private func exchange(_ kind: WireFromClient.OneOf_Kind) throws(CoordinatorClientError) -> WireToClient {
        lastRequest += 1
        var message = WireFromClient()
        message.request = lastRequest
        message.kind = kind
        let answer = try deliver(message)
        if case .refusal(let refusal) = answer.kind {
            throw CoordinatorClientError(code: .refused, message: refusal.message, refusal: refusal.code)
        }
        return answer
    }

    /// Sends as soon as there is a connection and returns the answer with the request's number.
    private func deliver(_ message: WireFromClient) throws(CoordinatorClientError) -> WireToClient {
        let frames: [[UInt8]]
        do {
            frames = try message.frames()
        } catch {
            throw CoordinatorClientError(code: .tooLarge, message: error.message, refusal: nil)
        }
        var search: Reachability?
        do {
            let start = ContinuousClock.now, deadline = start + patience
            // Connecting takes no event on the socket, so until then a short wait stands in for one.
            while try !send(frames), .now < deadline {
                try wait(until: .now + .milliseconds(20))
                guard !hasAnswered, .now > start + Self.quiet else { continue }
                search = search ?? findOutWhy(until: deadline)
                if let hindrance = search?.hindrance, hindrance.isFinal { throw noAnswer(hindrance) }
            }
            while .now < deadline {
                if let answer = try receive(), answer.request == message.request || answer.isOfOtherPort {
                    return answer
                }
                try wait(until: min(deadline, .now + .milliseconds(500)))
            }
        } catch let error as CoordinatorClientError {
            throw error
        } catch let error as WireError {
            throw misunderstood(error.message)
        } catch {
            throw CoordinatorClientError(code: .transport, message: "\(endpoint): \(error)", refusal: nil)
        }
        let refusal = lastRefusal()
        isRefused = refusal != nil
        if let refusal {
            throw CoordinatorClientError(
                code: .noAnswer, message: "\(endpoint) refuses the connection: \(refusal.advice)", refusal: nil)
        }
        throw noAnswer(search?.hindrance)
    }

    /// Says within seconds why no coordinator answers, while connection attempts go on.
    private func findOutWhy(until deadline: ContinuousClock.Instant) -> Reachability {
        Reachability(of: endpoint) { [isSilent] hindrance in
            guard !isSilent else { return }
            let left = max(0, Int((deadline - .now) / .seconds(1)))
            if !hindrance.isFinal, left > 0 { printError("winnow: \(hindrance); trying for another \(left) s") }
        }
    }

    private func noAnswer(_ hindrance: Reachability.Hindrance?) -> CoordinatorClientError {
        let why = hindrance.map { ": \($0)." } ?? ": is it running?"
        return CoordinatorClientError(
            code: .noAnswer,
            message: "no coordinator answers at \(endpoint)\(why) Start one with 'winnow coordinator'.", refusal: nil)
    }

    /// How the last connection was refused; nil if one stands, or nobody is there.
    private func lastRefusal() -> ConnectionMonitor.Event? {
        var refusal: ConnectionMonitor.Event?
        while let event = try? monitor.next() {
            switch event {
            case .handshakeFailed, .keyRefused: refusal = event
            case .handshakeSucceeded: refusal = nil
            case .accepted, .connected, .disconnected, .acceptFailed, .other: break
            }
        }
        return refusal
    }

    /// False where there is no connection yet.
    private func send(_ frames: [[UInt8]]) throws(ZeroMQError) -> Bool {
        do {
            try socket.send(frames)
            return true
        } catch {
            guard error.isRetriable else { throw error }
            return false
        }
    }

    private func receive() throws -> WireToClient? {
        guard let frames = try socket.receive() else { return nil }
        return try WireToClient(frames: frames)
    }

    private func wait(until deadline: ContinuousClock.Instant) throws {
        guard goesOn() else {
            throw CoordinatorClientError(
                code: .givenUp, message: "gave up waiting for the coordinator at \(endpoint)", refusal: nil)
        }
        _ = try Poller.wait(for: [socket.pollSource], timeout: max(.zero, deadline - .now))
    }

    private func misunderstood(_ reason: String) -> CoordinatorClientError {
        CoordinatorClientError(
            code: .misunderstood,
            message: "the process at \(endpoint) is not a coordinator that this version understands: \(reason)",
            refusal: nil)
    }
}
