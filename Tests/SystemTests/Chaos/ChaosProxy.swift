import Foundation
import Glibc
import Synchronization

/// A proxy between workers and their coordinator that can cut, stall, delay, duplicate and reorder what they say.
///
/// It works in user space on TCP and ZMTP, so it needs neither rights nor a network of its own. A stall is what a silent
/// cut of the network looks like from both ends: nothing arrives, no connection ends, and what was sent comes after it.
final class ChaosProxy: Sendable {
    enum Direction: Int, CaseIterable, Sendable { case toCoordinator, toWorker }

    /// What happens to messages on their way; chances from 0 to 1.
    struct Mischief: Sendable {
        var duplicate = 0.0
        /// Chance that a message arrives after its successor.
        var swap = 0.0
        /// Milliseconds that everything takes at least and at most.
        var delay = 0...0
    }

    struct Orders: Sendable {
        var stalled: Set<Direction> = []
        var mischief = Mischief()
        var mustCut = false
        var mustEnd = false
    }

    let endpoint: String
    /// What the proxy's thread looks at in each round.
    private final class OrderBook: Sendable {
        let orders = Mutex(Orders())
    }
    private let book = OrderBook()

    /// Starts a proxy to `coordinator`, an endpoint such as `tcp://127.0.0.1:5757`.
    ///
    /// - Parameter watch: called on the proxy's thread with the frames of each message that it passes on to a worker.
    init(to coordinator: String, seed: UInt64, watch: @escaping @Sendable ([[UInt8]]) -> Void = { _ in }) throws {
        let listener = try TCP.listen()
        endpoint = "tcp://127.0.0.1:\(try TCP.port(of: listener))"
        guard let port = coordinator.split(separator: ":").last.flatMap({ UInt16($0) }) else {
            throw RunningWinnow.Trouble(description: "\(coordinator) has no port")
        }
        Thread.detachNewThread { [book] in
            var loop = ProxyLoop(listener: listener, coordinator: port, seed: seed, watch: watch)
            loop.run {
                book.orders.withLock { orders in
                    defer { orders.mustCut = false }
                    return orders
                }
            }
        }
    }

    /// Lets nothing through in these directions, until `heal`.
    func stall(_ directions: Direction...) { book.orders.withLock { $0.stalled.formUnion(directions) } }
    /// Lets everything through again, beginning with what waited.
    func heal() { book.orders.withLock { $0.stalled = [] } }
    /// Ends all connections; new ones are welcome.
    func cut() { book.orders.withLock { $0.mustCut = true } }
    /// Troubles messages from now on.
    func trouble(_ mischief: Mischief) { book.orders.withLock { $0.mischief = mischief } }
    /// Ends the proxy and its connections.
    func end() { book.orders.withLock { $0.mustEnd = true } }
}

/// The few calls on TCP sockets that a proxy needs.
enum TCP {
    static func listen() throws -> Int32 {
        let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = loopback(0)
        let bound = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard socket >= 0, bound == 0, Glibc.listen(socket, 64) == 0 else { throw trouble("listen") }
        _ = fcntl(socket, F_SETFL, O_NONBLOCK)
        return socket
    }

    static func port(of socket: Int32) throws -> UInt16 {
        var address = sockaddr_in(), size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let known = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(socket, $0, &size) }
        }
        guard known == 0 else { throw trouble("ask for a port") }
        return UInt16(bigEndian: address.sin_port)
    }

    /// A connection to this machine's `port`, nil where nobody listens.
    static func connect(_ port: UInt16) -> Int32? {
        let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = loopback(port)
        let connected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard connected == 0 else {
            close(socket)
            return nil
        }
        _ = fcntl(socket, F_SETFL, O_NONBLOCK)
        return socket
    }

    private static func loopback(_ port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        return address
    }

    private static func trouble(_ what: String) -> RunningWinnow.Trouble {
        RunningWinnow.Trouble(description: "cannot \(what): \(String(cString: strerror(errno)))")
    }
}
