private import Dispatch
private import Foundation
private import Glibc
private import Synchronization

/// Answers one small request after the other on threads of its own: heads are short, bodies are not read, and every
/// connection ends with its answer or after a few seconds, whatever comes over it.
final class HTTPListener: Sendable {
    /// Connections that are served at the same time; others wait to be accepted.
    private static let mostConnections = 32
    /// How long a head may take to arrive, and an answer to leave.
    private static let patience = Duration.seconds(5)

    /// The port that it listens at.
    let port: UInt16
    private let socket: Int32
    private let isStopped = Atomic(false)
    private let places = DispatchSemaphore(value: mostConnections)

    /// Starts to listen.
    ///
    /// - Parameter answer: Called on a thread of the connection's own.
    init(
        _ address: ListenAddress, answer: @escaping @Sendable (HTTPRequest) -> HTTPAnswer
    ) throws(MonitoringServer.Failure) {
        func failure() -> MonitoringServer.Failure {
            let reason = String(cString: strerror(errno))
            return MonitoringServer.Failure(
                description: "the status page cannot be served at \(address): \(reason). Choose another --http address."
            )
        }
        let family = address.isIPv6 ? AF_INET6 : AF_INET
        let socket = Glibc.socket(family, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard socket >= 0 else { throw failure() }
        var on: Int32 = 1
        setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
        guard Self.bind(socket, to: address), listen(socket, 64) == 0, let port = Self.port(of: socket) else {
            let failure = failure()
            close(socket)
            throw failure
        }
        self.socket = socket
        self.port = port
        Thread.detachNewThread { [self] in serve(answer) }
    }

    /// Stops listening; answers that are under way are still sent.
    func stop() {
        guard !isStopped.exchange(true, ordering: .acquiringAndReleasing) else { return }
        // This ends the wait of the thread that accepts; it closes the socket.
        shutdown(socket, Int32(SHUT_RDWR))
    }

    private func serve(_ answer: @escaping @Sendable (HTTPRequest) -> HTTPAnswer) {
        defer { close(socket) }
        while !isStopped.load(ordering: .acquiring) {
            places.wait()
            let peer = accept(socket, nil, nil)
            guard peer >= 0 else {
                places.signal()
                // Out of file descriptors, for instance: other connections may release some.
                if !isStopped.load(ordering: .acquiring) { Thread.sleep(forTimeInterval: 0.05) }
                continue
            }
            _ = fcntl(peer, F_SETFD, FD_CLOEXEC)
            Thread.detachNewThread { [places] in
                Self.converse(peer, answer)
                close(peer)
                places.signal()
            }
        }
    }

    private static func converse(_ peer: Int32, _ answer: (HTTPRequest) -> HTTPAnswer) {
        let deadline = ContinuousClock.now + patience
        var head: [UInt8] = []
        while !isComplete(head) {
            guard head.count < HTTPRequest.maximumBytes else {
                return send(
                    HTTPAnswer(.headTooLarge, "a request is at most \(HTTPRequest.maximumBytes) bytes\n"), to: peer)
            }
            guard waits(for: peer, POLLIN, until: deadline) else { return }
            var piece = [UInt8](repeating: 0, count: HTTPRequest.maximumBytes - head.count)
            let count = recv(peer, &piece, piece.count, Int32(MSG_DONTWAIT))
            if count < 0, errno == EINTR || errno == EAGAIN { continue }
            guard count > 0 else { return }
            head += piece.prefix(count)
        }
        guard let request = HTTPRequest(head: head) else {
            return send(HTTPAnswer(.badRequest, "this is no request of HTTP/1.1\n"), to: peer)
        }
        send(answer(request), to: peer, withBody: request.method != "HEAD")
    }

    private static func isComplete(_ head: [UInt8]) -> Bool { head.firstRange(of: [0x0D, 0x0A, 0x0D, 0x0A]) != nil }

    private static func send(_ answer: HTTPAnswer, to peer: Int32, withBody: Bool = true) {
        let deadline = ContinuousClock.now + patience
        var rest = answer.bytes(withBody: withBody)[...]
        while !rest.isEmpty, waits(for: peer, POLLOUT, until: deadline) {
            let flags = Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL)
            let count = rest.withUnsafeBytes { Glibc.send(peer, $0.baseAddress, $0.count, flags) }
            if count < 0, errno == EINTR || errno == EAGAIN { continue }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
        shutdown(peer, Int32(SHUT_WR))
    }

    /// Whether a connection becomes ready in time.
    private static func waits(for peer: Int32, _ event: Int32, until deadline: ContinuousClock.Instant) -> Bool {
        while true {
            let left = deadline - .now
            guard left > .zero else { return false }
            var entry = pollfd(fd: peer, events: Int16(event), revents: 0)
            let result = poll(&entry, 1, Int32((left / .milliseconds(1)).rounded(.up)))
            if result < 0, errno == EINTR { continue }
            return result > 0
        }
    }

    private static func bind(_ socket: Int32, to address: ListenAddress) -> Bool {
        if address.isIPv6 {
            var place = sockaddr_in6()
            place.sin6_family = sa_family_t(AF_INET6)
            place.sin6_port = address.port.bigEndian
            guard inet_pton(AF_INET6, address.host, &place.sin6_addr) == 1 else {
                errno = EADDRNOTAVAIL
                return false
            }
            return bind(socket, &place)
        }
        var place = sockaddr_in()
        place.sin_family = sa_family_t(AF_INET)
        place.sin_port = address.port.bigEndian
        guard inet_pton(AF_INET, address.host, &place.sin_addr) == 1 else {
            errno = EADDRNOTAVAIL
            return false
        }
        return bind(socket, &place)
    }

    private static func bind<Place>(_ socket: Int32, _ place: inout Place) -> Bool {
        withUnsafeBytes(of: &place) {
            Glibc.bind(socket, $0.baseAddress?.assumingMemoryBound(to: sockaddr.self), socklen_t($0.count)) == 0
        }
    }

    /// The port that the system chose, or was told.
    private static func port(of socket: Int32) -> UInt16? {
        var place = sockaddr_storage()
        var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
        return withUnsafeMutableBytes(of: &place) { bytes in
            guard getsockname(socket, bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self), &size) == 0 else {
                return nil
            }
            // Family, then port in network order, in both kinds of addresses.
            return UInt16(bigEndian: bytes.loadUnaligned(fromByteOffset: 2, as: UInt16.self))
        }
    }
}
