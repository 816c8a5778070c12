import Foundation
import TestSupport
import Testing

extension BlackBox {
    /// `winnow results` and `winnow report` over what `winnow run` left behind.
    @Suite struct ResultsTests {
        private struct Verified: Decodable {
            let shards, visible, undecided, damaged, missing, orphaned, superseded: Int
            let requeued: Int?
        }

        private func finished(_ count: Int = 6, lines: String = "") async throws -> TestBatch {
            let batch = try TestBatch(Demo.items(count, every: 3), workers: 2, lines: lines)
            let end = try await winnow("run", batch.path, "--output", "json")
            try #require(end.code == 0, "\(end)")
            return batch
        }

        private func shards(_ batch: TestBatch) throws -> [String] {
            let folder = batch.results + "/shards"
            return try FileManager.default.subpathsOfDirectory(atPath: folder).filter { $0.hasSuffix(".h5") }.sorted()
                .map { "\(folder)/\($0)" }
        }

        private func verify(_ batch: TestBatch, _ arguments: String...) async throws -> (Int32?, Verified) {
            let end = try await winnow(["results", "verify", batch.results, "--output", "json"] + arguments)
            return (end.code, try Verified(printed: end.output))
        }

        @Test func theCatalogueIsThereAndAnswers() async throws {
            let batch = try await finished()
            #expect(FileManager.default.fileExists(atPath: batch.results + "/catalogue.sqlite"))
            let sql = "SELECT id, visual_tokens_out AS tokens FROM jobs WHERE status = 'ok' ORDER BY id"
            let table = try await winnow("results", "query", sql, batch.results)
            #expect(table.code == 0 && table.output.hasPrefix("id "), "\(table)")
            for item in batch.items { #expect(table.output.contains(item.id)) }
            let json = try await winnow("results", "query", sql, batch.results, "--output", "json")
            struct Row: Decodable, Equatable {
                let id: String
                let tokens: Int
            }
            let rows = try JSONDecoder().decode([Row].self, from: Data(json.output.utf8))
            #expect(rows == batch.items.map(\.id).sorted().map { Row(id: $0, tokens: 192) })
            let csv = try await winnow("results", "query", sql, batch.results, "--output", "csv")
            #expect(csv.output.hasPrefix("id,tokens\r\n"))
            let made = try await winnow("results", "catalogue", batch.results)
            #expect(made.code == 0 && made.output.contains("6 jobs"), "\(made)")
            let wrong = try await winnow("results", "query", "DELETE FROM jobs", batch.results)
            #expect(wrong.code == 2 && wrong.errors.contains("SELECT"), "\(wrong)")
            let nowhere = try await winnow("results", "query", sql, "/nowhere")
            #expect(nowhere.code == 2 && nowhere.errors.contains("/nowhere"), "\(nowhere)")
        }

        @Test func missingJobsRunAgainAndAreMerged() async throws {
            let batch = try await finished(8, lines: "features: none\ntrace: indices")
            let (good, whole) = try await verify(batch)
            #expect(good == 0 && whole.visible == 8 && whole.missing == 0 && whole.damaged == 0)
            let lost = try #require(try shards(batch).first)
            try FileManager.default.removeItem(atPath: lost)
            let (bad, found) = try await verify(batch)
            #expect(bad == 1 && found.missing > 0 && found.missing + found.visible == 8)
            let (_, requeued) = try await verify(batch, "--requeue")
            #expect(requeued.requeued == found.missing)

            // The batch goes on where it was: its coordinator and a worker are started again.
            let coordinator = try RunningWinnow([
                "coordinator", "--store", batch.results + "/jobs.sqlite", "--workers", "tcp://127.0.0.1:*", "--clients",
                "tcp://127.0.0.1:*", "--output", "json",
            ])
            try await eventually("the coordinator listens") { coordinator.output.hasSuffix("\n") }
            let endpoints = try Services.Endpoints(printed: coordinator.output)
            // It holds the store: nothing can be put back behind its back.
            let refused = try await winnow("results", "verify", batch.results, "--requeue")
            #expect(refused.code == 1 && refused.errors.contains("Another coordinator"), "\(refused)")
            let worker = try RunningWinnow(["worker", "--connect", endpoints.workers, "--threads", "1"])
            let wait = try await winnow("wait", "batch", "--connect", endpoints.clients)
            #expect(wait.code == 0, "\(wait)")
            for process in [worker, coordinator] {
                process.kill(SIGTERM)
                _ = try await process.end()
            }
            let (again, complete) = try await verify(batch)
            #expect(again == 0 && complete.visible == 8)

            let sql = "SELECT id, answer, visual_tokens_out FROM jobs ORDER BY id"
            let before = try await winnow("results", "query", sql, batch.results, "--output", "csv").output
            let merge = try await winnow("results", "merge", batch.results)
            #expect(merge.code == 0 && merge.output.contains("with the same 8 rows"), "\(merge)")
            #expect(try shards(batch).count == 1)
            #expect(try await winnow("results", "query", sql, batch.results, "--output", "csv").output == before)
            let (merged, last) = try await verify(batch)
            #expect(merged == 0 && last.visible == 8 && last.superseded == 0 && last.orphaned == 0)
        }

        private func removeStore(_ batch: TestBatch) {
            for file in ["jobs.sqlite", "jobs.sqlite-wal", "jobs.sqlite-shm"] {
                try? FileManager.default.removeItem(atPath: "\(batch.results)/\(file)")
            }
        }

        @Test(.enabled(if: SystemPython.hasH5py, "needs Debian's python3-h5py"))
        func onlyTheStoreKnowsWhichOfSeveralAttemptsCounts() async throws {
            let batch = try await finished(3, lines: "features: none")
            // A second attempt that was sealed and never committed.
            let first = try #require(try shards(batch).first)
            let name = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
            let second = URL(fileURLWithPath: first).deletingLastPathComponent().path + "/\(name).h5"
            _ = try SystemPython.run(
                """
                import h5py, shutil, sys
                shutil.copy(sys.argv[1], sys.argv[2])
                with h5py.File(sys.argv[2], "r+") as f:
                    f.attrs["shard"] = sys.argv[3]
                    f["jobs/attempt"][:] = f["jobs/attempt"][:] + 1
                """, first, second, name)
            let sql = "SELECT MAX(attempt) AS most FROM jobs"
            for _ in 0..<2 {
                let asked = try await winnow("results", "query", sql, batch.results, "--output", "csv")
                #expect(asked.output == "most\r\n1\r\n", "\(asked)")
                let made = try await winnow("results", "catalogue", batch.results)
                #expect(made.code == 0 && made.output.contains("3 jobs"), "\(made)")
            }
            removeStore(batch)
            let before = try shards(batch)
            let merge = try await winnow("results", "merge", batch.results, "--finished")
            #expect(merge.code == 2 && merge.errors.contains("--store"), "\(merge)")
            #expect(try shards(batch) == before)
        }

        @Test func whatCannotBeCheckedIsSaid() async throws {
            let batch = try await finished(3)
            removeStore(batch)
            let byItems = try await winnow("results", "verify", batch.results)
            #expect(byItems.code == 0 && !byItems.errors.contains("not looked for"), "\(byItems)")
            try FileManager.default.removeItem(at: batch.folder.file("items.jsonl"))
            let blind = try await winnow("results", "verify", batch.results)
            #expect(blind.code == 0 && blind.errors.contains("missing rows were not looked for"), "\(blind)")
        }

        @Test func exportsPicturesAndTheReport() async throws {
            let batch = try await finished()
            let folder = try TemporaryDirectory()
            for (format, beginning) in [("csv", "id,image,"), ("jsonl", "{\"id\":"), ("llava", "{\"question_id\": ")] {
                let file = folder.file(format)
                let end = try await winnow(
                    "results", "export", batch.results, "--format", format, "--out", file.path)
                #expect(end.code == 0, "\(end)")
                let text = try String(contentsOf: file, encoding: .utf8)
                #expect(text.hasPrefix(beginning) && (format == "csv" || text.split(separator: "\n").count == 6))
            }
            let needsFile = try await winnow("results", "export", batch.results, "--format", "npz")
            #expect(needsFile.code == 2 && needsFile.errors.contains("--out"), "\(needsFile)")

            let png = folder.file("job.png").path
            let id = batch.items[0].id
            let show = try await winnow(
                "results", "show", id, batch.results, "--png", png, "--drawing", "blocks", "--steps", "2")
            #expect(show.code == 0 && show.output.contains("▀") && show.output.contains("576 → 192"), "\(show)")
            #expect(FileManager.default.contents(atPath: png)?.starts(with: [0x89, 0x50, 0x4E, 0x47]) == true)
            let sixel = try await winnow("results", "show", id, batch.results, "--drawing", "sixel")
            #expect(sixel.output.contains("\u{1B}Pq\"1;1;") && sixel.output.hasSuffix("\u{1B}\\\n"))
            let absent = try await winnow("results", "show", "nobody", batch.results)
            #expect(absent.code == 2 && absent.errors.contains("nobody"), "\(absent)")

            let report = try await winnow("report", batch.results)
            #expect(report.code == 0, "\(report)")
            let html = try String(contentsOfFile: batch.results + "/report.html", encoding: .utf8)
            #expect(html.contains("data:image/webp;base64,") && html.contains(id))
            let reader = try await winnow("results", "reader")
            #expect(reader.output.contains("def open_results("))
        }

        @Test func whatIsStoredIsChosenAndItsSizeIsSaid() async throws {
            let batch = try TestBatch(Demo.items(2))
            let end = try await winnow("run", batch.path, "--features", "tower", "--trace", "none", "--output", "json")
            #expect(end.code == 0 && end.errors.contains("storing about") && end.errors.contains("trace 0 B"), "\(end)")
            let yaml = try String(contentsOfFile: batch.results + "/batch.yaml", encoding: .utf8)
            #expect(yaml.contains("features: \"tower\"") && yaml.contains("trace: \"none\""))
            let (code, verified) = try await verify(batch)
            #expect(code == 0 && verified.visible == 2)
            let show = try await winnow("results", "show", batch.items[0].id, batch.results)
            #expect(show.code == 2 && show.errors.contains("trace"), "\(show)")
            let wrong = try await winnow("run", batch.path, "--features", "all")
            #expect(wrong.code == 2)
        }

        @Test func theSizeThatIsSaidIsAboutTheSizeThatItTakes() async throws {
            let batch = try TestBatch(Demo.items(60), maxTokens: 1)
            let end = try await winnow("run", batch.path, "--output", "json")
            try #require(end.code == 0, "\(end)")
            let said = try #require(end.errors.components(separatedBy: " for 60 jobs").first)
            let last = try #require(said.components(separatedBy: "), ").last)
            let words = last.split(separator: " ").map { String($0) }
            let units: [String: Double] = ["B": 1, "kB": 1e3, "MB": 1e6, "GB": 1e9]
            try #require(words.count == 2, "\(end)")
            let number = try #require(Double(words[0]))
            let unit = try #require(units[words[1]])
            var taken = 0
            for shard in try shards(batch) {
                let attributes = try FileManager.default.attributesOfItem(atPath: shard)
                taken += attributes[.size] as? Int ?? 0
            }
            #expect(abs(number * unit / Double(taken) - 1) < 0.3, "said \(number * unit) B, took \(taken) B")
        }

        /// A global heap with an object of no bytes makes libhdf5 1.10 loop for ever, and a seal proves nothing about whoever
        /// made both; the other shards are read as ever.
        @Test func aSealedShardThatStopsTheLibraryIsOnlyLeftOut() async throws {
            let batch = try await finished(6, lines: "features: none")
            removeStore(batch)
            let good = try #require(try shards(batch).first)
            let hostile = URL(fileURLWithPath: good).deletingLastPathComponent()
                .appendingPathComponent("01ARZ3NDEKTSV4RRFFQ69G5FAV.h5")
            try FileManager.default.copyItem(at: URL(fileURLWithPath: good), to: hostile)
            _ = try SystemPython.run(
                """
                import hashlib, sys
                with open(sys.argv[1], "r+b") as file:
                    body = bytearray(file.read()[:-40])
                    place = body.find(b"GCOL")
                    assert place > 0
                    while place >= 0:
                        body[place + 16:place + 32] = bytes(16)
                        place = body.find(b"GCOL", place + 4)
                    file.seek(0)
                    file.write(body + b"WNWSEAL1" + hashlib.sha256(body).digest())
                """, hostile.path)
            try FileManager.default.removeItem(atPath: batch.results + "/catalogue.sqlite")
            let catalogue = try await winnow("results", "catalogue", batch.results)
            #expect(catalogue.code == 1 && catalogue.errors.contains("does not end"), "\(catalogue)")
            #expect(catalogue.errors.contains(hostile.lastPathComponent) && catalogue.output.contains(" 6 jobs"))
            let (code, verified) = try await verify(batch)
            #expect(code == 1 && verified.damaged == 1 && verified.visible == 6 && verified.missing == 0)
            let out = try TemporaryDirectory()
            for (command, expected) in [
                (["results", "export", batch.results, "--format", "csv", "--out", out.file("x.csv").path], 0),
                (["report", batch.results, "--out", out.file("x.html").path], 0),
                (["results", "query", "SELECT COUNT(*) FROM jobs", batch.results], 0),
            ] as [([String], Int32)] {
                let end = try await winnow(command)
                #expect(end.code == expected && end.errors.contains("does not end"), "\(command): \(end)")
            }
            let merge = try await winnow("results", "merge", batch.results, "--finished")
            #expect(merge.code.map { $0 != 0 } == true && merge.errors.contains("does not end"), "\(merge)")
            #expect(FileManager.default.fileExists(atPath: good))
        }

        /// Every command that reads shards, given one that somebody tampered with.
        @Test(
            .enabled(if: SystemPython.hasH5py, "needs Debian's python3-h5py"),
            arguments: [
                "del f['kept']; f['kept'] = h5py.ExternalLink('/etc/passwd', '/kept')",
                "del f['jobs/id']; f.create_dataset('jobs/id', (3,), 'S8', external=[('/etc/passwd', 0, 24)])",
                "del f['jobs/attempt']; f.create_dataset('jobs/attempt', (1 << 44,), 'i8', chunks=(1 << 20,))",
                "f.attrs['rows'] = 1 << 60", "f['tokens/indptr'][1] = 1 << 50",
                "f.attrs['rows'] = 1 << 22\nfor n in list(f['jobs']):\n  t = f['jobs'][n].dtype; del f['jobs'][n]; "
                    + "f['jobs'].create_dataset(n, (1 << 22,), 'S1' if t.kind == 'S' else t, chunks=(1 << 16,))",
                "f['segments/rows'][:] = 0", "f['segments/first_token'][:] = 7",
                "f['steps/tokens_out'][:] = (1 << 63) - 1; f['steps/tokens_in'][:] = -1 << 63",
                "for n in ['left', 'top', 'width', 'height']: f['segments/' + n][:] = 1e300",
                "f['segments/width'][:] = 1e8\nf['segments/height'][:] = float('nan')",
                "f['jobs/finished_at'][0] = float('inf'); f['jobs/flops_vision'][:] = float('-inf')",
                "f['jobs/finished_at'][0] = float('nan'); f['jobs/seconds_vision'][0] = float('nan')",
                "d = f['kept/data'].id; a = d.get_chunk_info(0); o = open(sys.argv[1], 'r+b'); "
                    + "o.seek(a.byte_offset); o.write(b'x' * a.size); o.close()",
                "o = open(sys.argv[1], 'r+b'); o.seek(96); o.write(b'y' * 4000); o.close()",
                "o = open(sys.argv[1], 'r+b'); o.truncate(5000); o.close()",
            ])
        func hostileShardsEndInAClearError(edit: String) async throws {
            let batch = try TestBatch(Demo.items(3), maxTokens: 1)
            let end = try await winnow("run", batch.path, "--features", "none", "--output", "json")
            try #require(end.code == 0, "\(end)")
            for shard in try shards(batch) {
                // Without its seal, which would give all of this away at once.
                var bytes = try Data(contentsOf: URL(fileURLWithPath: shard))
                bytes.removeLast(40)
                try bytes.write(to: URL(fileURLWithPath: shard))
                _ = try SystemPython.run(
                    "import h5py, sys\nwith h5py.File(sys.argv[1], 'r+') as f: exec(sys.argv[2])", shard, edit)
            }
            let out = try TemporaryDirectory()
            let commands: [[String]] = [
                ["results", "catalogue", batch.results], ["results", "query", "SELECT * FROM jobs", batch.results],
                ["results", "verify", batch.results], ["results", "merge", batch.results],
                ["results", "show", batch.items[0].id, batch.results],
                ["results", "export", batch.results, "--format", "csv", "--out", out.file("x.csv").path],
                ["report", batch.results, "--out", out.file("x.html").path],
            ]
            for command in commands {
                try? FileManager.default.removeItem(atPath: batch.results + "/catalogue.sqlite")
                let end = try await winnow(command)
                #expect(end.code != nil, "\(command) was ended by a signal: \(end)")
                let said = end.errors + end.output
                let isRemarked = said.contains(".h5") || said.contains("damaged") || end.code == 0
                #expect(isRemarked, "\(command): \(end)")
                if command[1] == "verify" { #expect(end.code == 1, "\(end)") }
            }
        }
    }
}
