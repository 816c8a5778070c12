internal import GRDB
internal import JobVocabulary
internal import ResultFiles

/// Adds shards to a catalogue, within one transaction.
struct CatalogueAdditions {
    let folder: ResultsFolder
    let committed: CommittedRows?
    private var unreadable: [String]

    /// - Parameter unreadable: What is known already.
    init(folder: ResultsFolder, committed: CommittedRows?, unreadable: [String] = []) {
        self.folder = folder
        self.committed = committed
        self.unreadable = unreadable
    }

    /// Adds the visible rows of a shard; one that cannot be read is noted and left out.
    mutating func add(_ path: String, to database: Database) throws {
        let file = "\(folder.path)/\(path)"
        let reader: ShardReader
        let rows: [ResultRow]
        let origins: [(identity: RowIdentity, source: ShardSource)]
        do {
            reader = try ShardReader(file, reading: .scalars)
            rows = try reader.rows(features: false, trace: false)
            origins = try reader.origins()
        } catch {
            unreadable.append("\(error)")
            try note(error, file, path, in: database)
            return
        }
        var isSettled = true
        let insert = try database.cachedStatement(sql: CatalogueSchema.insertion)
        for (index, row) in rows.enumerated() {
            let identity = origins[index].identity
            switch committed?.verdict(on: identity, of: row.id) ?? .visible {
            case .visible: break
            case .superseded, .orphaned: continue
            case .undecided:
                isSettled = false
                continue
            }
            var values = ScalarColumn.all.map { $0.value(of: row).stored }
            values += [
                path.databaseValue, index.databaseValue, identity.shard.databaseValue, identity.row.databaseValue,
            ]
            try insert.execute(arguments: StatementArguments(values))
        }
        try note(reader, path, isSettled: isSettled, in: database)
    }

    /// Damage stays: such a file need not be hashed again before something about it changes.
    private func note(_ error: any Error, _ file: String, _ path: String, in database: Database) throws {
        guard (error as? ResultFileError)?.code == .corrupt, let stamp = FileStamp(of: file) else { return }
        try database.cachedStatement(
            sql: "INSERT OR REPLACE INTO unreadable (path, bytes, changed, reason) VALUES (?, ?, ?, ?)"
        ).execute(arguments: [path, stamp.bytes, stamp.changed, "\(error)"])
    }

    /// Shards that were damaged when they were last looked at and have not changed since, with the reason.
    static func knownDamage(in folder: ResultsFolder, _ database: Database) throws -> [String: String] {
        var found: [String: String] = [:]
        for row in try Row.fetchAll(database, sql: "SELECT path, bytes, changed, reason FROM unreadable") {
            guard let path = String.fromDatabaseValue(row["path"] as DatabaseValue),
                let bytes = Int.fromDatabaseValue(row["bytes"] as DatabaseValue),
                let changed = Int.fromDatabaseValue(row["changed"] as DatabaseValue),
                let reason = String.fromDatabaseValue(row["reason"] as DatabaseValue),
                FileStamp(of: "\(folder.path)/\(path)") == FileStamp(bytes: bytes, changed: changed)
            else { continue }
            found[path] = reason
        }
        return found
    }

    private func note(_ reader: ShardReader, _ path: String, isSettled: Bool, in database: Database) throws {
        let header = reader.header
        let size = FileStamp(of: reader.path)?.bytes ?? 0
        try database.cachedStatement(sql: "DELETE FROM unreadable WHERE path = ?").execute(arguments: [path])
        try database.cachedStatement(
            sql: """
                INSERT OR REPLACE INTO shards (path, shard, batch, worker, host, processor, software, created_utc, model,
                    model_sha256, method_json, generation_json, trace, rows, bytes, sha256, settled)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """
        ).execute(
            arguments: [
                path, reader.id.description, header.batch, header.worker, header.host, header.processor,
                header.software, reader.created, header.model, header.modelSHA256, header.methodJSON,
                header.generationJSON, header.trace.rawValue, reader.rowCount, size,
                reader.sha256?.hexadecimal ?? "", isSettled,
            ])
    }

    /// What the catalogue holds now, noting in it how many rows that count are in none of the shards.
    ///
    /// - Parameter listed: All shards that the folder had. Where it has others by now, rows may have been committed since.
    func summary(_ database: Database, of listed: [String]) throws -> Catalogue.Summary {
        let missing = try max(0, (committed?.count ?? 0) - Self.jobs(database))
        let isCertain = missing > 0 && (try? folder.shards()) == listed
        try CatalogueSchema.note(missingRows: isCertain ? missing : 0, database)
        return try Self.summary(database, unreadable: unreadable)
    }

    /// What a catalogue holds, and what it was found to lack.
    static func summary(_ database: Database, unreadable: [String]) throws -> Catalogue.Summary {
        let missing = try CatalogueSchema.missingRows(database)
        let lack =
            "\(missing) rows that count, as the job store says, are in none of the shards that can be read: is a part of "
            + "shards/ elsewhere? 'winnow results verify' lists them"
        return Catalogue.Summary(
            shards: try Int.fetchOne(database, sql: "SELECT COUNT(*) FROM shards") ?? 0, jobs: try jobs(database),
            unreadable: unreadable + (missing > 0 ? [lack] : []))
    }

    private static func jobs(_ database: Database) throws -> Int {
        try Int.fetchOne(database, sql: "SELECT COUNT(*) FROM jobs") ?? 0
    }
}

extension Scalar {
    /// The value as SQLite holds it.
    var stored: DatabaseValue {
        switch self {
        case .integer(let value): value.databaseValue
        case .real(let value): value.databaseValue
        case .text(let value): value.databaseValue
        }
    }

    /// A value that SQLite holds; nil for NULL and for bytes.
    init?(stored value: DatabaseValue) {
        switch value.storage {
        case .int64(let value): self = .integer(value)
        case .double(let value): self = .real(value)
        case .string(let value): self = .text(value)
        case .null, .blob: return nil
        }
    }
}
