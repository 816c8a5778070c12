internal import Foundation
public import ZeroMQ

/// The key of one worker or client, with all it needs to reach its coordinator: one file to copy to its machine.
public struct KeyFile: Sendable {
    /// Whether the owner is a worker or a client.
    public let role: AccessRole
    /// The name by which it can be revoked.
    public let name: String
    /// The owner's pair.
    public let pair: CurveKeyPair
    /// The coordinator that the owner trusts.
    public let server: CurvePublicKey

    /// How a connection with this key is protected.
    public var security: SocketSecurity { .client(own: pair, server: server) }

    /// Reads a key file for a role; refuses one that others can read.
    public init(path: String, role wanted: AccessRole) throws(AccessKeyError) {
        let stored = try StoredKey(path: path)
        guard let role = stored.role.flatMap(AccessRole.init),
            let server = stored.serverKey.flatMap(CurvePublicKey.init)
        else {
            throw AccessKeyError(
                .malformed,
                "\(path) is no worker's or client's key; make one with 'winnow keys new' on the coordinator's machine")
        }
        guard role == wanted else {
            throw AccessKeyError(
                .wrongRole, "\(path) is the key of a \(role), not of a \(wanted); make one with 'winnow keys new'")
        }
        pair = try stored.pair(path)
        (self.role, self.name, self.server) = (role, stored.name, server)
    }

    init(role: AccessRole, name: String, pair: CurveKeyPair, server: CurvePublicKey) {
        (self.role, self.name, self.pair, self.server) = (role, name, pair, server)
    }

    func write(to path: String) throws(AccessKeyError) {
        try StoredKey(role: role.rawValue, name: name, pair: pair, serverKey: server.text).write(to: path)
    }
}

/// A key file as it is stored: JSON, with a version.
struct StoredKey: Codable {
    static let currentVersion = 1

    var version: Int
    var role: String?
    var name: String
    var publicKey: String
    var secretKey: String
    var serverKey: String?

    init(role: String?, name: String, pair: CurveKeyPair, serverKey: String?) {
        version = Self.currentVersion
        (self.role, self.name, self.serverKey) = (role, name, serverKey)
        publicKey = pair.publicKey.text
        secretKey = pair.secretKey.revealed()
    }

    init(path: String) throws(AccessKeyError) {
        let text = try PrivateFile.read(path, isSecret: true)
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        // The decoder's own message could quote the secret.
        guard let stored = try? decoder.decode(Self.self, from: Data(text.utf8)) else {
            throw AccessKeyError(.malformed, "\(path) is not a key file; make one with 'winnow keys new'")
        }
        guard stored.version == Self.currentVersion else {
            throw AccessKeyError(
                .malformed, "\(path) has version \(stored.version), this winnow reads \(Self.currentVersion)")
        }
        self = stored
    }

    func pair(_ path: String) throws(AccessKeyError) -> CurveKeyPair {
        guard let publicKey = CurvePublicKey(publicKey), let secretKey = CurveSecretKey(secretKey),
            let pair = CurveKeyPair(publicKey: publicKey, secretKey: secretKey)
        else {
            throw AccessKeyError(
                .malformed, "\(path): the two halves of the key do not belong together; make a new one")
        }
        return pair
    }

    func write(to path: String) throws(AccessKeyError) {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(self) else {
            throw AccessKeyError(.unwritable, "\(path): the key cannot be encoded")
        }
        try PrivateFile.create(path, String(decoding: data, as: UTF8.self) + "\n", mode: 0o600)
    }
}
