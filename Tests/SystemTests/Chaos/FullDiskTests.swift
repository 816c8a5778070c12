import Foundation
import Glibc
import TestSupport
import Testing

extension BlackBox {
    /// Real file systems without room.
    @Suite(.enabled(if: SmallDisk.isPossible, "mounting a small file system takes root"))
    struct FullDiskTests {
        @Test("14: a full disk under the job store refuses submissions, answers questions, and recovers with the disk")
        func theJobStoresDiskIsFull() async throws {
            let disk = try SmallDisk(megabytes: 4)
            let services = try await Services(store: disk.path + "/jobs.sqlite")
            let worker = try services.startNullWorker("one")
            let small = try await services.submit(TestBatch(Demo.items(50), method: "none"))
            #expect(try await services.ask("wait", small.batch).code == 0)

            let large = try TestBatch(Demo.items(40_000), method: "none")
            let refused = try await services.ask("submit", large.path)
            #expect(refused.code == 1 && refused.errors.lowercased().contains("space"), "\(refused)")
            let state = try #require(try await services.status(small.batch).batches.first)
            #expect(state.succeeded == 50 && services.coordinator.isRunning)

            try disk.grow(to: 200)
            let again = try TestBatch(Demo.items(2_000), method: "none", lines: "name: again")
            try await eventually("submissions are taken again") {
                try await services.ask("submit", again.path).code == 0
            }
            let wait = try await services.ask("wait", "again", "--output", "json")
            #expect(wait.code == 0, "\(wait)")
            #expect(try Services.Batch(printed: wait.output).succeeded == 2_000)
            #expect(worker.isRunning)
        }

        @Test func aCatalogueWithoutRoomSaysSo() async throws {
            let disk = try SmallDisk(megabytes: 1)
            let batch = try TestBatch(
                Demo.items(6), lines: "results: \(disk.path)/results\nfeatures: none\ntrace: none")
            let run = try await winnow("run", batch.path, "--output", "quiet")
            try #require(run.code == 0, "\(run)")
            let catalogue = disk.path + "/results/catalogue.sqlite"
            for file in [catalogue, disk.path + "/results/jobs.sqlite"] {
                try FileManager.default.removeItem(atPath: file)
            }
            let filler = open(disk.path + "/filler", O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
            let zeros = [UInt8](repeating: 0, count: 4096)
            while write(filler, zeros, zeros.count) > 0 {}
            close(filler)
            let full = try await winnow("results", "catalogue", disk.path + "/results")
            #expect(full.code == 1 && full.errors.contains("make room on its disk"), "\(full)")
            #expect(!full.errors.contains("INSERT") && !full.errors.contains("CREATE"), "\(full)")
            try disk.grow(to: 20)
            let made = try await winnow("results", "catalogue", disk.path + "/results")
            #expect(made.code == 0 && made.output.contains("6 jobs"), "\(made)")
        }

        @Test func anArchiveIsReadLikeAnyFolder() async throws {
            let disk = try SmallDisk(megabytes: 8)
            let batch = try TestBatch(Demo.items(6), lines: "results: \(disk.path)/results\nfeatures: none")
            let run = try await winnow("run", batch.path, "--output", "quiet")
            try #require(run.code == 0, "\(run)")
            try disk.closeForWriting(8)
            let verify = try await winnow("results", "verify", disk.path + "/results")
            #expect(verify.code == 0, "\(verify)")
            let query = try await winnow("results", "query", "SELECT count(*) FROM jobs", disk.path + "/results")
            #expect(query.code == 0 && query.output.contains("6"), "\(query)")
        }

        @Test("15: a worker whose results find no room gives the jobs back and stays; they are done once there is room")
        func theResultsDiskIsFull() async throws {
            let disk = try SmallDisk(megabytes: 1)
            let services = try await Services(lease: 5)
            let first = try services.startNullWorker("one")
            let batch = try TestBatch(
                Demo.items(3_000), method: "none", lines: "results: \(disk.path)/results\nfeatures: none")
            let submitted = try await services.submit(batch)
            try await eventually("the trouble is named") {
                let status = try await services.ask("status", submitted.batch)
                return status.output.lowercased().contains("no space")
            }
            let state = try #require(try await services.status(submitted.batch).batches.first)
            #expect(state.state == "running" && state.failed == 0)

            try disk.grow(to: 200)
            let wait = try await services.ask("wait", submitted.batch)
            #expect(wait.code == 0, "\(wait)")
            #expect(first.isRunning)
            let items = try #require(try await services.status(submitted.batch, items: true).items)
            #expect(items.allSatisfy { $0.state == "succeeded" })
            try BlackBox.checkRows(of: items, in: submitted.results)
        }
    }
}
