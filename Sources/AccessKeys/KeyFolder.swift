public import Foundation
public import ZeroMQ

/// The folder of a coordinator's keys: its own, the list of those it lets in, and the files to hand out.
public struct KeyFolder: Sendable, Hashable {
    /// The folder.
    public let url: URL

    /// A folder, which need not exist yet.
    public init(_ url: URL) { self.url = url }

    /// Where keys are unless told otherwise: `winnow/keys` in the user's configuration folder.
    public static var standard: KeyFolder {
        let environment = ProcessInfo.processInfo.environment
        let base =
            environment["XDG_CONFIG_HOME"].flatMap { $0.hasPrefix("/") ? URL(fileURLWithPath: $0) : nil }
            ?? FileManager.default.homeDirectoryForCurrentUser.appendingPathComponent(".config")
        return KeyFolder(base.appendingPathComponent("winnow/keys"))
    }

    /// The coordinator's own key.
    public var serverFile: String { file("server.key") }
    /// The list of keys that are let in.
    public var listFile: String { file("authorised.keys") }
    /// The file of a worker's or client's key.
    public func keyFile(_ name: String) -> String { file("\(name).key") }

    private func file(_ name: String) -> String { url.appendingPathComponent(name).path }

    /// Whether the coordinator's own key has been made.
    public var hasServerKey: Bool { FileManager.default.fileExists(atPath: serverFile) }

    /// The coordinator's own key pair.
    public func serverPair() throws(AccessKeyError) -> CurveKeyPair {
        guard hasServerKey else {
            throw AccessKeyError(
                .unreadable,
                "there is no coordinator's key in \(url.path): make keys with 'winnow keys new --keys \(url.path)'")
        }
        return try StoredKey(path: serverFile).pair(serverFile)
    }

    /// The list of keys that are let in; empty if there is none.
    public func authorised() throws(AccessKeyError) -> AuthorisedKeys {
        guard FileManager.default.fileExists(atPath: listFile) else { return AuthorisedKeys() }
        return AuthorisedKeys(text: try PrivateFile.read(listFile, isSecret: false))
    }

    /// Makes the folder and the coordinator's own key; false if the key is there already.
    public func makeServerKey() throws(AccessKeyError) -> Bool {
        do {
            try FileManager.default.createDirectory(
                at: url, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw AccessKeyError(.unwritable, "the folder \(url.path) cannot be made: \(error)")
        }
        guard !hasServerKey else { return false }
        try StoredKey(role: nil, name: "server", pair: Self.generate(), serverKey: nil).write(to: serverFile)
        return true
    }

    /// Makes a key for a worker or client, lets it in, and returns the path of the file to hand out.
    public func makeKey(_ role: AccessRole, name: String, at now: Date) throws(AccessKeyError) -> String {
        guard Self.isUsable(name) else {
            throw AccessKeyError(
                .badName,
                "a key cannot be called '\(name)': 1 to 64 letters, digits, '-', '_' and '.', and not 'server'")
        }
        let server = try serverPair().publicKey
        return try changingList { list throws(AccessKeyError) in
            guard !list.keys.contains(where: { $0.name == name && $0.revoked == nil }) else {
                throw AccessKeyError(
                    .badName, "there is a key '\(name)' already; choose another name, or revoke it first")
            }
            let pair = try Self.generate()
            let path = keyFile(name)
            // A revoked key's file is of no use to anybody.
            if list.keys.contains(where: { $0.name == name }) { try? FileManager.default.removeItem(atPath: path) }
            try KeyFile(role: role, name: name, pair: pair, server: server).write(to: path)
            list.append(
                AuthorisedKey(role: role, publicKey: pair.publicKey, name: name, created: Self.text(of: now)))
            return path
        }
    }

    /// Locks a key out; a running coordinator notices within a second.
    public func revoke(_ name: String, at now: Date) throws(AccessKeyError) {
        try changingList { list throws(AccessKeyError) in
            guard list.revoke(name, at: Self.text(of: now)) else {
                throw AccessKeyError(
                    .unknownName,
                    "no key '\(name)' is let in; 'winnow keys list --keys \(url.path)' shows those that are")
            }
        }
    }

    /// Reads the list, changes it and writes it back under the folder's lock.
    private func changingList<Result>(
        _ body: (inout AuthorisedKeys) throws(AccessKeyError) -> Result
    ) throws(AccessKeyError) -> Result {
        let lock = try FolderLock(url.path)
        var list = try authorised()
        guard list.badLines.isEmpty else {
            throw AccessKeyError(
                .malformed,
                "\(listFile): line \(list.badLines[0]) is not an entry for a key; correct or remove it first")
        }
        let result = try body(&list)
        try PrivateFile.replace(listFile, list.text, mode: 0o600)
        lock.end()
        return result
    }

    private static func generate() throws(AccessKeyError) -> CurveKeyPair {
        do {
            return try CurveKeyPair.generate()
        } catch {
            throw AccessKeyError(.unwritable, "\(error)")
        }
    }

    private static func isUsable(_ name: String) -> Bool {
        name != "server" && (1...64).contains(name.utf8.count) && name.first != "." && name.first != "-"
            && name.utf8.allSatisfy { byte in
                let character = Character(Unicode.Scalar(byte))
                return character.isASCII && (character.isLetter || character.isNumber || "-_.".contains(character))
            }
    }

    private static func text(of date: Date) -> String { date.formatted(.iso8601) }
}
