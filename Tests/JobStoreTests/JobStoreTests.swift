import Foundation
import JobModel
import JobStore
import TestSupport
import Testing

@Suite struct JobStoreTests {
    @Test func commitsSurviveThePowerButton() throws {
        #expect(try Folder().opened { try $0.synchronousLevel() } == 2)
    }

    @Test func whatIsCommittedIsThereAfterReopening() throws {
        let folder = try Folder()
        let jobs = try folder.submit(["a", "b", "c"])
        try folder.opened { store in
            let made: [JobTransition] = [
                .assigned(lease(jobs[0], 1), to: ann), .assigned(lease(jobs[1], 1), to: ann), row(lease(jobs[0], 1), 7),
                .requeued(lease(jobs[1], 1), toll: .loss, because: lost), .assigned(lease(jobs[1], 2), to: ann),
            ]
            #expect(try store.apply(made, at: now) == [])
            try store.commit()
            // Not committed, and so never to be seen again.
            #expect(try store.apply([row(lease(jobs[1], 2))], at: now) == [])
        }
        try folder.opened { store in
            let unfinished = try store.unfinishedJobs(of: batch, after: JobID(0), limit: 10)
            #expect(unfinished.map(\.id) == [jobs[1], jobs[2]])
            #expect(unfinished.map(\.epoch) == [Epoch(2), Epoch(0)])
            #expect(unfinished.map(\.losses) == [1, 0])
            #expect(unfinished.map(\.wasRunning) == [true, false])
            #expect(unfinished.map(\.picture) == [PictureKey("b.jpg"), PictureKey("c.jpg")])
            #expect(try store.unfinishedJobs(of: batch, after: jobs[1], limit: 10).map(\.id) == [jobs[2]])
            let items = try store.items(of: batch, after: 0, limit: 10)
            #expect(items.map(\.ordinal) == [1, 2, 3])
            #expect(items[0].shard == shard.path)
            #expect(items[0].row == 7)
            #expect(items[0].summary == JobSummary(answer: "yes\n'no'", visualTokens: 192, seconds: 1.5))
            #expect(items[1].summary == nil)
            #expect(items.map(\.attempts) == [1, 2, 0])
            #expect(try store.items(of: batch, after: 1, limit: 1).map(\.id) == [ItemID("b")])
            let batches = try store.batches()
            #expect(batches.map(\.id) == [batch])
            #expect(batches[0].state == .running)
            #expect(batches[0].total == 3)
            #expect(batches[0].closedAt == now)
            #expect(batches[0].counts[.succeeded] == 1)
            #expect(batches[0].counts.unfinished == 2)
            #expect(try store.items(of: [jobs[2], JobID(99)]) == [#"{"id":"c"}"#, nil])
            let attempts = try store.attempts(at: jobs[1])
            #expect(attempts.map(\.reason) == ["worker ann was lost"])
            #expect(attempts.map(\.worker) == [ann] && attempts.map(\.epoch) == [Epoch(1)])
        }
    }

    @Test func jobsAboutNoPictureHaveNothingInCommon() throws {
        try Folder().opened { (store: inout JobStore) throws in
            try store.openBatch(batch, description: "{}", results: "/r", at: now)
            let items = ["a", "b"].map { NewItem(id: ItemID($0), images: [], json: #"{"id":"\#($0)"}"#) }
            let added = try store.add(items, to: batch).added
            try store.commit()
            #expect(Set(added.map(\.picture)).count == 2)
            #expect(try store.items(of: added.map(\.id)) == ["a", "b"].map { #"{"id":"\#($0)"}"# })
        }
    }

    @Test func theFirstCommitWins() throws {
        let folder = try Folder()
        let jobs = try folder.submit(["a"])
        try folder.opened { store in
            #expect(try store.apply([.assigned(lease(jobs[0], 1), to: ann)], at: now) == [])
            #expect(try store.apply([row(lease(jobs[0], 1), 3)], at: now) == [])
            let again = row(lease(jobs[0], 1), 4)
            #expect(try store.apply([again], at: now) == [again])
            #expect(try store.isResult(of: jobs[0], shard: shard.path, row: 3, batch: batch))
            #expect(try !store.isResult(of: jobs[0], shard: shard.path, row: 4, batch: batch))
            #expect(try !store.isResult(of: jobs[0], shard: "other", row: 3, batch: batch))
            try store.commit()
        }
        #expect(try folder.states() == [.succeeded])
    }

    @Test func refusesWhatDoesNotFit() throws {
        let folder = try Folder()
        let jobs = try folder.submit(["a", "b"])
        try folder.opened { store in
            let wrong: [JobTransition] = [
                .assigned(lease(jobs[0], 2), to: ann), .requeued(lease(jobs[0], 0), toll: .none, because: nil),
                row(lease(jobs[0], 1)),
                row(lease(JobID(99), 1)), .batchFinished(BatchID("other")),
                .batchCancelled(BatchID("other"), reason: ""),
            ]
            #expect(try store.apply(wrong, at: now) == wrong)
            let good: [JobTransition] = [
                .assigned(lease(jobs[0], 1), to: ann), .requeued(lease(jobs[0], 1), toll: .loss, because: lost),
                .assigned(lease(jobs[0], 2), to: ann),
            ]
            #expect(try store.apply(good, at: now) == [])
            let stale: [JobTransition] = [
                row(lease(jobs[0], 1)), .adopted(lease(jobs[0], 1), by: ann),
                .quarantined(lease(jobs[0], 1), toll: .loss, because: lost),
                row(lease(jobs[0], 2), shard: "unknown"),
            ]
            #expect(try store.apply(stale, at: now) == stale)
            try store.commit()
        }
        #expect(try folder.states() == [.running, .waiting])
    }

    @Test func jobsEndInEveryWay() throws {
        let kills = AttemptEnd(worker: ann, reason: "kills")
        let folder = try Folder()
        let jobs = try folder.submit(["a", "b", "c"])
        try folder.opened { store in
            let made: [JobTransition] = [
                .assigned(lease(jobs[0], 1), to: ann), row(lease(jobs[0], 1), error: "bad picture"),
                .assigned(lease(jobs[1], 1), to: ann), .quarantined(lease(jobs[1], 1), toll: .loss, because: kills),
                .batchCancelled(batch, reason: "enough"),
            ]
            #expect(try store.apply(made, at: now) == [])
            try store.commit()
        }
        #expect(try folder.states() == [.failed, .failed, .cancelled])
        try folder.opened { store in
            let items = try store.items(of: batch, after: 0, limit: 9)
            #expect(items.map(\.error) == ["bad picture", "kills", nil])
            let batches = try store.batches()
            #expect(batches.map(\.state) == [.cancelled])
            #expect(batches.map(\.finishedAt) == [now])
            let refused = try store.apply([.batchFinished(batch)], at: now)
            #expect(refused == [.batchFinished(batch)])
        }
    }

    @Test func aSecondCoordinatorIsKeptOut() throws {
        let folder = try Folder()
        let store = try JobStore(at: folder.url)
        #expect {
            _ = try JobStore(at: folder.url)
        } throws: { ($0 as? JobStoreError)?.code == .inUse }
        #expect(try store.batches() == [])
        _ = consume store
        #expect(try folder.opened { try $0.batches() } == [])
    }

    @Test func aStoreOfANewerVersionIsRefused() throws {
        let folder = try Folder()
        #expect(try folder.opened { try $0.batches() } == [])
        // SQLite keeps user_version in bytes 60 to 63 of the file.
        let handle = try FileHandle(forUpdating: folder.url)
        try handle.seek(toOffset: 60)
        try handle.write(contentsOf: Data([0, 0, 0, 99]))
        try handle.close()
        #expect {
            _ = try JobStore(at: folder.url)
        } throws: { ($0 as? JobStoreError)?.code == .newerSchema && "\($0)".contains("99") }
    }

    @Test func aFileThatIsNoStoreIsNamed() throws {
        let folder = try Folder()
        try FileManager.default.createDirectory(
            at: folder.url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(repeating: 0x41, count: 9000).write(to: folder.url)
        #expect {
            _ = try JobStore(at: folder.url)
        } throws: { ($0 as? JobStoreError)?.code == .corrupt && "\($0)".contains(folder.url.path) }
    }
}
