internal import GRDB
internal import ResultFiles

/// The tables of a catalogue, which explain themselves: `columns` says what each column of `jobs` means.
enum CatalogueSchema {
    static let format = "winnow-catalogue"
    static let version = "1.2"

    /// Who decided which rows are visible.
    enum Decider: String {
        /// A job store.
        case store
        /// The shards themselves: of each job the last attempt.
        case shards

        init(_ committed: CommittedRows?) { self = committed == nil ? .shards : .store }
    }

    /// Columns of `jobs` beside those of a shard.
    static let places: [(name: String, type: String, longName: String)] = [
        ("shard", "TEXT", "file that holds the row, relative to the results folder"),
        ("row", "INTEGER", "row of that file"),
        ("first_shard", "TEXT", "name of the shard that the worker wrote"),
        ("first_row", "INTEGER", "row of that shard"),
    ]

    /// Sums that queries ask for most.
    static let sums: [(name: String, expression: String, units: String, longName: String)] = [
        (
            "flops_total", "flops_vision + flops_projector + flops_prefill + flops_decode", "FLOP",
            "everything the job computed"
        ),
        (
            "seconds_total", "seconds_load + seconds_vision + seconds_prefill + seconds_decode", "s",
            "work on the job, without waiting"
        ),
    ]

    static func create(_ database: Database, decidedBy decider: Decider) throws {
        let columns = ScalarColumn.all.map { "\($0.name) \($0.kind.sql)" }
        let places = places.map { "\($0.name) \($0.type) NOT NULL" }
        let sums = sums.map { "\($0.name) REAL GENERATED ALWAYS AS (\($0.expression)) VIRTUAL" }
        try database.execute(
            sql: """
                CREATE TABLE about (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
                CREATE TABLE columns (name TEXT PRIMARY KEY, units TEXT NOT NULL, long_name TEXT NOT NULL);
                CREATE TABLE shards (
                    path TEXT PRIMARY KEY, shard TEXT NOT NULL, batch TEXT NOT NULL, worker TEXT NOT NULL,
                    host TEXT NOT NULL, processor TEXT NOT NULL, software TEXT NOT NULL, created_utc TEXT NOT NULL,
                    model TEXT NOT NULL, model_sha256 TEXT NOT NULL, method_json TEXT NOT NULL,
                    generation_json TEXT NOT NULL, trace TEXT NOT NULL, rows INTEGER NOT NULL, bytes INTEGER NOT NULL,
                    sha256 TEXT NOT NULL, settled INTEGER NOT NULL);
                CREATE TABLE unreadable (
                    path TEXT PRIMARY KEY, bytes INTEGER NOT NULL, changed INTEGER NOT NULL, reason TEXT NOT NULL);
                CREATE TABLE jobs (\((columns + places + sums).joined(separator: ", ")));
                CREATE UNIQUE INDEX jobs_by_id ON jobs (id);
                """)
        let about = try database.cachedStatement(sql: "INSERT INTO about (key, value) VALUES (?, ?)")
        try about.execute(arguments: ["format", format])
        try about.execute(arguments: ["format_version", version])
        try about.execute(arguments: ["decided_by", decider.rawValue])
        let describe = try database.cachedStatement(
            sql: "INSERT INTO columns (name, units, long_name) VALUES (?, ?, ?)")
        for column in ScalarColumn.all {
            try describe.execute(arguments: [column.name, column.units, column.longName])
        }
        for (name, _, longName) in self.places { try describe.execute(arguments: [name, "1", longName]) }
        for (name, _, units, longName) in self.sums { try describe.execute(arguments: [name, units, longName]) }
    }

    /// Every table, index, view and trigger of a database, as SQL.
    private static func objects(_ database: Database) throws -> Set<String> {
        try String.fetchSet(database, sql: "SELECT type || ' ' || name || ' ' || coalesce(sql, '') FROM sqlite_schema")
    }

    /// The tables, indices and views of a catalogue that this program makes.
    private static let ownObjects: Set<String> = {
        do {
            return try DatabaseQueue().write { database in
                try create(database, decidedBy: .shards)
                return try objects(database)
            }
        } catch {
            preconditionFailure("the schema is SQL that SQLite takes: \(error)")
        }
    }()

    /// Whether a database is a catalogue that this program keeps up: all tables are what they were made as, since a view in the
    /// place of one may have rows without end, and no trigger acts when rows are added. Tables, indices and views beside
    /// them are whoever's made them.
    static func isCurrent(_ database: Database) throws -> Bool {
        let objects = try objects(database)
        guard ownObjects.isSubset(of: objects), !objects.contains(where: { $0.hasPrefix("trigger ") }) else {
            return false
        }
        let values = try Row.fetchAll(database, sql: "SELECT key, value FROM about")
        let about = Dictionary(
            values.map {
                (
                    String.fromDatabaseValue($0["key"] as DatabaseValue) ?? "",
                    String.fromDatabaseValue($0["value"] as DatabaseValue) ?? ""
                )
            }, uniquingKeysWith: { first, _ in first })
        return about["format"] == format && about["format_version"] == version
    }

    /// Who decided which rows of a catalogue are visible.
    static func decider(_ database: Database) throws -> Decider {
        let value = try String.fetchOne(database, sql: "SELECT value FROM about WHERE key = 'decided_by'")
        return value.flatMap(Decider.init(rawValue:)) ?? .shards
    }

    /// Notes who decided which of the rows are visible that are added now.
    static func note(_ decider: Decider, _ database: Database) throws {
        try database.execute(
            sql: "UPDATE about SET value = ? WHERE key = 'decided_by'", arguments: [decider.rawValue])
    }

    /// Notes how many rows that count are in no shard.
    static func note(missingRows count: Int, _ database: Database) throws {
        try database.execute(
            sql: "INSERT OR REPLACE INTO about (key, value) VALUES ('missing_rows', ?)", arguments: ["\(count)"])
    }

    /// How many rows that count were found to be in no shard.
    static func missingRows(_ database: Database) throws -> Int {
        try String.fetchOne(database, sql: "SELECT value FROM about WHERE key = 'missing_rows'").flatMap(Int.init) ?? 0
    }

    /// Adds a row; of several rows of one job the last attempt's stays, and of copies the newest file's.
    static let insertion: String = {
        let names = ScalarColumn.all.map(\.name) + places.map(\.name)
        let updates = names.filter { $0 != "id" }.map { "\($0) = excluded.\($0)" }.joined(separator: ", ")
        return """
            INSERT INTO jobs (\(names.joined(separator: ", "))) VALUES (\(names.map { _ in "?" }.joined(separator: ", ")))
            ON CONFLICT (id) DO UPDATE SET \(updates)
            WHERE (excluded.attempt, excluded.first_shard, substr(excluded.shard, 11))
                > (attempt, first_shard, substr(shard, 11))
            """
    }()
}

extension ScalarColumn.Kind {
    fileprivate var sql: String {
        switch self {
        case .integer: "INTEGER NOT NULL"
        case .real: "REAL"  // what is not a number is NULL
        case .text: "TEXT NOT NULL"
        }
    }
}
