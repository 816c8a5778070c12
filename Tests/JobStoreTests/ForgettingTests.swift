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

    /// The names of workers in the store.
    private func workers(_ folder: Folder) throws -> [String] {
        let script = """
            import sqlite3, sys
            for name, in sqlite3.connect(sys.argv[1]).execute("SELECT name FROM worker ORDER BY name"): print(name)
            """
        return try SystemPython.run(script, folder.url.path).split(separator: "\n").map(String.init)
    }

    @Test(.enabled(if: SystemPython.has("sqlite3"), "needs Debian's python3"))
    func namesOfWorkersGoWhenNothingRunsOnThem() throws {
        let folder = try Folder()
        let jobs = try folder.submit(["a", "b", "c"])
        let (bob, cat, dan) = (WorkerName("bob"), WorkerName("cat"), WorkerName("dan"))
        func apply(_ transitions: JobTransition..., to store: inout JobStore) throws {
            #expect(try store.apply(transitions, at: now) == [])
            try store.commit()
        }
        try folder.opened { store in
            try apply(
                .assigned(lease(jobs[0], 1), to: ann), row(lease(jobs[0], 1)), .assigned(lease(jobs[1], 1), to: bob),
                .assigned(lease(jobs[2], 1), to: cat),
                .requeued(lease(jobs[2], 1), toll: .loss, because: AttemptEnd(worker: cat, reason: "it was lost")),
                .assigned(lease(jobs[2], 2), to: dan), .requeued(lease(jobs[2], 2), toll: .none, because: nil),
                to: &store)
            // A name that is used again while the search for names is under way stays.
            #expect(try store.tidyUp())
            try apply(.assigned(lease(jobs[2], 3), to: dan), to: &store)
            while try store.tidyUp() {}
        }
        #expect(try workers(folder) == ["bob", "dan"])
        try folder.opened { store in
            #expect(try store.unfinishedJobs(of: batch, after: JobID(0), limit: 9).map(\.worker) == [bob, dan])
            #expect(try store.attempts(at: jobs[2]).map(\.worker) == [cat], "attempts have names of their own")
            while try store.tidyUp() {}
            // A name that went comes back with the next job, under a number that no other has.
            try apply(.requeued(lease(jobs[1], 1), toll: .none, because: nil), to: &store)
            try apply(.assigned(lease(jobs[1], 2), to: ann), to: &store)
            #expect(try !store.tidyUp(), "nothing was forgotten since")
            store.workersForgotten()
            while try store.tidyUp() {}
        }
        #expect(try workers(folder) == ["ann", "dan"])
        #expect(try StoreExamination(of: folder.url).problems == [])
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
