public import FileLocks

/// What cannot be relied on where a job store is, because of its file system.
///
/// SQLite keeps a WAL's index in memory that all of its users share, which only processes of one machine can do: "WAL does
/// not work over a network filesystem" (sqlite.org/wal.html). One coordinator alone works there, so that it is warned and not
/// refused: many clusters have no other disk that lasts.
public struct StoreHazard: Sendable, Hashable, CustomStringConvertible {
    /// What may happen, and what to do.
    public let description: String

    /// The hazard of a store; nil on a file system of one machine.
    public init?(store path: String, on kind: FileSystemKind) {
        let what: String
        switch kind.reach {
        case .machine: return nil
        case .network:
            what =
                "on \(kind.name), which other machines share. Never start a coordinator or another command on this store "
                + "from a second machine: its locks may not reach so far, and SQLite's index of changes does not"
        case .unknown:
            what =
                "on \(kind.name): whoever serves these files decides whether locks keep a second coordinator out, and "
                + "whether a commit survives the loss of power"
        }
        description = "The job store \(path) is \(what). A store on a disk of this machine is safer."
    }

    /// The hazard of a store that is at a path or is to be made there.
    public init?(at path: String) {
        guard let kind = FileSystemKind(of: path) else { return nil }
        self.init(store: path, on: kind)
    }
}
