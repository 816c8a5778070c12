internal import GRDB
private import GRDBSQLite

/// A prepared statement for what happens to every job: bound and read by position, without boxing a value.
///
/// GRDB prepares and owns it; only binding, stepping and reading go straight to SQLite. Use it while GRDB grants access to
/// its database.
struct HotStatement {
    private let statement: Statement
    private let connection: OpaquePointer
    private var pointer: OpaquePointer { statement.sqliteStatement }

    init(_ sql: String, _ database: Database) throws {
        statement = try database.makeStatement(sql: sql)
        guard let connection = database.sqliteConnection else { throw DatabaseError(resultCode: .SQLITE_MISUSE) }
        self.connection = connection
    }

    /// Sets a parameter, counted from 1; nil is NULL.
    func bind(_ index: Int32, _ value: Int64?) {
        if let value { sqlite3_bind_int64(pointer, index, value) } else { sqlite3_bind_null(pointer, index) }
    }

    /// Sets a parameter.
    func bind(_ index: Int32, _ value: Double) { sqlite3_bind_double(pointer, index, value) }

    /// Sets a parameter to a copy of a text; nil is NULL.
    func bind(_ index: Int32, _ value: String?) {
        guard var value else {
            sqlite3_bind_null(pointer, index)
            return
        }
        value.withUTF8 { bytes in
            let transient = unsafeBitCast(-1, to: sqlite3_destructor_type.self)
            // An empty buffer may have no address, which SQLite would take for NULL.
            guard let base = bytes.baseAddress else {
                sqlite3_bind_text(pointer, index, "", 0, transient)
                return
            }
            base.withMemoryRebound(to: CChar.self, capacity: bytes.count) {
                _ = sqlite3_bind_text(pointer, index, $0, Int32(bytes.count), transient)
            }
        }
    }

    /// Runs a change; returns whether it changed a row.
    func run() throws -> Bool {
        let code = sqlite3_step(pointer)
        sqlite3_reset(pointer)
        guard code == SQLITE_DONE || code == SQLITE_ROW else { throw failure(code) }
        return sqlite3_changes(connection) > 0
    }

    /// Runs an insertion; returns the new row's number, or nil if a conflict made it do nothing.
    func insert() throws -> Int64? { try run() ? sqlite3_last_insert_rowid(connection) : nil }

    /// Calls `body` for every row of a query.
    func forEach(_ body: (borrowing HotStatement) throws -> Void) throws {
        defer { sqlite3_reset(pointer) }
        while true {
            let code = sqlite3_step(pointer)
            if code == SQLITE_DONE { return }
            guard code == SQLITE_ROW else { throw failure(code) }
            try body(self)
        }
    }

    /// What `body` makes of the first row, or nil if there is none.
    func first<Result>(_ body: (borrowing HotStatement) throws -> Result) throws -> Result? {
        defer { sqlite3_reset(pointer) }
        let code = sqlite3_step(pointer)
        if code == SQLITE_DONE { return nil }
        guard code == SQLITE_ROW else { throw failure(code) }
        return try body(self)
    }

    /// A column of the current row, counted from 0; 0 for NULL.
    func integer(_ column: Int32) -> Int64 { sqlite3_column_int64(pointer, column) }

    /// A column of the current row; empty for NULL.
    func text(_ column: Int32) -> String {
        guard let bytes = sqlite3_column_text(pointer, column) else { return "" }
        let count = Int(sqlite3_column_bytes(pointer, column))
        return String(decoding: UnsafeBufferPointer(start: bytes, count: count), as: UTF8.self)
    }

    private func failure(_ code: Int32) -> DatabaseError {
        DatabaseError(
            resultCode: ResultCode(rawValue: sqlite3_extended_errcode(connection)),
            message: String(cString: sqlite3_errmsg(connection)), sql: nil)
    }
}
