private import CZeroMQ
private import Foundation
private import Glibc
private import Synchronization

/// Finds out why connections to a TCP endpoint fail; libzmq only keeps trying.
///
/// It is found out on a thread of its own, by looking up the name and by one connection that is closed again at once.
public final class Reachability: Sendable {
    /// Why nobody can be reached.
    public enum Hindrance: Sendable, Hashable, CustomStringConvertible {
        /// No machine has the name.
        case unknownHost(String, reason: String)
        /// The machine is there and no process listens at the port.
        case refused(String)
        /// There is no way to the machine, or it does not answer.
        case unreachable(String, reason: String)

        /// What is wrong and what to look at.
        public var description: String {
            switch self {
            case .unknownHost(let host, let reason): "the host name '\(host)' is not known (\(reason))"
            case .refused(let place): "nothing listens at \(place): the machine answers and refuses the connection"
            case .unreachable(let place, let reason):
                "\(place) cannot be reached (\(reason)): check the address, the network and firewalls"
            }
        }

        /// Whether it will not pass by itself.
        public var isFinal: Bool { if case .unknownHost = self { true } else { false } }
    }

    private let found = Mutex<Hindrance?>(nil)

    /// Begins to find out.
    ///
    /// - Parameters:
    ///   - patience: How long each address of the machine may take to answer.
    ///   - tell: Called on another thread where something hinders.
    public init(
        of endpoint: String, patience: Duration = .seconds(2), tell: @escaping @Sendable (Hindrance) -> Void = { _ in }
    ) {
        Thread.detachNewThread { [self] in
            guard let hindrance = Self.hindrance(of: endpoint, patience: patience) else { return }
            found.withLock { $0 = hindrance }
            tell(hindrance)
        }
    }

    /// What hinders; nil if nothing does, or nothing has been found out yet.
    public var hindrance: Hindrance? { found.withLock { $0 } }

    private static func hindrance(of endpoint: String, patience: Duration) -> Hindrance? {
        guard let (host, port) = EndpointReach.target(of: endpoint) else { return nil }
        let lookup = NameLookup(host, port)
        guard !lookup.addresses.isEmpty else { return .unknownHost(host, reason: lookup.failure) }
        var last: Hindrance?
        for address in lookup.addresses {
            guard let hindrance = address.hindrance(patience) else { return nil }
            last = hindrance
        }
        return last
    }
}

/// The addresses behind a name: those of IPv4 first, then those of IPv6.
private struct NameLookup {
    /// An address and how to talk to it.
    struct Address {
        let place: String
        let family: Int32
        let bytes: [UInt8]

        /// Why no connection can be made there.
        func hindrance(_ patience: Duration) -> Reachability.Hindrance? {
            let kinds = [SOCK_STREAM, SOCK_CLOEXEC, SOCK_NONBLOCK]
            let file = socket(family, kinds.reduce(0) { $0 | Int32($1.rawValue) }, 0)
            guard file >= 0 else { return .unreachable(place, reason: String(cString: strerror(errno))) }
            defer { close(file) }
            let result = bytes.withUnsafeBytes {
                connect(file, $0.baseAddress?.assumingMemoryBound(to: sockaddr.self), socklen_t($0.count))
            }
            var number = result == 0 ? 0 : errno
            if number == EINPROGRESS {
                var waiting = pollfd(fd: file, events: Int16(POLLOUT), revents: 0)
                guard poll(&waiting, 1, patience.milliseconds) > 0 else {
                    return .unreachable(place, reason: "no answer for \(patience)")
                }
                var size = socklen_t(MemoryLayout<Int32>.size)
                getsockopt(file, SOL_SOCKET, SO_ERROR, &number, &size)
            }
            switch number {
            case 0: return nil
            case ECONNREFUSED: return .refused(place)
            default: return .unreachable(place, reason: String(cString: strerror(number)))
            }
        }
    }

    private(set) var addresses: [Address] = []
    /// Why no address was found.
    private(set) var failure = ""

    init(_ host: String, _ port: String) {
        for family in [AF_INET, AF_INET6] {
            var hints = addrinfo()
            hints.ai_family = family
            hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
            var list: UnsafeMutablePointer<addrinfo>?
            let result = getaddrinfo(host, port, &hints, &list)
            guard result == 0 else {
                if failure.isEmpty || family == AF_INET { failure = String(cString: gai_strerror(result)) }
                continue
            }
            defer { freeaddrinfo(list) }
            var next = list
            while let entry = next?.pointee {
                if let address = entry.ai_addr {
                    let bytes = UnsafeRawBufferPointer(start: address, count: Int(entry.ai_addrlen))
                    let place = host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
                    addresses.append(Address(place: place, family: entry.ai_family, bytes: [UInt8](bytes)))
                }
                next = entry.ai_next
            }
        }
    }
}

extension EndpointReach {
    /// Longest time to look for addresses before a connection is begun.
    private static let lookupPatience = 2.0

    /// Why a text is no endpoint, and what one looks like; nil if it is one. `port` is that of the example.
    public static func flaw(of endpoint: String, port: Int) -> String? {
        let parts = endpoint.split(separator: "://", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2 else {
            let isPort = !endpoint.isEmpty && endpoint.allSatisfy(\.isNumber)
            let place = isPort ? "127.0.0.1:\(endpoint)" : endpoint.contains(":") ? endpoint : "\(endpoint):\(port)"
            return "'\(endpoint)' is no address of a coordinator, which begins with tcp://, such as tcp://\(place)"
        }
        if ["inproc", "ipc"].contains(parts[0]) { return nil }
        guard parts[0] == "tcp" else {
            return "'\(endpoint)' is no address of a coordinator, which begins with tcp:// and not with \(parts[0])://"
        }
        guard let target = target(of: endpoint), !target.host.isEmpty else {
            return "'\(endpoint)' lacks its port, as in tcp://127.0.0.1:\(port)"
        }
        guard target.port == "*" || UInt16(target.port) ?? 0 > 0 else {
            return "'\(endpoint)' has no port from 1 to 65535, as in tcp://127.0.0.1:\(port)"
        }
        return nil
    }

    /// The host without brackets and the port of a TCP endpoint; nil for others.
    static func target(of endpoint: String) -> (host: String, port: String)? {
        guard endpoint.hasPrefix("tcp://") else { return nil }
        // A source address may stand before the target: tcp://source;target.
        guard let target = endpoint.dropFirst(6).split(separator: ";").last, let colon = target.lastIndex(of: ":")
        else {
            return nil
        }
        let host = target[..<colon], port = String(target[target.index(after: colon)...])
        return (host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : String(host), port)
    }

    /// Whether an endpoint needs IPv6: its address is one of it, or its host has no other.
    ///
    /// libzmq takes either the one or the other. Where a host has both, it is IPv4, at which coordinators listen by default,
    /// unless nobody takes a connection there and somebody does at an address of IPv6.
    ///
    /// - Parameter connects: whether the endpoint is one to connect to, whose host may be a name.
    static func needsIPv6(_ endpoint: String, connects: Bool) -> Bool {
        guard let (host, port) = target(of: endpoint) else { return false }
        if host.contains(":") { return true }
        guard connects, host.contains(where: { !$0.isNumber && $0 != "." }) else { return false }
        // A name server that is away may take its time; then nothing is known, and libzmq does what it can.
        let answer = LookupAnswer()
        Thread.detachNewThread {
            let addresses = NameLookup(host, port).addresses
            let (newer, older) = (addresses.filter { $0.family == AF_INET6 }, addresses.filter { $0.family == AF_INET })
            func isReached(_ those: [NameLookup.Address]) -> Bool {
                those.contains { $0.hindrance(.milliseconds(500)) == nil }
            }
            answer.settle(!newer.isEmpty && (older.isEmpty || !isReached(older) && isReached(newer)))
        }
        return answer.wait(seconds: lookupPatience)
    }
}

/// What a look-up on another thread found.
private final class LookupAnswer: Sendable {
    private let value = Mutex(false)
    private let isSettled = DispatchSemaphore(value: 0)

    func settle(_ answer: Bool) {
        value.withLock { $0 = answer }
        isSettled.signal()
    }

    /// The answer; false if it does not come in time.
    func wait(seconds: Double) -> Bool {
        _ = isSettled.wait(timeout: .now() + seconds)
        return value.withLock { $0 }
    }
}
