/// Serves the status page, `/metrics` and `/healthz`, on threads of its own: the coordinator never waits for it.
public final class MonitoringServer: Sendable {
    /// Why nothing can be served: the address, and what to do.
    public struct Failure: Error, CustomStringConvertible, Sendable {
        /// What went wrong and what to do.
        public let description: String
    }

    private let listener: HTTPListener
    /// Where it listens, with the port in full, such as `http://127.0.0.1:9090`.
    public let url: String

    /// Starts to serve; it listens when this returns.
    public init(_ address: ListenAddress, board: StatusBoard) throws(Failure) {
        let pages = StatusPages(board: board, isLoopback: address.isLoopback)
        listener = try HTTPListener(address) { pages.answer(to: $0) }
        url = "http://\(address.at(port: listener.port))"
    }

    deinit { stop() }

    /// Stops serving.
    public func stop() { listener.stop() }
}
