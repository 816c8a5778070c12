/// The keys of structured log messages; searches and dashboards rely on them.
public enum LogKey {
    /// A batch's name.
    public static let batch = "batch"
    /// A number of jobs.
    public static let jobs = "jobs"
    /// A worker's name.
    public static let worker = "worker"
    /// A worker process.
    public static let session = "session"
    /// A sealed shard.
    public static let shard = "shard"
    /// Why something happened.
    public static let reason = "reason"
    /// An address that is listened at.
    public static let endpoint = "endpoint"
    /// A peer's network address.
    public static let address = "address"
    /// The public half of a peer's key.
    public static let key = "key"
    /// How often something happened so far.
    public static let count = "count"
    /// How many lines that peers caused were left out before this one.
    public static let leftOut = "left_out"
    /// A folder or file.
    public static let path = "path"
}
