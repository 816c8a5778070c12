import Foundation
import Glibc
import TestSupport
import Testing

extension BlackBox {
    /// Files that commands are asked to write: what a path leads to stays what it is.
    @Suite struct OutputTests {
        let folder: TemporaryDirectory
        let batch: TestBatch

        init() async throws {
            folder = try TemporaryDirectory()
            batch = try TestBatch(Demo.items(2), maxTokens: 2, lines: "features: none")
            let end = try await winnow("run", batch.path, "--output", "quiet")
            try #require(end.code == 0, "\(end)")
        }

        private func export(to path: String) async throws -> RunningWinnow.End {
            try await winnow("results", "export", batch.results, "--format", "csv", "--out", path)
        }

        private func kind(_ path: String) -> mode_t {
            var information = stat()
            return lstat(path, &information) == 0 ? information.st_mode : 0
        }

        @Test func anOrdinaryFileIsReplacedAndKeepsItsRights() async throws {
            let file = folder.file("out.csv").path
            #expect(try await export(to: file).code == 0)
            let text = try String(contentsOfFile: file, encoding: .utf8)
            #expect(text.hasPrefix("id,"))
            try Data("old".utf8).write(to: URL(fileURLWithPath: file))
            chmod(file, 0o640)
            #expect(try await export(to: file).code == 0)
            #expect(try String(contentsOfFile: file, encoding: .utf8) == text && kind(file) & 0o777 == 0o640)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.url.path) == ["out.csv"])
        }

        @Test func theTargetOfALinkIsReplacedAndTheLinkStays() async throws {
            let (file, link, chain) = (folder.file("f.csv").path, folder.file("link").path, folder.file("chain").path)
            try Data("old".utf8).write(to: URL(fileURLWithPath: file))
            symlink("f.csv", link)
            symlink(link, chain)
            for name in [link, chain] {
                try Data("old".utf8).write(to: URL(fileURLWithPath: file))
                #expect(try await export(to: name).code == 0)
                #expect(kind(name) & S_IFMT == S_IFLNK)
                #expect(try String(contentsOfFile: file, encoding: .utf8).hasPrefix("id,"))
            }
            let page = try await winnow("report", batch.results, "--out", link)
            #expect(page.code == 0 && kind(link) & S_IFMT == S_IFLNK, "\(page)")
            #expect(try String(contentsOfFile: file, encoding: .utf8).contains("<html"))
        }

        @Test func aFIFOGetsItsBytes() async throws {
            let pipe = folder.file("pipe").path
            #expect(mkfifo(pipe, 0o600) == 0)
            let reader = try RunningWinnow([pipe], program: "/bin/cat")
            #expect(try await export(to: pipe).code == 0)
            #expect(try await reader.end().output.hasPrefix("id,"))
            #expect(kind(pipe) & S_IFMT == S_IFIFO)
        }

        @Test(.enabled(if: getuid() == 0, "making a device takes root"))
        func aDeviceStaysOne() async throws {
            let device = folder.file("null").path
            try #require(mknod(device, S_IFCHR | 0o666, dev_t(0x103)) == 0)
            let png = ["results", "show", batch.items[0].id, batch.results, "--png", device, "--drawing", "off"]
            for arguments in [
                ["results", "export", batch.results, "--format", "csv", "--out", device],
                ["report", batch.results, "--out", device], png,
            ] {
                let end = try await winnow(arguments)
                #expect(end.code == 0, "\(end)")
                #expect(kind(device) & S_IFMT == S_IFCHR, "\(arguments)")
            }
        }

        @Test func openFilesAreWrittenToAndFoldersRefused() async throws {
            let printed = try await export(to: "/dev/stdout")
            #expect(printed.code == 0 && printed.output.hasPrefix("id,"), "\(printed)")
            let refused = try await export(to: folder.url.path)
            #expect(refused.code == 2 && refused.errors.contains("is a folder"), "\(refused)")
            let nowhere = try await export(to: folder.file("no/such/place.csv").path)
            #expect(nowhere.code == 1 && nowhere.errors.contains("cannot be written"), "\(nowhere)")
        }
    }
}
