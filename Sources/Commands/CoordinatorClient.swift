internal import Foundation
public import WireProtocol
private import ZeroMQ

/// A request to the coordinator that was not answered as asked.
public struct CoordinatorClientError: Error, CustomStringConvertible, Sendable {
    /// The kind of failure.
    public enum Code: Sendable, Hashable {
        /// Nobody answers at the endpoint.
        case noAnswer
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
    /// The coordinator's own code where it refused, such as `unknown-batch`.
    public let refusal: String?

    /// The message.
    public var description: String { message }
}

/// Asks a coordinator: one request, one answer, in order.
///
/// It belongs to one thread. The first request says hello. A request without an answer in time may have been carried out
/// all the same; an answer that comes too late is ignored.
public struct CoordinatorClient: ~Copyable {
    private let endpoint: String
    private let patience: Duration
    private let session = UUID().uuidString
    private let context: Context
    private let socket: Socket
    private var lastRequest: UInt64 = 0
    private var isWelcome = false

    /// A client of the coordinator at an endpoint such as `tcp://127.0.0.1:5599`.
    ///
    /// - Parameter patience: how long one answer may take.
    public init(endpoint: String, patience: Duration = .seconds(10)) throws(CoordinatorClientError) {
        self.endpoint = endpoint
        self.patience = patience
        do throws(ZeroMQError) {
            context = try Context()
            socket = try Socket(.dealer, in: context, options: .connector)
            try socket.connect(endpoint)
        } catch {
            throw CoordinatorClientError(code: .transport, message: "\(error)", refusal: nil)
        }
    }

    /// Sends a request and waits for its answer; a refusal is thrown.
    public mutating func request(_ kind: WireFromClient.OneOf_Kind) throws(CoordinatorClientError) -> WireToClient {
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

    private mutating func exchange(_ kind: WireFromClient.OneOf_Kind) throws(CoordinatorClientError) -> WireToClient {
        lastRequest += 1
        var message = WireFromClient()
        message.request = lastRequest
        message.kind = kind
        let answer: WireToClient
        do {
            answer = try answer(to: message.frames())
        } catch let error as CoordinatorClientError {
            throw error
        } catch let error as WireError {
            throw misunderstood(error.message)
        } catch {
            throw CoordinatorClientError(code: .transport, message: "\(endpoint): \(error)", refusal: nil)
        }
        if case .refusal(let refusal) = answer.kind {
            throw CoordinatorClientError(code: .refused, message: refusal.message, refusal: refusal.code)
        }
        return answer
    }

    /// Sends as soon as there is a connection and returns the answer with the request's number.
    private func answer(to frames: [[UInt8]]) throws -> WireToClient {
        let deadline = ContinuousClock.now + patience
        var sent = false
        while ContinuousClock.now < deadline {
            if !sent {
                do {
                    try socket.send(frames)
                    sent = true
                } catch let error where error.isRetriable {}
            }
            while let frames = try socket.receive() {
                let answer = try WireToClient(frames: frames)
                if answer.request == lastRequest { return answer }
            }
            // Connecting takes no event on the socket, so until then a short wait stands in for one.
            let left = max(.zero, deadline - .now)
            _ = try Poller.wait(for: [socket.pollSource], timeout: sent ? left : min(left, .milliseconds(20)))
        }
        throw CoordinatorClientError(
            code: .noAnswer,
            message: "no coordinator answers at \(endpoint): is it running? Start one with 'winnow coordinator'.",
            refusal: nil)
    }

    private func misunderstood(_ reason: String) -> CoordinatorClientError {
        CoordinatorClientError(
            code: .misunderstood, message: "the process at \(endpoint) is no coordinator we understand: \(reason)",
            refusal: nil)
    }
}
