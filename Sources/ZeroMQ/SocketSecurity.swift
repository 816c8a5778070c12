private import CZeroMQ

/// How the connections of a socket are protected.
public enum SocketSecurity: Hashable, Sendable {
    /// No encryption: for connections that do not leave the machine.
    case none
    /// CURVE, listening side: encrypted, and both sides prove their keys.
    case server(secretKey: CurveSecretKey)
    /// CURVE, connecting side: talks to nobody but the owner of `server`.
    case client(own: CurveKeyPair, server: CurvePublicKey)

    /// The libzmq option numbers and values.
    var settings: [(option: Int32, value: [UInt8])] {
        switch self {
        case .none: []
        case .server(let secretKey): [(ZMQ_CURVE_SERVER, Self.bytes(of: 1)), (ZMQ_CURVE_SECRETKEY, secretKey.bytes)]
        case .client(let own, let server):
            [
                (ZMQ_CURVE_SERVERKEY, server.bytes), (ZMQ_CURVE_PUBLICKEY, own.publicKey.bytes),
                (ZMQ_CURVE_SECRETKEY, own.secretKey.bytes),
            ]
        }
    }

    private static func bytes(of number: Int32) -> [UInt8] { withUnsafeBytes(of: number) { [UInt8]($0) } }
}

/// Whether an endpoint stays on this machine.
public enum EndpointReach {
    /// True for `inproc`, `ipc`, and TCP on a loopback address; false for everything else, wildcards included.
    public static func isLoopback(_ endpoint: String) -> Bool {
        guard let end = endpoint.firstRange(of: "://") else { return false }
        let rest = endpoint[end.upperBound...]
        switch endpoint[..<end.lowerBound] {
        case "inproc", "ipc": return true
        case "tcp":
            // A source address may stand before the target: tcp://source;target.
            guard let target = rest.split(separator: ";").last, let colon = target.lastIndex(of: ":") else {
                return false
            }
            return isLoopbackHost(target[..<colon])
        default: return false
        }
    }

    /// True for `localhost`, the interface `lo`, 127.0.0.0/8 and ::1.
    public static func isLoopbackHost(_ host: some StringProtocol) -> Bool {
        if ["localhost", "lo", "::1", "[::1]", "::ffff:127.0.0.1"].contains(host.lowercased()) { return true }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
    }
}
