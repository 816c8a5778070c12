internal import GRDB
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
        do {
            return try queue.read { database in
                let statement = try database.makeStatement(sql: sql)
                guard statement.isReadonly, statement.columnCount > 0 else {
                    throw AnalysisError(.badRequest, "a query only reads; begin it with SELECT")
                }
                let cursor = try Row.fetchCursor(statement)
                var result = QueryResult(columns: statement.columnNames, rows: [])
                while let row = try cursor.next() {
                    result.rows.append(row.databaseValues.map { Scalar(stored: $0) })
                }
                return result
            }
        } catch let error as DatabaseError where error.resultCode == .SQLITE_ERROR {
            throw AnalysisError(
                .badRequest,
                "the query cannot be run: \(error.message ?? "\(error)"). "
                    + "SELECT name, units, long_name FROM columns lists what can be asked for.")
        } catch let error as DatabaseError where error.resultCode == .SQLITE_READONLY {
            throw AnalysisError(.badRequest, "a query only reads; begin it with SELECT")
        } catch let error as DatabaseError {
            throw AnalysisError(
                .catalogue,
                "the catalogue \(folder.path)/\(Self.fileName) cannot be read; make it again with "
                    + "'winnow results catalogue'", cause: error)
        }
    }

    /// The shard and row of jobs, by their ids; those that have none are left out.
    public func places(of ids: [String]) throws -> [(id: String, shard: String, row: Int)] {
        try Self.wrapping(folder.path) {
            try queue.read { database in
                let find = try database.cachedStatement(sql: "SELECT shard, row FROM jobs WHERE id = ?")
                return try ids.compactMap { id in
                    // Somebody else's catalogue may hold anything.
                    guard let found = try Row.fetchOne(find, arguments: [id]),
                        let shard = String.fromDatabaseValue(found["shard"] as DatabaseValue),
                        let row = Int.fromDatabaseValue(found["row"] as DatabaseValue)
                    else { return nil }
                    return (id, shard, row)
                }
            }
        }
    }
}
