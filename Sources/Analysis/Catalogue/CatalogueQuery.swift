internal import GRDB
internal import JobVocabulary
public import ResultFiles

/// The rows of a query in the order they came.
public struct QueryResult: Sendable {
    /// The names of the columns.
    public var columns: [String]
    /// One list of values for each row; nil stands for NULL.
    public var rows: [[Scalar?]]
}

extension Catalogue {
    /// Runs one SELECT over the tables `jobs`, `shards` and `columns`; the connection can change nothing.
    public func query(_ sql: String) throws -> QueryResult {
        var result = QueryResult(columns: [], rows: [])
        try read(sql, columns: { result.columns = $0 }, row: { result.rows.append($0) })
        return result
    }

    /// Runs one SELECT and hands over its rows one by one, for more of them than memory should hold.
    ///
    /// - Parameters:
    ///   - columns: Called first, with the names of the columns.
    ///   - row: Called for each row.
    public func read(
        _ sql: String, columns: ([String]) throws -> Void, row handle: ([Scalar?]) throws -> Void
    ) throws {
        do {
            try queue.read { database in
                let statement = try database.makeStatement(sql: sql)
                guard statement.isReadonly, statement.columnCount > 0 else {
                    throw AnalysisError(.badRequest, "a query only reads; begin it with SELECT")
                }
                let cursor = try Row.fetchCursor(statement)
                try columns(statement.columnNames)
                while let row = try cursor.next() {
                    try handle(row.databaseValues.map { Scalar(stored: $0) })
                }
            }
        } catch let error as DatabaseError where error.resultCode == .SQLITE_ERROR {
            throw AnalysisError(
                .badRequest,
                "the query cannot be run: \(error.message ?? "\(error)"). "
                    + "SELECT name, units, long_name FROM columns lists what can be asked for.")
        } catch let error as DatabaseError where error.resultCode == .SQLITE_READONLY {
            throw AnalysisError(.badRequest, "a query only reads; begin it with SELECT")
        } catch let error as DatabaseError {
            throw AnalysisError(error, ofCatalogue: "\(folder.path)/\(ResultsLayout.catalogue)")
        }
    }

    /// Opens every shard that holds a visible row, for programs that then read them without any check.
    public func examineShards(reading parts: FileExamination.Parts) throws {
        for row in try query("SELECT DISTINCT shard FROM jobs").rows {
            guard case .text(let shard)? = row.first ?? nil else { continue }
            _ = try ShardReader("\(folder.path)/\(shard)", reading: parts)
        }
    }

    /// The shard and row of jobs, by their ids; those that have none are left out.
    public func places(of ids: [String]) throws -> [(id: String, shard: String, row: Int)] {
        try Self.wrapping("\(folder.path)/\(ResultsLayout.catalogue)") {
            try queue.read { database in
                let find = try database.cachedStatement(sql: "SELECT shard, row FROM jobs WHERE id = ?")
                return try ids.compactMap { id -> (id: String, shard: String, row: Int)? in
                    // A catalogue from elsewhere may hold anything.
                    guard let found = try Row.fetchOne(find, arguments: [id]),
                        let shard = String.fromDatabaseValue(found["shard"] as DatabaseValue),
                        let row = Int.fromDatabaseValue(found["row"] as DatabaseValue)
                    else { return nil }
                    return (id: id, shard: shard, row: row)
                }
            }
        }
    }
}
