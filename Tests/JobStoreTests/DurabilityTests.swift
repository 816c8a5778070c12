import Foundation
import JobModel
import JobStore
import TestSupport
import Testing

/// Full disks, damage, backups, and stores of earlier versions.
@Suite struct DurabilityTests {
    @Test func aFullDiskTakesNothingAndGivesEverythingBack() throws {
        let folder = try Folder()
        let jobs = try folder.submit(["a", "b"])
        try folder.opened { store in
            try store.limit(bytes: 1)
            let large = (0..<400).map { number in
                NewItem(id: ItemID("\(number)"), images: ["x.jpg"], json: String(repeating: "x", count: 4000))
            }
            #expect {
                _ = try store.apply([.assigned(lease(jobs[0], 1), to: ann)], at: now)
                _ = try store.add(large, to: batch)
                try store.commit()
            } throws: { ($0 as? JobStoreError)?.code == .noSpace && ($0 as? JobStoreError)?.isDisk == true }
            store.rollback()
            // Nothing of the group is there, reading goes on, and the disk is still full.
            #expect(try store.items(of: batch, after: 0, limit: 9).map(\.state) == [.waiting, .waiting])
            #expect { try store.probe() } throws: { ($0 as? JobStoreError)?.code == .noSpace }
            store.rollback()

            try store.limit(bytes: nil)
            try store.probe()
            #expect(try store.apply([.assigned(lease(jobs[0], 1), to: ann)], at: now) == [])
            _ = try store.add(large, to: batch)
            try store.commit()
        }
        #expect(try folder.opened { try $0.items(of: batch, after: 0, limit: 999).count } == 402)
        #expect(try StoreExamination(of: folder.url).problems == [])
    }

    @Test func aBackupOpensLikeTheStore() throws {
        let folder = try Folder()
        let jobs = try folder.submit(["a", "b"])
        let copy = folder.directory.file("copy.sqlite")
        try folder.opened { store in
            _ = try store.apply([.assigned(lease(jobs[0], 1), to: ann), row(lease(jobs[0], 1), 3)], at: now)
            try store.commit()
            // In the middle of the work, with a group open that does not count yet.
            _ = try store.apply([.assigned(lease(jobs[1], 1), to: ann)], at: now)
            try StoreExamination.backup(folder.url, to: copy)
            #expect(throws: JobStoreError.self) { try StoreExamination.backup(folder.url, to: copy) }
            let examination = try StoreExamination(of: folder.url)
            #expect(examination.isInUse && examination.problems == [] && examination.isCurrentFormat)
            #expect(examination.shards.map(\.path) == [shard.path])
        }
        let states = try JobStore(at: copy).items(of: batch, after: 0, limit: 9).map(\.state)
        #expect(states == [.succeeded, .waiting])
        let examination = try StoreExamination(of: copy)
        #expect(!examination.isInUse && examination.problems == [])
    }

    /// SQLite ends an open group when its connection closes, and tells GRDB, which has to be there still.
    @Test func aStoreThatIsDroppedWithAnOpenGroupLosesTheGroupAndNothingElse() async throws {
        try await withThrowingTaskGroup { tasks in
            for _ in 0..<8 {
                tasks.addTask {
                    let folder = try Folder()
                    let jobs = try folder.submit(["a", "b"])
                    for _ in 0..<50 {
                        try folder.opened { store in
                            _ = try store.apply([.assigned(lease(jobs[0], 1), to: ann)], at: now)
                        }
                    }
                    let states = try folder.opened { try $0.items(of: batch, after: 0, limit: 9).map(\.state) }
                    #expect(states == [.waiting, .waiting])
                }
            }
            try await tasks.waitForAll()
        }
    }

    @Test func aStoreInUseIsInUseThroughALinkToo() throws {
        let folder = try Folder()
        let link = folder.directory.file("link.sqlite")
        let store = try JobStore(at: folder.url)
        try FileManager.default.createSymbolicLink(at: link, withDestinationURL: folder.url)
        #expect(try StoreExamination(of: link).isInUse)
        #expect {
            _ = try JobStore(at: link)
        } throws: { ($0 as? JobStoreError)?.code == .inUse }
        #expect(try store.batches() == [])
        _ = consume store
        let examination = try StoreExamination(of: link)
        #expect(!examination.isInUse && examination.problems == [])
    }

    @Test func damageIsFound() throws {
        let folder = try Folder()
        _ = try folder.submit((0..<500).map { "item-\($0)" })
        let bytes = try Data(contentsOf: folder.url)
        for page in [3, bytes.count / 4096 / 2, bytes.count / 4096 - 1] {
            var damaged = bytes
            for offset in 0..<64 { damaged[page * 4096 + offset] ^= 0x5A }
            try damaged.write(to: folder.url)
            #expect(try !StoreExamination(of: folder.url).problems.isEmpty, "page \(page)")
            // As a coordinator that was killed leaves it: then it is looked at before it is used.
            _ = FileManager.default.createFile(atPath: folder.url.path + "-wal", contents: nil)
            #expect {
                _ = try JobStore(at: folder.url)
            } throws: { ($0 as? JobStoreError)?.code == .corrupt }
            try? FileManager.default.removeItem(atPath: folder.url.path + "-wal")
        }
        try bytes.write(to: folder.url)
        #expect(try StoreExamination(of: folder.url).problems == [])
    }

    @Test func rulesBetweenTablesAreChecked() throws {
        let folder = try Folder()
        #expect(throws: JobStoreError.self) { try StoreExamination(of: folder.url) }
        try folder.opened { store in
            try store.openBatch(batch, description: "{}", results: "/r", at: now)
            let jobs = try store.add([item("a")], to: batch).added.map(\.id)
            try store.closeBatch(batch, at: now)
            // A batch that ends with a job left: the scheduler never does that.
            _ = try store.apply([.assigned(lease(jobs[0], 1), to: ann), .batchFinished(batch)], at: now)
            try store.commit()
        }
        let problems = try StoreExamination(of: folder.url).problems
        #expect(problems == ["1 unfinished jobs belong to batches that have ended"])
    }

    @Test func aStoreOfTheFormatBeforeIsBroughtUpToDate() throws {
        let folder = try Folder()
        try FileManager.default.createDirectory(
            at: folder.url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try FileManager.default.copyItem(at: Repository.fixture("store/format-1.sqlite"), to: folder.url)
        #expect(try StoreExamination(of: folder.url).isCurrentFormat == false)
        let (over, half, open) = (BatchID("over"), BatchID("half"), BatchID("open"))
        try folder.opened { store in
            let batches = try store.batches()
            #expect(batches.map(\.id) == [over, half, open])
            #expect(batches.map(\.state) == [.finished, .running, .open])
            #expect(batches.map(\.total) == [2, 3, 1])
            #expect(try BatchDescription(json: batches[1].description).queue == QueueOptions())
            let items = try store.items(of: over, after: 0, limit: 9)
            #expect(items.map(\.summary?.answer) == ["yes", nil] && items.map(\.error) == [nil, "given up"])
            #expect(items.map(\.shard) == ["shards/00/x.h5", nil] && items[1].losses == 5)
            let unfinished = try store.unfinishedJobs(of: half, after: JobID(0), limit: 9)
            #expect(unfinished.map(\.epoch) == [Epoch(3), Epoch(0)])
            #expect(unfinished.map(\.losses) == [2, 0] && unfinished.map(\.wasRunning) == [true, false])
            #expect(unfinished.map(\.picture) == [PictureKey("b.jpg"), PictureKey("c.jpg")])

            // It goes on where it was, and the submission that broke off does too.
            try store.add(ShardRecord(batch: half, path: "shards/01/y.h5", sha256: [3], bytes: 1, worker: ann))
            #expect(try store.apply([row(lease(unfinished[0].id, 3), shard: "shards/01/y.h5")], at: now) == [])
            #expect(try store.apply([.assigned(lease(unfinished[1].id, 1), to: ann)], at: now) == [])
            let a = NewItem(id: ItemID("a"), images: ["a.jpg"], json: #"{"id":"a","image":"a.jpg","prompt":"?"}"#)
            let b = NewItem(id: ItemID("b"), images: ["b.jpg"], json: #"{"id":"b","image":"b.jpg","prompt":"?"}"#)
            let added = try store.add([a, b], to: open)
            #expect(added.known == 1 && added.added.count == 1)
            try store.commit()
        }
        let examination = try StoreExamination(of: folder.url)
        #expect(examination.isCurrentFormat && examination.problems == [])
        // What it was before is kept for the older version, whatever happened since.
        let copy = URL(fileURLWithPath: folder.url.path + ".format-1")
        #expect(try StoreExamination(of: copy).isCurrentFormat == false)
        #expect(try folder.opened { try $0.batches().map(\.total) } == [2, 3, 2])
    }
}
