import Foundation
import Glibc
import TestSupport
import Testing

extension BlackBox {
    /// Job stores on a file system that another program serves.
    @Suite(.enabled(if: ServedFolder.isPossible, "needs bindfs and the right to mount"))
    struct FileSystemTests {
        @Test func aStoreOnFUSEIsUsedWithAWarning() async throws {
            let folder = try ServedFolder()
            let store = folder.path + "/jobs.sqlite"
            let services = try await Services(store: store)
            #expect(services.coordinator.errors.contains("is on FUSE"), "\(services.coordinator.errors)")
            let worker = try services.startNullWorker("one")
            let batch = try await services.submit(TestBatch(Demo.items(50), method: "none"))
            #expect(try await services.ask("wait", batch.batch).code == 0)
            let doctor = try await winnow("doctor", "--store", store)
            #expect(doctor.code == 0 && doctor.output.contains("FUSE"), "\(doctor)")
            let second = try await winnow(
                "coordinator", "--store", store, "--workers", "tcp://127.0.0.1:*", "--clients", "tcp://127.0.0.1:*")
            #expect(second.code == 1 && second.errors.contains("Another coordinator"), "\(second)")
            #expect(worker.isRunning)
        }
    }
}

/// A folder that bindfs serves through FUSE.
private final class ServedFolder {
    private let folder: TemporaryDirectory
    private let process = Process()
    var path: String { folder.file("served").path }

    static let isPossible: Bool = Tools.has("bindfs") && (try? ServedFolder()) != nil

    init() throws {
        folder = try TemporaryDirectory()
        for name in ["own", "served"] {
            try FileManager.default.createDirectory(at: folder.file(name), withIntermediateDirectories: true)
        }
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["bindfs", "-f", folder.file("own").path, path]
        process.standardError = FileHandle.nullDevice
        try process.run()
        while try !String(contentsOfFile: "/proc/mounts", encoding: .utf8).contains(" \(path) ") {
            guard process.isRunning else { throw RunningWinnow.Trouble(description: "bindfs cannot mount") }
            usleep(10_000)
        }
    }

    /// Without its mount bindfs ends by itself.
    deinit { umount2(path, Int32(MNT_DETACH)) }
}
