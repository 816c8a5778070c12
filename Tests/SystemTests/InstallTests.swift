import Foundation
import TestSupport
import Testing

extension BlackBox {
    /// What `ops/package` lays out, put under a prefix and taken away again.
    @Suite struct InstallTests {
        private let folder: TemporaryDirectory
        private let prefix: String

        init() throws {
            folder = try TemporaryDirectory()
            prefix = folder.file("some prefix").path
        }

        /// A folder as `ops/package` makes it, with a script in place of the program.
        private func tree(_ name: String, files: [String]) throws -> String {
            let tree = folder.file(name), ops = Repository.root.appendingPathComponent("ops")
            for file in files + ["bin/winnow", "share/winnow/uninstall"] {
                let place = tree.appendingPathComponent(file)
                try FileManager.default.createDirectory(
                    at: place.deletingLastPathComponent(), withIntermediateDirectories: true)
                try Data("#!/bin/sh\necho \(name)\n".utf8).write(to: place)
            }
            for (script, place) in [("install-files", "install"), ("uninstall", "share/winnow/uninstall")] {
                let target = tree.appendingPathComponent(place)
                try? FileManager.default.removeItem(at: target)
                try FileManager.default.copyItem(at: ops.appendingPathComponent(script), to: target)
            }
            try FileManager.default.setAttributes(
                [.posixPermissions: 0o755], ofItemAtPath: tree.appendingPathComponent("bin/winnow").path)
            return tree.path
        }

        private func run(_ arguments: String...) async throws -> RunningWinnow.End {
            try await RunningWinnow(arguments, program: "/bin/bash").end()
        }

        private func files() -> [String] {
            (FileManager.default.enumerator(atPath: prefix)?.compactMap { $0 as? String } ?? []).filter {
                var isFolder: ObjCBool = false
                return FileManager.default.fileExists(atPath: "\(prefix)/\($0)", isDirectory: &isFolder)
                    && !isFolder.boolValue
            }.sorted()
        }

        @Test func whatIsInstalledIsTakenAwayAndNothingElse() async throws {
            let old = try tree("old", files: ["share/man/man1/winnow.1", "share/doc/winnow/OLD"])
            let installed = try await run("\(old)/install", "--prefix", prefix)
            #expect(installed.code == 0 && installed.output.contains("installed in \(prefix)"), "\(installed)")
            #expect(
                files() == [
                    "bin/winnow", "share/doc/winnow/OLD", "share/man/man1/winnow.1", "share/winnow/files",
                    "share/winnow/uninstall",
                ])
            #expect(try await RunningWinnow([], program: "\(prefix)/bin/winnow").end().output == "old\n")

            // A newer version over it, beside a file of somebody else's.
            try Data().write(to: URL(fileURLWithPath: "\(prefix)/bin/other"))
            let new = try tree("new", files: ["share/man/man1/winnow.1"])
            #expect(try await run("\(new)/install", "--prefix=\(prefix)").code == 0)
            #expect(
                files() == [
                    "bin/other", "bin/winnow", "share/man/man1/winnow.1", "share/winnow/files",
                    "share/winnow/uninstall",
                ])
            #expect(try await RunningWinnow([], program: "\(prefix)/bin/winnow").end().output == "new\n")

            let gone = try await run("\(prefix)/share/winnow/uninstall")
            #expect(gone.code == 0, "\(gone)")
            #expect(files() == ["bin/other"])
            #expect(!FileManager.default.fileExists(atPath: "\(prefix)/share"))
            let again = try await run("\(new)/share/winnow/uninstall", "--prefix", prefix)
            #expect(again.code == 1 && again.errors.contains("nothing of winnow is installed"))
        }

        @Test(.enabled(if: Tools.has("systemd-analyze"), "needs Debian's systemd"))
        func unitsNameTheProgramThatWasInstalled() async throws {
            let units = ["coordinator", "worker"].map { "lib/systemd/system/winnow-\($0).service" }
            let tree = try tree("units", files: units)
            for unit in units {
                let name = URL(fileURLWithPath: unit).lastPathComponent
                let text = try Data(contentsOf: Repository.root.appendingPathComponent("ops/systemd/\(name)"))
                try text.write(to: URL(fileURLWithPath: "\(tree)/\(unit)"))
            }
            #expect(try await run("\(tree)/install", "--prefix", prefix).code == 0)
            let installed = units.map { "\(prefix)/\($0)" }
            for unit in installed {
                let text = try String(contentsOfFile: unit, encoding: .utf8)
                #expect(text.contains("ExecStart=\"\(prefix)/bin/winnow\"") && !text.contains("@PREFIX@"))
            }
            let verified = try await RunningWinnow(
                ["verify", "--man=no"] + installed, program: "/usr/bin/systemd-analyze"
            )
            .end()
            #expect(verified.code == 0, "\(verified)")
            #expect(try await run("\(prefix)/share/winnow/uninstall").code == 0)
            #expect(files() == [])
        }

        @Test func aListThatLeadsOutIsNotFollowed() async throws {
            let new = try tree("new", files: [])
            #expect(try await run("\(new)/install", "--prefix", prefix).code == 0)
            let precious = folder.file("precious")
            try Data().write(to: precious)
            try Data("../precious\n".utf8).write(to: URL(fileURLWithPath: "\(prefix)/share/winnow/files"))
            #expect(try await run("\(prefix)/share/winnow/uninstall").code == 1)
            #expect(FileManager.default.fileExists(atPath: precious.path))
        }

        @Test func wrongUsageIsNamed() async throws {
            let new = try tree("new", files: [])
            for arguments in [["--perfix", "x"], ["--prefix", ""]] {
                let end = try await RunningWinnow(["\(new)/install"] + arguments, program: "/bin/bash").end()
                #expect(end.code != 0 && !end.errors.isEmpty, "\(end)")
            }
        }
    }
}
