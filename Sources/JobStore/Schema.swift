internal import GRDB

/// The tables of the job store, and how older stores become current ones.
enum Schema {
    /// One entry per version, each taking the store from the version before; never change one that was released.
    static let migrations = [
        """
        CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
        CREATE TABLE batch (
            id INTEGER PRIMARY KEY,
            name TEXT NOT NULL UNIQUE,
            description TEXT NOT NULL,
            results TEXT NOT NULL,
            state INTEGER NOT NULL,
            total INTEGER NOT NULL DEFAULT 0,
            opened_at REAL NOT NULL,
            closed_at REAL,
            finished_at REAL,
            reason TEXT
        );
        CREATE TABLE shard (
            id INTEGER PRIMARY KEY,
            batch INTEGER NOT NULL REFERENCES batch(id),
            path TEXT NOT NULL,
            sha256 BLOB NOT NULL,
            bytes INTEGER NOT NULL,
            worker TEXT NOT NULL,
            UNIQUE (batch, path)
        );
        CREATE TABLE job (
            id INTEGER PRIMARY KEY,
            batch INTEGER NOT NULL REFERENCES batch(id),
            ordinal INTEGER NOT NULL,
            item_id TEXT NOT NULL,
            item TEXT NOT NULL,
            image TEXT NOT NULL,
            state INTEGER NOT NULL DEFAULT 0,
            epoch INTEGER NOT NULL DEFAULT 0,
            crash_count INTEGER NOT NULL DEFAULT 0,
            worker TEXT,
            shard INTEGER REFERENCES shard(id),
            row INTEGER,
            error TEXT,
            answer TEXT,
            visual_tokens INTEGER,
            seconds REAL,
            UNIQUE (batch, item_id),
            UNIQUE (batch, ordinal)
        );
        """
    ]

    /// Brings a store up to date; refuses one that a newer version wrote.
    static func migrate(_ database: Database, path: String) throws {
        let version = try Int.fetchOne(database, sql: "PRAGMA user_version") ?? 0
        guard version <= migrations.count else {
            throw JobStoreError(
                .newerSchema,
                "The job store \(path) has format \(version), newer than \(migrations.count). Use the newer winnow.")
        }
        for (index, sql) in migrations.enumerated() where index >= version {
            try database.inTransaction(.immediate) {
                try database.execute(sql: sql)
                try database.execute(sql: "PRAGMA user_version = \(index + 1)")
                return .commit
            }
        }
    }
}
