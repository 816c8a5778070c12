import Foundation
import TestSupport
import Testing

extension BlackBox {
    /// Results are where they are looked for, or they do not count.
    @Suite(.enabled(if: SmallDisk.isPossible, "a disk of one worker's own takes root to mount"))
    struct LocationTests {
        @Test(
            "59: a worker with a disk of its own over the results folder hands its jobs back; the other runs them all")
        func everyRowThatCountsIsFound() async throws {
            let services = try await Services()
            let batch = try TestBatch(Demo.items(1_000), method: "none", lines: "features: none")
            let submitted = try await services.submit(batch)
            let arguments = [
                "worker", "--null", "--connect", services.endpoints.workers, "--name", "apart", "--threads", "1",
                "--spool",
                batch.folder.file("spool").path,
            ]
            let apart = try RunningWinnow(
                [
                    "-m", "/bin/sh", "-c",
                    "mount -t tmpfs none \"$0\" && mkdir -p \"$0/shards\" && exec \"$@\"", submitted.results,
                    RunningWinnow.binary(),
                ] + arguments, program: "/usr/bin/unshare")
            try await eventually("it is said why nothing runs") {
                let end = try await services.ask("status", submitted.batch, "--output", "json")
                return end.output.contains("Mount the folder")
            }
            let beside = try services.startNullWorker("beside")
            let wait = try await services.ask("wait", submitted.batch)
            #expect(wait.code == 0, "\(wait)")
            #expect(apart.isRunning && beside.isRunning, "\(apart.errors)")
            let rows = try Shard.all(in: submitted.results).flatMap { $0.rows.map(\.id) }
            #expect(rows.sorted() == batch.items.map(\.id).sorted())
            let items = try #require(try await services.status(submitted.batch, items: true).items)
            #expect(items.allSatisfy { $0.state == "succeeded" })
        }
    }
}
