public import ZeroMQ

/// One line of the list of authorised keys.
public struct AuthorisedKey: Sendable, Hashable {
    /// Whether its owner is a worker or a client.
    public var role: AccessRole
    /// The key.
    public var publicKey: CurvePublicKey
    /// The name by which it can be revoked.
    public var name: String
    /// When it was made, as ISO 8601.
    public var created: String
    /// When it was revoked; nil for a key that counts.
    public var revoked: String?
}

/// The keys that a coordinator accepts, and those that were revoked.
///
/// As a text, each line holds role, key, name and time, and for a revoked key the time of that:
///
///     worker <40 characters of Z85> gpu-1 2026-11-21T09:30:00Z
///     client <40 characters of Z85> ana 2026-11-21T09:31:00Z revoked 2026-12-01T08:00:00Z
public struct AuthorisedKeys: Sendable, Hashable {
    /// Every key in the order of the list.
    public private(set) var keys: [AuthorisedKey] = []
    /// Lines that make no sense, with their numbers; nobody gets in by them.
    public private(set) var badLines: [Int] = []
    /// The keys that are let in, by their text.
    private var valid: [String: AuthorisedKey] = [:]

    /// A list without keys.
    public init() {}

    /// Reads the list; empty lines and those that begin with `#` are skipped.
    public init(text: String) {
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let fields = line.split(whereSeparator: \.isWhitespace).map(String.init)
            guard let first = fields.first, !first.hasPrefix("#") else { continue }
            guard let key = AuthorisedKey(fields: fields) else {
                badLines.append(index + 1)
                continue
            }
            append(key)
        }
    }

    /// What the owner of a key may be; nil for one that is unknown or revoked.
    public func role(of key: String) -> AccessRole? { valid[key]?.role }

    /// The name of a key that is let in; nil for one that is unknown or revoked.
    public func name(of key: String) -> String? { valid[key]?.name }

    /// Adds a key at the end.
    public mutating func append(_ key: AuthorisedKey) {
        keys.append(key)
        reindex()
    }

    /// Marks the key of a name as revoked; false if no valid key has that name.
    public mutating func revoke(_ name: String, at time: String) -> Bool {
        guard let index = keys.firstIndex(where: { $0.name == name && $0.revoked == nil }) else { return false }
        keys[index].revoked = time
        reindex()
        return true
    }

    /// The list as it is stored.
    public var text: String {
        (["# Keys that this coordinator lets in; 'winnow keys' edits it, and a running coordinator notices."]
            + keys.map(\.line)).joined(separator: "\n") + "\n"
    }

    /// A key that one line revokes is out, whatever another line says.
    private mutating func reindex() {
        valid = Dictionary(
            keys.filter { $0.revoked == nil }.map { ($0.publicKey.text, $0) }, uniquingKeysWith: { a, _ in a })
        for key in keys where key.revoked != nil { valid[key.publicKey.text] = nil }
    }
}

extension AuthorisedKey {
    fileprivate init?(fields: [String]) {
        guard fields.count == 4 || (fields.count == 6 && fields[4] == "revoked"),
            let role = AccessRole(rawValue: fields[0]),
            let publicKey = CurvePublicKey(fields[1])
        else { return nil }
        self.init(
            role: role, publicKey: publicKey, name: fields[2], created: fields[3],
            revoked: fields.count == 6 ? fields[5] : nil)
    }

    fileprivate var line: String {
        ([role.rawValue, publicKey.text, name, created] + (revoked.map { ["revoked", $0] } ?? [])).joined(
            separator: " ")
    }
}
