/// Where the status page is served: an address of this machine and a port.
public struct ListenAddress: Sendable, Hashable, CustomStringConvertible {
    /// An IP address.
    public let host: String
    /// A port; 0 lets the system choose.
    public let port: UInt16
    /// Whether the address is one of IPv6.
    let isIPv6: Bool

    /// Reads `9090`, `127.0.0.1:9090`, `localhost:9090`, `[::1]:9090`; a port alone means loopback. Nil for anything else.
    public init?(_ text: String) {
        let host: Substring
        let port: Substring
        if let colon = text.lastIndex(of: ":") {
            (host, port) = (text[..<colon], text[text.index(after: colon)...])
        } else {
            (host, port) = ("127.0.0.1", text[...])
        }
        guard let number = UInt16(port) else { return nil }
        self.port = number
        if host.hasPrefix("["), host.hasSuffix("]") {
            isIPv6 = true
            self.host = String(host.dropFirst().dropLast())
            guard self.host.contains(":") else { return nil }
        } else {
            isIPv6 = false
            self.host = host == "localhost" ? "127.0.0.1" : String(host)
            let parts = self.host.split(separator: ".", omittingEmptySubsequences: false)
            guard parts.count == 4, parts.allSatisfy({ UInt8($0) != nil }) else { return nil }
        }
    }

    /// Whether only this machine can reach it.
    public var isLoopback: Bool { isIPv6 ? host == "::1" : host.hasPrefix("127.") }

    /// The address as `host:port`.
    public var description: String { at(port: port) }

    /// The host with another port, as `host:port`.
    func at(port: UInt16) -> String { isIPv6 ? "[\(host)]:\(port)" : "\(host):\(port)" }
}
