import AccessKeys
import Foundation
import TestSupport
import Testing
import ZeroMQ

@Suite struct KeyFolderTests {
    private let directory: TemporaryDirectory
    private let folder: KeyFolder

    init() throws {
        directory = try TemporaryDirectory()
        folder = KeyFolder(directory.file("keys"))
    }

    private func mode(_ path: String) throws -> Int {
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        return (attributes[.posixPermissions] as? Int ?? 0) & 0o777
    }

    private func code(_ body: () throws -> Void) -> AccessKeyError.Code? {
        do {
            try body()
            return nil
        } catch {
            return (error as? AccessKeyError)?.code
        }
    }

    @Test func aKeyIsMadeHandedOutAndLetIn() throws {
        #expect(try folder.makeServerKey())
        #expect(try !folder.makeServerKey())
        let server = try folder.serverPair()
        let path = try folder.makeKey(.worker, name: "gpu-1", at: Date(timeIntervalSince1970: 0))
        #expect(try mode(path) == 0o600 && mode(folder.serverFile) == 0o600 && mode(folder.url.path) == 0o700)
        let key = try KeyFile(path: path, role: .worker)
        #expect(key.name == "gpu-1" && key.server == server.publicKey)
        #expect(key.security == .client(own: key.pair, server: server.publicKey))
        let list = try folder.authorised()
        #expect(list.role(of: key.pair.publicKey.text) == .worker)
        #expect(list.keys.map(\.created) == ["1970-01-01T00:00:00Z"])
        #expect(AuthorisedKeys(text: list.text) == list)
        #expect(try !String(contentsOfFile: folder.listFile, encoding: .utf8).contains(key.pair.secretKey.revealed()))
    }

    @Test func aKeyServesItsRoleOnly() throws {
        _ = try folder.makeServerKey()
        let path = try folder.makeKey(.client, name: "ana", at: Date())
        #expect(code { _ = try KeyFile(path: path, role: .worker) } == .wrongRole)
        #expect(code { _ = try KeyFile(path: folder.serverFile, role: .worker) } == .malformed)
    }

    @Test func aRevokedKeyIsOutAndItsNameIsFreeAgain() throws {
        _ = try folder.makeServerKey()
        let first = try KeyFile(path: folder.makeKey(.worker, name: "w", at: Date()), role: .worker)
        #expect(code { _ = try folder.makeKey(.worker, name: "w", at: Date()) } == .badName)
        try folder.revoke("w", at: Date())
        #expect(try folder.authorised().role(of: first.pair.publicKey.text) == nil)
        #expect(code { try folder.revoke("w", at: Date()) } == .unknownName)
        let second = try KeyFile(path: folder.makeKey(.worker, name: "w", at: Date()), role: .worker)
        #expect(second.pair != first.pair)
        let list = try folder.authorised()
        #expect(list.role(of: second.pair.publicKey.text) == .worker && list.role(of: first.pair.publicKey.text) == nil)
        #expect(list.keys.map { $0.revoked == nil } == [false, true])
    }

    @Test(arguments: [0o644, 0o640, 0o604, 0o660, 0o620]) func exposedSecretsAreRefused(_ mode: Int) throws {
        _ = try folder.makeServerKey()
        let path = try folder.makeKey(.client, name: "c", at: Date())
        for file in [path, folder.serverFile] {
            try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: file)
        }
        #expect(code { _ = try KeyFile(path: path, role: .client) } == .exposed)
        #expect(code { _ = try folder.serverPair() } == .exposed)
    }

    @Test func aListThatOthersCanChangeLetsNobodyIn() throws {
        _ = try folder.makeServerKey()
        _ = try folder.makeKey(.client, name: "c", at: Date())
        var file = AuthorisedKeysFile(folder)
        #expect(file.refresh() && file.keys.keys.count == 1 && file.problem == nil)
        try FileManager.default.setAttributes([.posixPermissions: 0o666], ofItemAtPath: folder.listFile)
        #expect(file.refresh() && file.keys.keys.isEmpty && file.problem?.code == .exposed)
    }

    @Test func aRunningCoordinatorSeesChanges() throws {
        var file = AuthorisedKeysFile(folder)
        #expect(file.refresh() && file.keys.keys.isEmpty && file.problem?.code == .unreadable)
        #expect(file.refresh() == false)
        _ = try folder.makeServerKey()
        let key = try KeyFile(path: folder.makeKey(.worker, name: "w", at: Date()), role: .worker).pair.publicKey.text
        #expect(file.refresh() && file.keys.role(of: key) == .worker && file.problem == nil)
        #expect(file.refresh() == false)
        try folder.revoke("w", at: Date())
        #expect(file.refresh() && file.keys.role(of: key) == nil)
        try FileManager.default.removeItem(atPath: folder.listFile)
        #expect(file.refresh() && file.keys.keys.isEmpty)
    }

    @Test func nonsenseInTheListLetsNobodyIn() throws {
        let key = try CurveKeyPair.generate().publicKey.text
        let other = try CurveKeyPair.generate().publicKey.text
        let text = """
            # comment
            worker \(key) a 2026-01-01T00:00:00Z

            admin \(other) b 2026-01-01T00:00:00Z
            worker tooshort c 2026-01-01T00:00:00Z
            client \(other)
            client \(other) d 2026-01-01T00:00:00Z gone 2026-01-01T00:00:00Z
            """
        let list = AuthorisedKeys(text: text)
        #expect(list.badLines == [4, 5, 6, 7])
        #expect(list.keys.count == 1 && list.role(of: key) == .worker && list.role(of: other) == nil)
        // Revoked in one line is revoked.
        let twice = AuthorisedKeys(text: "worker \(key) a t\nworker \(key) b t revoked t\n")
        #expect(twice.role(of: key) == nil)
    }

    @Test(arguments: ["", "server", "a/b", "../x", ".hidden", "-rf", "a b", "ü", String(repeating: "x", count: 65)])
    func namesThatCannotBeFilesAreRefused(_ name: String) throws {
        _ = try folder.makeServerKey()
        #expect(code { _ = try folder.makeKey(.worker, name: name, at: Date()) } == .badName)
    }

    @Test func damagedKeyFilesAreRefusedWithoutQuotingThem() throws {
        _ = try folder.makeServerKey()
        let path = try folder.makeKey(.worker, name: "w", at: Date())
        let secret = try KeyFile(path: path, role: .worker).pair.secretKey.revealed()
        let good = try String(contentsOfFile: path, encoding: .utf8)
        let other = try CurveKeyPair.generate().secretKey.revealed()
        for bad in [
            "", "{", good.replacing(secret, with: other), good.replacing("\"version\" : 1", with: "\"version\" : 2"),
        ] {
            try Data(bad.utf8).write(to: URL(fileURLWithPath: path))
            do {
                _ = try KeyFile(path: path, role: .worker)
                Issue.record("accepted \(bad)")
            } catch {
                #expect(error.code == .malformed)
                #expect(!"\(error)".contains(secret) && !"\(error)".contains(other))
            }
        }
    }
}
