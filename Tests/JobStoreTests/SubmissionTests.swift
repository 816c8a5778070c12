import Foundation
import JobModel
import JobStore
import Testing

/// A manifest that is sent more than once, and jobs that run again.
@Suite struct SubmissionTests {
    private func item(_ id: String, prompt: String = "?") -> NewItem {
        NewItem(
            id: ItemID(id), images: ["\(id).jpg"], json: #"{"id":"\#(id)","image":"\#(id).jpg","prompt":"\#(prompt)"}"#)
    }

    private func opened(_ folder: Folder) throws {
        try folder.opened { store in
            try store.openBatch(batch, description: "{}", results: "/r", modelFingerprint: "m", at: now)
            try store.commit()
        }
    }

    @Test func whatIsKnownIsNotAddedTwice() throws {
        let folder = try Folder()
        try opened(folder)
        try folder.opened { store in
            let first = try store.add([item("a"), item("b")], to: batch)
            #expect(first.added.count == 2 && first.known == 0)
            try store.commit()
            _ = try store.add([item("lost")], to: batch)
        }
        try folder.opened { store in
            // White space is no difference.
            var same = item("b")
            same.json = #"{ "id": "b", "image": "b.jpg", "prompt": "?" }"#
            let again = try store.add([item("a"), same, item("c")], to: batch)
            #expect(again.added.count == 1 && again.known == 2 && again.revived == [])
            #expect(try store.items(of: batch, after: 0, limit: 9).map(\.id.rawValue) == ["a", "b", "c"])
            #expect(try store.items(of: batch, after: 0, limit: 9).map(\.ordinal) == [1, 2, 3])
            #expect(try store.batches().map(\.total) == [3])
            #expect(try store.batches().map(\.modelFingerprint) == ["m"])
        }
    }

    @Test func anotherItemOfTheSameIdIsRefusedOrReplacesTheOneThatWaits() throws {
        let folder = try Folder()
        try opened(folder)
        try folder.opened { store in
            let jobs = try store.add([item("a"), item("b")], to: batch).added.map(\.id)
            _ = try store.apply([.assigned(lease(jobs[0], 1), to: ann)], at: now)
            #expect {
                _ = try store.add([item("c"), item("b", prompt: "Why?")], to: batch)
            } throws: { ($0 as? JobStoreError)?.code == .changedItem && "\($0)".contains("'b'") }
            // The whole piece was refused.
            #expect(try store.items(of: batch, after: 0, limit: 9).count == 2)
            let forced = try store.add(
                [item("a", prompt: "Why?"), item("b", prompt: "Why?")], to: batch, replacing: true)
            #expect(forced.known == 2)
            let bodies = try store.items(of: jobs).map { $0?.contains("Why?") }
            #expect(bodies == [false, true])
        }
    }

    @Test func cancelledItemsRunAgainWhenTheyAreSubmittedAgain() throws {
        let folder = try Folder()
        try opened(folder)
        try folder.opened { store in
            let jobs = try store.add([item("a"), item("b")], to: batch).added.map(\.id)
            try store.closeBatch(batch, at: now)
            let made: [JobTransition] = [
                .assigned(lease(jobs[0], 1), to: ann), .batchCancelled(batch, reason: "enough"),
            ]
            #expect(try store.apply(made, at: now) == [])
            #expect(try store.batches().map(\.reason) == ["enough"])
            let again = try store.add([item("a")], to: batch)
            #expect(again.revived.map(\.id) == [jobs[0]] && again.revived.map(\.epoch) == [Epoch(2)])
            #expect(try store.apply([.batchReopened(batch)], at: now) == [])
            #expect(try store.items(of: batch, after: 0, limit: 9).map(\.state) == [.waiting, .cancelled])
            #expect(try store.batches().map(\.state) == [.running])
            #expect(try store.batches().map(\.reason) == [nil])
            // An attempt from before does not count any more than it did.
            try store.add(shard)
            let late = [row(lease(jobs[0], 1)), .adopted(lease(jobs[0], 1), by: ann)]
            #expect(try store.apply(late, at: now) == late)
            #expect(try store.apply([.assigned(lease(jobs[0], 2), to: ann)], at: now).count == 1)
            #expect(try store.apply([.assigned(lease(jobs[0], 3), to: ann)], at: now) == [])
        }
    }

    @Test func aRetryForgivesAndForgetsNothing() throws {
        let folder = try Folder()
        let jobs = try folder.submit(["a", "b", "c"])
        try folder.opened { store in
            let failure = AttemptEnd(worker: ann, errorClass: .resource, reason: "no memory")
            let made: [JobTransition] = [
                .assigned(lease(jobs[0], 1), to: ann), .requeued(lease(jobs[0], 1), toll: .failure, because: failure),
                .assigned(lease(jobs[0], 2), to: ann), .requeued(lease(jobs[0], 2), toll: .loss, because: lost),
                .assigned(lease(jobs[0], 3), to: ann), .failed(lease(jobs[0], 3), because: failure),
                .assigned(lease(jobs[1], 1), to: ann), row(lease(jobs[1], 1), error: "bad"),
            ]
            #expect(try store.apply(made, at: now) == [])
            try store.commit()
        }
        try folder.opened { store in
            let retried = try store.retry(batch, states: [.failed])
            #expect(retried.map(\.id) == [jobs[0], jobs[1]] && retried.allSatisfy(\.wasFailed))
            #expect(try store.retry(batch, states: [.failed]) == [])
            let items = try store.items(of: batch, after: 0, limit: 9)
            #expect(items.map(\.state) == [.waiting, .waiting, .waiting])
            #expect(items[0].losses == 1 && items[0].failures == 2 && items[0].attempts == 4)
            #expect(items.map(\.shard) == [nil, nil, nil] && items.map(\.error) == [nil, nil, nil])
            let unfinished = try store.unfinishedJobs(of: batch, after: JobID(0), limit: 9)
            #expect(unfinished.map(\.losses) == [0, 0, 0] && unfinished.map(\.failures) == [0, 0, 0])
            #expect(try store.attempts(at: jobs[0]).map(\.errorClass) == ["resource", nil, "resource"])
            #expect(throws: JobStoreError.self) { try store.retry(batch, states: [.failed], items: [ItemID("z")]) }
        }
    }

    @Test func aRetryOfAnUnknownItemTouchesNoOther() throws {
        let folder = try Folder()
        let jobs = try folder.submit(["a"])
        try folder.opened { store in
            _ = try store.apply([.assigned(lease(jobs[0], 1), to: ann), row(lease(jobs[0], 1), error: "bad")], at: now)
            #expect(throws: JobStoreError.self) {
                try store.retry(batch, states: [.failed], items: [ItemID("a"), ItemID("z")])
            }
            // What follows in the same group is committed all the same.
            try store.commit()
            #expect(try store.retry(batch, states: [.failed]).map(\.id) == jobs)
        }
    }

    @Test func aReplacedItemIsFencedOffFromItsFormerAttempt() throws {
        let folder = try Folder()
        try opened(folder)
        try folder.opened { store in
            let job = try store.add([item("a")], to: batch).added[0].id
            try store.closeBatch(batch, at: now)
            try store.add(shard)
            let ran: [JobTransition] = [
                .assigned(lease(job, 1), to: ann), .requeued(lease(job, 1), toll: .loss, because: lost),
            ]
            #expect(try store.apply(ran, at: now) == [])
            let forced = try store.add([item("a", prompt: "Why?")], to: batch, replacing: true)
            #expect(forced.replaced == [lease(job, 2)])
            #expect(try store.apply([row(lease(job, 1))], at: now).count == 1)
            #expect(try store.apply([.assigned(lease(job, 3), to: ann), row(lease(job, 3))], at: now) == [])
        }
    }

    @Test func anItemMayLoseItsPictureAndGainItAgain() throws {
        let folder = try Folder()
        try opened(folder)
        let pictured = item("a")
        let alone = NewItem(id: ItemID("a"), images: [], json: #"{"id":"a","image":null,"prompt":"?"}"#)
        try folder.opened { store in
            let job = try store.add([pictured], to: batch).added[0].id
            try store.closeBatch(batch, at: now)
            func stored() throws -> (item: String?, picture: PictureKey?) {
                let waiting = try store.unfinishedJobs(of: batch, after: JobID(0), limit: 9)
                return (try store.items(of: [job])[0], waiting.first?.picture)
            }
            #expect {
                _ = try store.add([alone], to: batch)
            } throws: { ($0 as? JobStoreError)?.code == .changedItem }
            let before = try stored()
            #expect(before.item == pictured.json)
            for (epoch, item) in [(1, alone), (2, pictured), (3, alone)] as [(UInt64, NewItem)] {
                let forced = try store.add([item], to: batch, replacing: true)
                #expect(forced.known == 1 && forced.replaced == [lease(job, epoch)])
                let found = try stored()
                #expect(found.item == item.json)
                #expect(found.picture == item.picture)
                // What is there already is no other item.
                let again = try store.add([item], to: batch)
                #expect(again.known == 1 && again.replaced == [])
            }
            #expect(pictured.picture != alone.picture)
            try store.commit()
        }
        try folder.opened { (store: inout JobStore) throws in
            #expect(try store.items(of: batch, after: 0, limit: 9).map(\.state) == [.waiting])
        }
    }

    @Test func aRestartKnowsWhoHadWhat() throws {
        let folder = try Folder()
        let jobs = try folder.submit(["a", "b", "c"])
        try folder.opened { store in
            let made: [JobTransition] = [
                .assigned(lease(jobs[0], 1), to: ann), .assigned(lease(jobs[1], 1), to: ann),
                .seconded(lease(jobs[1], 2), beside: Epoch(1), to: WorkerName("bob")),
                .assigned(lease(jobs[2], 1), to: ann), row(lease(jobs[2], 1)),
            ]
            #expect(try store.apply(made, at: now) == [])
            let left = try store.unfinishedJobs(of: batch, after: JobID(0), limit: 9)
            #expect(left.map(\.worker) == [ann, WorkerName("bob")])
            #expect(left.map(\.rival) == [nil, Epoch(1)])
            #expect(try store.lastDurations(of: batch, limit: 9) == [1.5])
        }
    }

    @Test func theLastDurationsAreThoseOfTheJobsThatHaveSucceeded() throws {
        let folder = try Folder()
        let other = BatchID("other"), otherShard = "shards/00/b.h5"
        try folder.opened { store in
            for id in [batch, other] { try store.openBatch(id, description: "{}", results: "/r", at: now) }
            var jobs = try store.add([item("a"), item("b"), item("c")], to: batch).added.map(\.id)
            // Its number lies between those of the first batch's jobs.
            jobs += try store.add([item("x")], to: other).added.map(\.id)
            jobs += try store.add([item("d"), item("e"), item("f")], to: batch).added.map(\.id)
            for id in [batch, other] { try store.closeBatch(id, at: now) }
            try store.add(shard)
            try store.add(ShardRecord(batch: other, path: otherShard, sha256: [3], bytes: 9, worker: ann))
            // All have run but the last one; "d" and "e" have failed.
            for (number, job) in jobs.dropLast().enumerated() {
                let commit = RowCommit(
                    lease: lease(job, 1), shard: number == 3 ? otherShard : shard.path, row: UInt32(number),
                    error: number > 3 ? "bad" : nil, summary: JobSummary(seconds: Double(number + 1)))
                #expect(try store.apply([.assigned(lease(job, 1), to: ann), .committed(commit)], at: now) == [])
            }
            #expect(try store.retry(batch, states: [.failed], items: [ItemID("e")]).map(\.id) == [jobs[5]])
            let states = try store.items(of: batch, after: 0, limit: 9).map(\.state)
            #expect(states == [.succeeded, .succeeded, .succeeded, .failed, .waiting, .waiting])
            #expect(try store.lastDurations(of: batch, limit: 9) == [3, 2, 1])
            #expect(try store.lastDurations(of: batch, limit: 2) == [3, 2])
            #expect(try store.lastDurations(of: other, limit: 9) == [4])
        }
    }

    @Test func aLookForItemsEndsWhereItIsToldTo() throws {
        let folder = try Folder()
        _ = try folder.submit(["a", "b", "c"])
        try folder.opened { (store: inout JobStore) throws in
            #expect(try store.items(of: batch, after: 0, through: 2, limit: 9).map(\.id.rawValue) == ["a", "b"])
        }
    }

    @Test func secondAttemptsCountBesideTheFirst() throws {
        for (winner, loser) in [(1, 2), (2, 1)] as [(UInt64, UInt64)] {
            let folder = try Folder()
            let jobs = try folder.submit(["a"])
            try folder.opened { (store: inout JobStore) throws in
                let made: [JobTransition] = [
                    .assigned(lease(jobs[0], 1), to: ann),
                    .seconded(lease(jobs[0], 2), beside: Epoch(1), to: WorkerName("bob")),
                    row(lease(jobs[0], winner), 5),
                ]
                #expect(try store.apply(made, at: now) == [])
                let late = row(lease(jobs[0], loser), 6)
                #expect(try store.apply([late], at: now) == [late])
                #expect(try store.items(of: batch, after: 0, limit: 1).map(\.row) == [5])
            }
        }
        let folder = try Folder()
        let jobs = try folder.submit(["a"])
        try folder.opened { (store: inout JobStore) throws in
            let made: [JobTransition] = [
                .assigned(lease(jobs[0], 1), to: ann),
                .seconded(lease(jobs[0], 2), beside: Epoch(1), to: WorkerName("bob")),
                .withdrawn(lease(jobs[0], 1), toll: .loss, because: lost),
            ]
            #expect(try store.apply(made, at: now) == [])
            #expect(try store.apply([row(lease(jobs[0], 1))], at: now).count == 1)
            #expect(try store.apply([row(lease(jobs[0], 2))], at: now) == [])
        }
    }

    @Test func itemsAreFoundByStateAndLabel() throws {
        let folder = try Folder()
        try opened(folder)
        try folder.opened { store in
            let items = (0..<6).map { number in
                let split = number.isMultiple(of: 2) ? "val" : "te'st"
                return NewItem(
                    id: ItemID("\(number)"), images: ["x.jpg"],
                    json: #"{"id":"\#(number)","image":"x.jpg","prompt":"?","labels":{"split":"\#(split)","n":"1"}}"#)
            }
            let jobs = try store.add(items, to: batch).added.map(\.id)
            _ = try store.apply([.assigned(lease(jobs[1], 1), to: ann)], at: now)
            func found(_ states: Set<JobState>, _ labels: [String: String]) throws -> [String] {
                try store.items(of: batch, after: 0, limit: 9, states: states, labels: labels).map(\.id.rawValue)
            }
            #expect(try found([], ["split": "val"]) == ["0", "2", "4"])
            #expect(try found([.running], [:]) == ["1"])
            #expect(try found([.waiting], ["split": "te'st", "n": "1"]) == ["3", "5"])
            #expect(try found([.failed], [:]) == [])
            #expect(try store.item(ItemID("3"), of: batch)?.ordinal == 4)
            #expect(try store.item(ItemID("9"), of: batch) == nil)
        }
    }
}
