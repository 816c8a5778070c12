internal import GRDB

extension AnalysisError {
    /// What SQLite says of a catalogue, with what to do: only one that is damaged is worth deleting.
    init(_ error: DatabaseError, ofCatalogue path: String) {
        let reason = error.message ?? "SQLite's code \(error.resultCode.rawValue)"
        let advice =
            switch error.resultCode {
            case .SQLITE_FULL: "make room on its disk and try again"
            case .SQLITE_IOERR, .SQLITE_CANTOPEN, .SQLITE_PERM, .SQLITE_READONLY:
                "check the disk and the rights of this user, and try again"
            case .SQLITE_BUSY, .SQLITE_LOCKED: "another process writes to it; try again"
            case .SQLITE_CORRUPT, .SQLITE_NOTADB, .SQLITE_ERROR: "delete it, it is made again from the shards"
            default: "try again"
            }
        self.init(.catalogue, "the catalogue \(path) cannot be used: \(reason); \(advice)")
    }
}
