private import Dispatch
private import FlyingFox
private import FlyingSocks
private import Foundation
private import Synchronization

/// Serves the status page, `/metrics` and `/healthz`, on tasks of its own: the coordinator never waits for it.
public final class MonitoringServer: Sendable {
    /// Why nothing can be served: the address, and what to do.
    public struct Failure: Error, CustomStringConvertible, Sendable {
        /// What went wrong and what to do.
        public let description: String
    }

    private let task: Task<Void, Never>
    /// Where it listens, with the port in full, such as `http://127.0.0.1:9090`.
    public let url: String

    /// Starts to serve, and returns once it listens; it blocks the calling thread until then.
    public init(_ address: ListenAddress, board: StatusBoard) throws {
        let server = try Self.server(address, StatusPages(board: board, isLoopback: address.isLoopback))
        let start = Start()
        task = Task.detached {
            do {
                try await server.run()
            } catch {
                start.settle(
                    .failure(
                        Failure(
                            description: "the status page cannot be served at \(address): \(error). "
                                + "Choose another --http address.")))
            }
        }
        Task.detached {
            do {
                try await server.waitUntilListening(timeout: 30)
                start.settle(.success(Self.url(address, await server.listeningAddress)))
            } catch {
                start.settle(.failure(Failure(description: "the status page cannot be served at \(address): \(error)")))
            }
        }
        do {
            url = try start.wait().get()
        } catch {
            task.cancel()
            throw error
        }
    }

    /// How the start went: the first to know says so.
    private final class Start: Sendable {
        private let outcome = Mutex<Result<String, Failure>?>(nil)
        private let isSettled = DispatchSemaphore(value: 0)

        func settle(_ result: Result<String, Failure>) {
            outcome.withLock { $0 = $0 ?? result }
            isSettled.signal()
        }

        func wait() -> Result<String, Failure> {
            while true {
                isSettled.wait()
                if let result = outcome.withLock({ $0 }) { return result }
            }
        }
    }

    deinit { task.cancel() }

    /// Stops serving.
    public func stop() { task.cancel() }

    private static func server(_ address: ListenAddress, _ pages: StatusPages) throws -> HTTPServer {
        if address.isIPv6 {
            let place: sockaddr_in6 = try .inet6(ip6: address.host, port: address.port)
            return HTTPServer(address: place, timeout: 15, logger: .disabled, handler: pages)
        }
        let place: sockaddr_in = try .inet(ip4: address.host, port: address.port)
        return HTTPServer(address: place, timeout: 15, logger: .disabled, handler: pages)
    }

    private static func url(_ address: ListenAddress, _ found: FlyingSocks.Socket.Address?) -> String {
        switch found {
        case .ip4(let host, let port): "http://\(host):\(port)"
        case .ip6(let host, let port): "http://[\(host)]:\(port)"
        case .unix, nil: "http://\(address)"
        }
    }
}
