import Analysis
import Foundation
import Glibc
import JobVocabulary
import ResultFiles
import TestSupport
import Testing

@Suite struct CatalogueTests {
    let tree: ResultsTree

    init() throws { tree = try ResultsTree() }

    private func texts(_ catalogue: Catalogue, _ sql: String) throws -> [[String]] {
        try catalogue.query(sql).rows.map { row in
            row.map { value in
                switch value {
                case nil: "NULL"
                case .integer(let value): "\(value)"
                case .real(let value): "\(value)"
                case .text(let value): value
                }
            }
        }
    }

    @Test func everyColumnOfEveryVisibleRowIsThere() throws {
        let shard = try tree.seal([ResultsTree.row("a"), ResultsTree.failure("b")], as: 1)
        let catalogue = try Catalogue(tree.folder)
        #expect(catalogue.summary.shards == 1 && catalogue.summary.jobs == 2 && catalogue.summary.unreadable == [])
        for (index, row) in try ShardReader(tree.path(shard)).rows().enumerated() {
            for column in ScalarColumn.all {
                let found = try catalogue.query("SELECT \(column.name) FROM jobs WHERE id = '\(row.id)'")
                #expect(found.rows == [[column.value(of: row)]], "\(column.name)")
            }
            let place = try texts(catalogue, "SELECT shard, row, first_row FROM jobs WHERE id = '\(row.id)'")
            #expect(place == [[shard.path, "\(index)", "\(index)"]])
        }
        let described = try texts(catalogue, "SELECT name FROM columns ORDER BY name")
        let columns = try catalogue.query("SELECT * FROM jobs").columns
        #expect(described.flatMap { $0 } == columns.sorted())
        #expect(try texts(catalogue, "SELECT host, trace, rows FROM shards") == [["host-w-1", "full", "2"]])
    }

    @Test func theLastAttemptCountsWhateverTheOrder() throws {
        for order in [[1, 2, 3], [3, 1, 2], [2, 3, 1]] as [[UInt64]] {
            let tree = try ResultsTree()
            for number in order { try tree.seal([ResultsTree.row("a", attempt: number)], as: number) }
            #expect(try texts(Catalogue(tree.folder), "SELECT attempt FROM jobs") == [["3"]])
        }
    }

    @Test func whatIsNewIsAddedAndWhatIsGoneIsForgotten() throws {
        let first = try tree.seal([ResultsTree.row("a")], as: 1)
        #expect(try texts(Catalogue(tree.folder), "SELECT id FROM jobs") == [["a"]])
        let second = try tree.seal([ResultsTree.row("a", attempt: 2), ResultsTree.row("b")], as: 2)
        #expect(
            try texts(Catalogue(tree.folder), "SELECT id, attempt FROM jobs ORDER BY id") == [["a", "2"], ["b", "1"]])
        try FileManager.default.removeItem(atPath: tree.path(second))
        let catalogue = try Catalogue(tree.folder)
        #expect(try texts(catalogue, "SELECT id, attempt, shard FROM jobs") == [["a", "1", first.path]])
    }

    @Test func damagedShardsAndCataloguesAreSaidAndSurvived() throws {
        try tree.seal([ResultsTree.row("a")], as: 1)
        let damaged = try tree.seal([ResultsTree.row("b")], as: 2)
        try Data("nonsense".utf8).write(to: URL(fileURLWithPath: tree.path(damaged)))
        let file = "\(tree.folder.path)/\(ResultsLayout.catalogue)"
        try Data("not a database, however one looks at it".utf8).write(to: URL(fileURLWithPath: file))
        let catalogue = try Catalogue(tree.folder)
        #expect(catalogue.summary.jobs == 1 && catalogue.summary.unreadable.count == 1)
        #expect(catalogue.summary.unreadable.first?.contains(damaged.path) == true)
    }

    @Test func aPipeInTheCataloguesPlaceIsNotWaitedFor() throws {
        try tree.seal([ResultsTree.row("a")], as: 1)
        try #require(mkfifo("\(tree.folder.path)/\(ResultsLayout.catalogue)", 0o600) == 0)
        #expect(try Catalogue(tree.folder).summary.jobs == 1)
    }

    /// A view in the place of a table may have rows without end, a trigger may do anything; what else was added stays.
    @Test(
        arguments: [
            "DROP TABLE shards; CREATE VIEW shards AS WITH RECURSIVE n (path, settled) AS (SELECT 'shards/00/X.h5', 1 "
                + "UNION ALL SELECT path, settled FROM n) SELECT path, settled FROM n",
            "CREATE TRIGGER more AFTER INSERT ON jobs BEGIN DELETE FROM jobs; END",
            "CREATE INDEX jobs_by_answer ON jobs (answer); CREATE VIEW short AS SELECT id FROM jobs",
        ]
    )
    func aForeignSchemaIsMadeAnew(_ change: String) throws {
        try tree.seal([ResultsTree.row("a")], as: 1)
        let file = "\(tree.folder.path)/\(ResultsLayout.catalogue)"
        _ = try Catalogue.rebuild(tree.folder)
        _ = try SystemPython.run(
            "import sqlite3, sys; sqlite3.connect(sys.argv[1]).executescript(sys.argv[2])", file, change)
        try tree.seal([ResultsTree.row("b")], as: 2)
        let catalogue = try Catalogue(tree.folder)
        #expect(try texts(catalogue, "SELECT id FROM jobs ORDER BY id") == [["a"], ["b"]])
        let isHarmless = change.hasPrefix("CREATE INDEX")
        let added = "SELECT count(*) FROM sqlite_schema WHERE name IN ('more', 'jobs_by_answer', 'short')"
        #expect(try texts(catalogue, added) == [[isHarmless ? "2" : "0"]])
    }

    @Test func aStoreHasTheLastWordOnceItIsThere() throws {
        // A second attempt was sealed and never committed; the first one is the result.
        let first = try tree.seal([ResultsTree.row("a")], as: 1)
        try tree.seal([ResultsTree.row("a", attempt: 2)], as: 2)
        let store = try ResultsStore(tree)
        try store.commit(["a"], in: [first])
        func visible(_ catalogue: Catalogue) throws -> [[String]] {
            try texts(catalogue, "SELECT attempt, (SELECT value FROM about WHERE key = 'decided_by') FROM jobs")
        }
        let alone = try visible(Catalogue(tree.folder))
        #expect(alone == [["2", "shards"]])
        let decided = try visible(Catalogue(tree.folder) { CommittedRows(try store.results()) })
        #expect(decided == [["1", "store"]])
        // Without the store what it decided stays, and what is new is not said to be decided.
        let kept = try visible(Catalogue(tree.folder))
        #expect(kept == [["1", "store"]])
        try tree.seal([ResultsTree.row("b")], as: 3)
        _ = try Catalogue(tree.folder)
        let again = try texts(
            Catalogue(tree.folder) { CommittedRows(try store.results()) }, "SELECT id, attempt FROM jobs ORDER BY id")
        #expect(again == [["a", "1"]])
        _ = try Catalogue.rebuild(tree.folder, committed: CommittedRows(store.results()))
        let rebuilt = try visible(Catalogue(tree.folder))
        #expect(rebuilt == [["1", "store"]])
    }

    @Test func rowsThatCountAndAreInNoShardAreSaid() throws {
        let first = try tree.seal([ResultsTree.row("a"), ResultsTree.row("b")], as: 1)
        let second = try tree.seal([ResultsTree.row("c")], as: 2)
        let store = try ResultsStore(tree)
        try store.commit(["a", "b", "c"], in: [first, second])
        func summary() throws -> Catalogue.Summary {
            try Catalogue(tree.folder) { CommittedRows(try store.results()) }.summary
        }
        let whole = try summary()
        #expect(whole.jobs == 3 && whole.unreadable == [])

        let files = FileManager.default, path = tree.folder.path
        try files.moveItem(atPath: "\(path)/\(second.path)", toPath: "\(path)/away.h5")
        for _ in 0..<2 {
            let found = try summary()
            #expect(found.jobs == 2 && found.unreadable.count == 1, "\(found)")
            #expect(found.unreadable.first?.hasPrefix("1 rows that count") == true)
        }
        #expect(try Catalogue(tree.folder).summary.unreadable.count == 1)
        #expect(try Catalogue.rebuild(tree.folder, committed: CommittedRows(store.results())).unreadable.count == 1)
        try files.moveItem(atPath: "\(path)/away.h5", toPath: "\(path)/\(second.path)")
        #expect(try summary() == whole)

        // As if nothing were mounted there: the catalogue stays.
        try files.moveItem(atPath: "\(path)/shards", toPath: "\(path)/away")
        try files.createDirectory(atPath: "\(path)/shards", withIntermediateDirectories: true)
        #expect(throws: AnalysisError.self) { try summary() }
        #expect(throws: AnalysisError.self) {
            try Catalogue.rebuild(tree.folder, committed: CommittedRows(store.results()))
        }
        try files.removeItem(atPath: "\(path)/shards")
        #expect(throws: (any Error).self) { try summary() }
        try files.moveItem(atPath: "\(path)/away", toPath: "\(path)/shards")
        #expect(try summary() == whole)
    }

    /// A writer that is killed after its journal is on the disk leaves a file that can only be read by writing to it.
    @Test func aWriterThatWasKilledSpoilsNothing() throws {
        try tree.seal([ResultsTree.row("a"), ResultsTree.row("b")], as: 1)
        let file = "\(tree.folder.path)/\(ResultsLayout.catalogue)"
        _ = try Catalogue.rebuild(tree.folder)
        #expect(throws: SystemPython.Failure.self) {
            try SystemPython.run(
                """
                import os, signal, sqlite3, sys
                database = sqlite3.connect(sys.argv[1], isolation_level=None)
                database.execute("PRAGMA cache_size = 1")
                database.execute("BEGIN IMMEDIATE")
                database.execute("UPDATE jobs SET answer = 'never committed'")
                database.execute("CREATE TABLE large AS WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
                    "LIMIT 4000) SELECT i, randomblob(1000) FROM n")
                os.kill(os.getpid(), signal.SIGKILL)
                """, file)
        }
        try #require(FileManager.default.fileExists(atPath: file + "-journal"))
        for _ in 0..<2 {
            let catalogue = try Catalogue(tree.folder)
            let expected = ["a", "b"].map { [ResultsTree.row($0).answer] }
            #expect(try texts(catalogue, "SELECT answer FROM jobs ORDER BY id") == expected)
            #expect(!FileManager.default.fileExists(atPath: file + "-journal"))
        }
        // The same with a file from before in its place: rows of then must not come back.
        try Data(repeating: 7, count: 4096).write(to: URL(fileURLWithPath: file + "-wal"))
        _ = try Catalogue.rebuild(tree.folder)
        #expect(!FileManager.default.fileExists(atPath: file + "-wal"))
    }

    @Test func damageIsRememberedUntilTheFileChanges() throws {
        try tree.seal([ResultsTree.row("a")], as: 1)
        let shard = try tree.seal([ResultsTree.row("b")], as: 2)
        let url = URL(fileURLWithPath: tree.path(shard))
        let whole = try Data(contentsOf: url)
        try Data("nonsense".utf8).write(to: url)
        let first = try Catalogue(tree.folder).summary
        let second = try Catalogue(tree.folder).summary
        #expect(first.unreadable.count == 1 && second == first)
        let noted = try texts(Catalogue(tree.folder), "SELECT path, bytes FROM unreadable")
        #expect(noted == [[shard.path, "8"]])
        // With another shard to add, too.
        try tree.seal([ResultsTree.row("c")], as: 3)
        let third = try Catalogue(tree.folder).summary
        #expect(third.jobs == 2 && third.unreadable == first.unreadable)
        try whole.write(to: url)
        let healed = try Catalogue(tree.folder)
        #expect(healed.summary.jobs == 3 && healed.summary.unreadable == [])
        let left = try texts(healed, "SELECT COUNT(*) FROM unreadable")
        #expect(left == [["0"]])
        // The size of a page, as the file's header has it.
        let header = try Data(contentsOf: URL(fileURLWithPath: "\(tree.folder.path)/\(ResultsLayout.catalogue)"))
            .prefix(18)
        #expect([UInt8](header.suffix(2)) == [0x80, 0])
    }

    @Test(arguments: [
        "DELETE FROM jobs", "DROP TABLE jobs", "UPDATE jobs SET answer = ''", "SELECT nonsense FROM jobs", "hello",
        "ATTACH 'x.sqlite' AS y", "SELECT load_extension('x')", "",
    ])
    func aQueryOnlyReads(sql: String) throws {
        try tree.seal([ResultsTree.row("a")], as: 1)
        let catalogue = try Catalogue(tree.folder)
        #expect { try catalogue.query(sql) } throws: { ($0 as? AnalysisError)?.code == .badRequest }
        #expect(try texts(catalogue, "SELECT COUNT(*) FROM jobs") == [["1"]])
    }

    @Test func aFolderWithoutShardsSaysSo() throws {
        #expect { try Catalogue(ResultsFolder("/nowhere")) } throws: { ($0 as? ResultFileError)?.code == .notFound }
    }
}
