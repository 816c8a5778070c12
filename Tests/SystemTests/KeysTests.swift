import AccessKeys
import Foundation
import TestSupport
import Testing
import ZeroMQ

extension BlackBox {
    /// Keys as operators and users meet them: commands, files, refusals.
    @Suite struct KeysTests {
        private struct Listed: Decodable {
            struct Key: Decodable {
                let role, name, publicKey, created: String
                let revoked: String?
            }
            let keys: [Key]
        }

        @Test func aWholeBatchRunsOverEncryptedConnections() async throws {
            let coordinator = try await KeyedCoordinator("--heartbeat", "0.25")
            let worker = try RunningWinnow([
                "worker", "--connect", coordinator.endpoints.workers, "--name", "one", "--threads", "1", "--key",
                coordinator.keyFile("worker"),
            ])
            let batch = try TestBatch(Demo.items(6), maxTokens: 2)
            let end = try await winnow(
                "submit", batch.path, "--wait", "--connect", coordinator.endpoints.clients, "--key",
                coordinator.keyFile("client"), "--output", "json")
            #expect(end.code == 0, "\(end)")
            for key in [coordinator.worker, coordinator.client] {
                let secret = key.pair.secretKey.revealed()
                for text in [coordinator.process.errors, coordinator.process.output, worker.errors, worker.output] {
                    #expect(!text.contains(secret))
                }
            }
        }

        @Test func whoHasNoKeyIsToldSo() async throws {
            let coordinator = try await KeyedCoordinator()
            func status(_ arguments: String...) async throws -> RunningWinnow.End {
                try await winnow(
                    ["status", "--connect", coordinator.endpoints.clients, "--patience", "2"] + arguments)
            }
            #expect(try await status("--key", coordinator.keyFile("client")).code == 0)
            let without = try await status()
            #expect(without.code == 1 && without.errors.contains("--key"), "\(without)")
            let wrongRole = try await status("--key", coordinator.keyFile("worker"))
            #expect(wrongRole.code == 2 && wrongRole.errors.contains("key of a worker"), "\(wrongRole)")
            let missing = try await status("--key", coordinator.folder.file("none.key").path)
            #expect(missing.code == 2 && missing.errors.contains("none.key"), "\(missing)")

            let revoke = try await winnow("keys", "revoke", "client", "--keys", coordinator.folder.file("keys").path)
            #expect(revoke.code == 0, "\(revoke)")
            try await eventually("the revoked key is refused") {
                let end = try await status("--key", coordinator.keyFile("client"))
                return end.code == 1 && end.errors.contains("not among those it lets in")
            }
            try await eventually("the refusal is logged") {
                coordinator.process.errors.contains("refused a connection")
            }
        }

        @Test func otherAddressesNeedKeys() async throws {
            let folder = try TemporaryDirectory()
            let keys = folder.file("keys").path
            let bare = try await winnow(
                "coordinator", "--store", folder.file("jobs.sqlite").path, "--workers", "tcp://0.0.0.0:*", "--keys",
                keys)
            #expect(bare.code == 1 && bare.errors.contains("winnow keys new"), "\(bare)")
            let client = try await winnow("status", "--connect", "tcp://192.0.2.1:5758", "--key", keys + "/client.key")
            #expect(client.code == 2 && client.errors.contains("client.key"), "\(client)")
        }

        @Test func keysAreMadeListedAndRevoked() async throws {
            let folder = try TemporaryDirectory()
            let keys = folder.file("keys").path
            let first = try await winnow("keys", "new", "--keys", keys, "--output", "json")
            #expect(first.code == 0 && first.output.contains("server.key"), "\(first)")
            #expect(try await winnow("keys", "new", "--keys", keys).output.contains("every key exists"))
            let named = try await winnow("keys", "new", "--keys", keys, "--role", "worker", "--name", "gpu-1")
            #expect(named.code == 0 && named.output == keys + "/gpu-1.key\n", "\(named)")
            let again = try await winnow("keys", "new", "--keys", keys, "--role", "client", "--name", "gpu-1")
            #expect(again.code == 2 && again.errors.contains("gpu-1"), "\(again)")
            #expect(try await winnow("keys", "new", "--keys", keys, "--name", "x").code == 2)
            #expect(try await winnow("keys", "revoke", "gpu-1", "--keys", keys).code == 0)
            #expect(try await winnow("keys", "revoke", "gpu-1", "--keys", keys).code == 2)
            let list = try await winnow("keys", "list", "--keys", keys, "--output", "json")
            let listed = try Listed(printed: list.output).keys
            #expect(listed.map(\.name) == ["worker", "client", "gpu-1"])
            #expect(listed.map { $0.revoked != nil } == [false, false, true])
            let table = try await winnow("keys", "list", "--keys", keys)
            #expect(table.code == 0 && table.output.contains(listed[0].publicKey))
            let secret = try String(contentsOfFile: keys + "/gpu-1.key", encoding: .utf8)
            let stored = try JSONDecoder().decode([String: JSONValue].self, from: Data(secret.utf8))
            let secretKey = try #require(stored["secret_key"]?.text)
            for end in [first, named, list, table] { #expect(!end.output.contains(secretKey)) }
        }

        /// A text or a number.
        private struct JSONValue: Decodable {
            let text: String?
            init(from decoder: any Decoder) throws { text = try? decoder.singleValueContainer().decode(String.self) }
        }

        @Test func picturesOutsideTheirFolderAreNotRead() async throws {
            let secret = try TemporaryDirectory()
            let pictures = try TemporaryDirectory()
            for target in [secret.file("secret.jpg"), pictures.file("own.jpg")] {
                try FileManager.default.copyItem(
                    at: URL(fileURLWithPath: Demo.folder + "/images/scene-000.jpg"), to: target)
            }
            try FileManager.default.createSymbolicLink(
                at: pictures.file("link.jpg"), withDestinationURL: secret.file("secret.jpg"))
            let items = ["own.jpg", "link.jpg", "http://127.0.0.1:1/a.jpg"].map {
                TestBatch.Item(id: $0, image: $0, prompt: "What?")
            }
            let batch = try TestBatch(items, maxTokens: 2, images: pictures.url.path)
            let early = try await winnow("run", batch.path, "--workers", "1", "--threads", "1")
            #expect(early.code == 2, "\(early)")
            #expect(early.errors.contains("link.jpg' is a link that leads out"), "\(early)")
            #expect(early.errors.contains("is a URL"), "\(early)")

            // A link that appears after the submission: the worker refuses it when it opens the picture.
            let services = try await Services()
            let late = try TestBatch(
                [TestBatch.Item(id: "late", image: "late.jpg", prompt: "What?")] + items.prefix(1), maxTokens: 2,
                images: pictures.url.path)
            try FileManager.default.copyItem(at: pictures.file("own.jpg"), to: pictures.file("late.jpg"))
            let submitted = try await services.submit(late)
            try FileManager.default.removeItem(at: pictures.file("late.jpg"))
            try FileManager.default.createSymbolicLink(
                at: pictures.file("late.jpg"), withDestinationURL: secret.file("secret.jpg"))
            let worker = try services.startWorker("one")
            let wait = try await services.ask("wait", submitted.batch)
            #expect(wait.code == 3, "\(wait)")
            let found = try #require(try await services.status(submitted.batch, items: true).items)
            #expect(found.map(\.state) == ["failed", "succeeded"])
            #expect(found[0].error.contains("leads out of the image folder"), "\(found[0])")
            #expect(worker.isRunning)
        }
    }
}
