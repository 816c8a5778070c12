import Foundation
import JobModel
import JobStore
import TestSupport
import Testing

/// Batches that are taken out of a store, and the space that they took.
@Suite struct ForgettingTests {
    /// More than one piece, with bodies that fill pages.
    private let names = (0..<2_500).map { "item-\($0)-" + String(repeating: "x", count: 200) }

    private func size(_ folder: Folder) throws -> Int {
        try FileManager.default.attributesOfItem(atPath: folder.url.path)[.size] as? Int ?? 0
    }

    /// Ends the batch: its first job with a row, its second after a lost attempt, the others with it.
    private func end(_ jobs: [JobID], in folder: Folder) throws {
        try folder.opened { store in
            let made: [JobTransition] = [
                .assigned(lease(jobs[0], 1), to: ann), row(lease(jobs[0], 1)), .assigned(lease(jobs[1], 1), to: ann),
                .requeued(lease(jobs[1], 1), toll: .loss, because: lost),
                .batchCancelled(batch, reason: "", jobs: UInt64(jobs.count - 1)),
            ]
            #expect(try store.apply(made, at: now) == [])
            try store.commit()
        }
    }

    @Test func onlyABatchThatHasEndedIsForgotten() throws {
        let folder = try Folder()
        let jobs = try folder.submit(["a", "b"])
        try folder.opened { store in
            #expect { try store.forget(batch) } throws: { ($0 as? JobStoreError)?.code == .notEnded }
            #expect { try store.forget(BatchID("other")) } throws: { ($0 as? JobStoreError)?.code == .noSuchBatch }
        }
        try end(jobs, in: folder)
        try folder.opened { store in
            try store.forget(batch)
            // Without a commit nothing has happened.
            store.rollback()
            #expect(try store.contains(batch))
        }
    }

    @Test func aForgottenBatchIsGoneAtOnceAndItsRowsInPieces() throws {
        let folder = try Folder()
        let jobs = try folder.submit(names)
        try end(jobs, in: folder)
        let full = try size(folder)
        try folder.opened { store in
            try store.forget(batch)
            try store.commit()
        }
        let last = try #require(jobs.last)
        try folder.opened { store in
            #expect(try store.batches().isEmpty && !store.contains(batch))
            #expect(try store.place(of: jobs[0]) == nil)
            // Another batch takes its name, and no number of its jobs.
            try store.openBatch(batch, description: "{}", results: "/r2", at: now)
            #expect(
                try store.add(["a", "b"].map(item), to: batch).added.map(\.id.rawValue)
                    == [1, 2].map { last.rawValue + $0 })
            // A group is open, so that nothing is removed yet.
            #expect(try store.tidyUp())
            try store.commit()
            #expect(try store.items(of: jobs) != Array(repeating: nil, count: jobs.count))
            #expect(try store.tidyUp())
            let left = try store.items(of: jobs).count { $0 != nil }
            #expect(left > 0 && left < jobs.count)
        }
        #expect(try StoreExamination(of: folder.url).problems == [])
        // Whoever opens the store next goes on.
        try folder.opened { store in
            var pieces = 1
            while try store.tidyUp() { pieces += 1 }
            #expect(pieces > 2)
            #expect(try store.items(of: jobs) == Array(repeating: nil, count: jobs.count))
            #expect(try store.attempts(at: jobs[1]).isEmpty)
            #expect(try store.batches().map(\.total) == [2])
            #expect(try store.add([item("c")], to: batch).added.map(\.id.rawValue) == [last.rawValue + 3])
            try store.commit()
        }
        let examination = try StoreExamination(of: folder.url)
        #expect(examination.problems == [] && examination.batches.map(\.id) == [batch] && examination.shards.isEmpty)
        #expect(try size(folder) < full / 4)
    }

    @Test func numbersOfJobsAreNotUsedAgainInAnEmptyStore() throws {
        let folder = try Folder()
        let jobs = try folder.submit(["a", "b"])
        try end(jobs, in: folder)
        let next = try folder.opened { store in
            try store.forget(batch)
            try store.commit()
            while try store.tidyUp() {}
            try store.openBatch(batch, description: "{}", results: "/r", at: now)
            return try store.add([item("a")], to: batch).added.map(\.id)
        }
        #expect(next == [JobID(jobs[1].rawValue + 1)])
    }

    @Test(.enabled(if: SystemPython.has("sqlite3"), "needs Debian's python3"))
    func aStoreOfAnEarlierVersionShrinksAtTheNextStart() throws {
        let folder = try Folder()
        let jobs = try folder.submit(names)
        try end(jobs, in: folder)
        _ = try SystemPython.run(
            """
            import sqlite3, sys
            store = sqlite3.connect(sys.argv[1], isolation_level=None)
            for sql in ["PRAGMA journal_mode = DELETE", "PRAGMA auto_vacuum = NONE", "VACUUM"]: store.execute(sql)
            assert store.execute("PRAGMA auto_vacuum").fetchone() == (0,)
            """, folder.url.path)
        let full = try size(folder)
        try folder.opened { store in
            try store.forget(batch)
            try store.commit()
            while try store.tidyUp() {}
        }
        #expect(try size(folder) >= full)
        #expect(try folder.opened { try $0.batches().isEmpty })
        #expect(try size(folder) < full / 4)
        #expect(try StoreExamination(of: folder.url).problems == [])
    }
}
