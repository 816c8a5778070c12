internal import Foundation
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
        """,
        // What every attempt changes (`job`) apart from what is written once (`item`, `outcome`): a hundred jobs of a group
        // then change one or two pages, and a restart reads no texts.
        """
        ALTER TABLE job RENAME TO job_1;
        CREATE TABLE worker (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
        CREATE TABLE job (
            id INTEGER PRIMARY KEY,
            batch INTEGER NOT NULL REFERENCES batch(id),
            state INTEGER NOT NULL DEFAULT 0,
            epoch INTEGER NOT NULL DEFAULT 0,
            rival INTEGER,                          -- an earlier attempt that still counts beside the last one
            crash_count INTEGER NOT NULL DEFAULT 0, -- counts that never go down …
            crash_base INTEGER NOT NULL DEFAULT 0,  -- … and how much of them was forgiven by a retry
            fail_count INTEGER NOT NULL DEFAULT 0,
            fail_base INTEGER NOT NULL DEFAULT 0,
            picture INTEGER NOT NULL,               -- equal for jobs of one picture
            worker INTEGER REFERENCES worker(id),
            shard INTEGER REFERENCES shard(id),
            row INTEGER,
            won INTEGER                             -- the attempt that the row is from
        );
        CREATE TABLE item (
            job INTEGER PRIMARY KEY,                -- written first: it gives the job its number
            batch INTEGER NOT NULL,
            ordinal INTEGER NOT NULL,
            item_id TEXT NOT NULL,
            image TEXT NOT NULL,                    -- empty where the item is about none
            body TEXT NOT NULL,
            UNIQUE (batch, item_id),
            UNIQUE (batch, ordinal)
        );
        CREATE TABLE outcome (
            job INTEGER PRIMARY KEY,
            error TEXT,
            answer TEXT,
            visual_tokens INTEGER,
            seconds REAL
        );
        CREATE TABLE attempt (
            id INTEGER PRIMARY KEY,
            job INTEGER NOT NULL,
            epoch INTEGER NOT NULL,
            worker TEXT,
            class TEXT,
            reason TEXT NOT NULL,
            ended_at REAL NOT NULL
        );
        CREATE INDEX attempt_of_job ON attempt (job);
        INSERT OR IGNORE INTO worker (name) SELECT DISTINCT worker FROM job_1 WHERE worker IS NOT NULL;
        INSERT INTO job (id, batch, state, epoch, crash_count, picture, worker, shard, row, won)
            SELECT id, batch, state, epoch, crash_count, picture_key(image),
                (SELECT worker.id FROM worker WHERE name = job_1.worker), shard, row,
                CASE WHEN shard IS NULL THEN NULL ELSE epoch END FROM job_1 ORDER BY id;
        INSERT INTO item (job, batch, ordinal, item_id, image, body)
            SELECT id, batch, ordinal, item_id, image, item FROM job_1 ORDER BY id;
        INSERT INTO outcome (job, error, answer, visual_tokens, seconds)
            SELECT id, error, answer, visual_tokens, seconds FROM job_1 WHERE state IN (2, 3) ORDER BY id;
        DROP TABLE job_1;
        ALTER TABLE batch ADD COLUMN model_fingerprint TEXT NOT NULL DEFAULT '';
        ALTER TABLE batch ADD COLUMN paused INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE batch ADD COLUMN first_job INTEGER NOT NULL DEFAULT 0; -- jobs of a batch lie in this range, perhaps
        ALTER TABLE batch ADD COLUMN last_job INTEGER NOT NULL DEFAULT 0;  -- with others between them
        UPDATE batch SET first_job = COALESCE((SELECT MIN(id) FROM job WHERE job.batch = batch.id), 0),
            last_job = COALESCE((SELECT MAX(id) FROM job WHERE job.batch = batch.id), 0);
        """,
        // The line itself names the pictures.
        "ALTER TABLE item DROP COLUMN image;",
    ]

    /// Copies a store beside itself, under a name that no earlier copy has.
    private static func keepCopy(of database: Database, path: String, format: Int) throws {
        let name = "\(path).format-\(format)"
        let copy =
            ([name] + (2...1000).map { "\(name).\($0)" }).first { !FileManager.default.fileExists(atPath: $0) } ?? name
        // A copy that was broken off has another name.
        let unfinished = copy + ".unfinished"
        try? FileManager.default.removeItem(atPath: unfinished)
        try database.execute(sql: "VACUUM INTO ?", arguments: [unfinished])
        try FileManager.default.moveItem(atPath: unfinished, toPath: copy)
    }

    private static let pictureKey = DatabaseFunction("picture_key", argumentCount: 1, pure: true) { values in
        String.fromDatabaseValue(values[0]).map { Int64(bitPattern: PictureKey($0).rawValue) }
    }

    /// Brings a store up to date; refuses one that a newer version wrote.
    ///
    /// A store of an older format is copied first: an older winnow can go on with `<path>.format-<number>`.
    static func migrate(_ database: Database, path: String) throws {
        let version = try Int.fetchOne(database, sql: "PRAGMA user_version") ?? 0
        guard version <= migrations.count else {
            throw JobStoreError(
                .newerSchema,
                "The job store \(path) has format \(version), newer than \(migrations.count). Use the newer winnow.")
        }
        if version > 0, version < migrations.count { try keepCopy(of: database, path: path, format: version) }
        database.add(function: pictureKey)
        for (index, sql) in migrations.enumerated() where index >= version {
            try database.inTransaction(.immediate) {
                try database.execute(sql: sql)
                if try Row.fetchOne(database, sql: "PRAGMA foreign_key_check") != nil {
                    throw JobStoreError(
                        .corrupt,
                        "The job store \(path) cannot be brought to format \(index + 1): its tables do not fit "
                            + "together. Nothing was changed; run `winnow doctor` on it.")
                }
                try database.execute(sql: "PRAGMA user_version = \(index + 1)")
                return .commit
            }
        }
    }
}
