internal import AccessKeys

/// Decides on the coordinator's thread whose messages count.
///
/// An open connection outlives its key, because libzmq cannot end it. So each message's sender is looked up in the
/// newest list, and a worker whose key was revoked loses its jobs at once.
struct Admission {
    private let gatekeeper: Gatekeeper
    private var generation: Int
    private var keys: AuthorisedKeys
    /// The keys of connections that sent something to the workers' port.
    private var keyOfPeer: [[UInt8]: String] = [:]
    private var pruneAt = 1_024
    /// Messages thrown away unread.
    private(set) var refused = 0

    init(_ gatekeeper: Gatekeeper) {
        self.gatekeeper = gatekeeper
        generation = gatekeeper.generation
        keys = gatekeeper.keys
    }

    /// Whether a message counts that came from a connection of a port.
    mutating func admits(_ sender: String?, peer: [UInt8]?, at port: AccessPort) -> Bool {
        guard gatekeeper.isSecured(port) else { return true }
        guard let sender, let peer, keys.role(of: sender) == port.role else {
            refused += 1
            return false
        }
        if port == .workers, keyOfPeer[peer] != sender { keyOfPeer[peer] = sender }
        return true
    }

    /// The name of the key that a message's sender proved; nil if it needs none.
    func keyName(of sender: String?) -> String? { sender.flatMap { keys.name(of: $0) } }

    /// The connections to the workers' port whose keys no longer count; none unless the list has changed.
    mutating func revokedPeers(_ isPresent: ([UInt8]) -> Bool) -> [[UInt8]] {
        // Connections that have gone leave their keys behind; they are swept out when half would be theirs.
        if keyOfPeer.count > pruneAt {
            keyOfPeer = keyOfPeer.filter { isPresent($0.key) }
            pruneAt = max(1_024, 2 * keyOfPeer.count)
        }
        guard gatekeeper.generation != generation else { return [] }
        generation = gatekeeper.generation
        keys = gatekeeper.keys
        let revoked = keyOfPeer.filter { keys.role(of: $0.value) != .worker }.map(\.key)
        for peer in revoked { keyOfPeer[peer] = nil }
        return revoked
    }
}
