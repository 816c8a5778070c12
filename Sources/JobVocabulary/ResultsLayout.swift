/// The names of all folders and files in the results folder of a batch, relative to it.
///
/// Nothing else knows these names. They are part of the format: folders of other versions have the same ones.
public enum ResultsLayout {
    /// The folder of the shards whose rows count; each lies in a folder of its own inside.
    public static let shards = "shards"
    /// The folder of sealed shards that the coordinator has not taken yet.
    public static let pending = "pending"
    /// The folder of shards that are being written.
    public static let unfinished = "tmp"
    /// The folder of sealed shards that the coordinator never took, set aside when shards are merged.
    public static let superseded = "superseded"
    /// The folder of shards that cannot be read, set aside once their jobs were put back.
    public static let damaged = "damaged"
    /// The file by which the folder is known; inside `shards`, because that may be a mount of its own.
    public static let token = "\(shards)/.token"
    /// The batch file with every default filled in.
    public static let batchFile = "batch.yaml"
    /// The catalogue of all rows that count.
    public static let catalogue = "catalogue.sqlite"
    /// The report about the batch.
    public static let report = "report.html"

    /// How the name of a shard ends.
    public static let shardSuffix = ".h5"
    /// What follows the name of a shard that is being written.
    public static let partSuffix = ".part"
    /// What follows the name of a shard in the name of the mark, in `pending`, that it was moved to `shards`.
    public static let movedSuffix = ".moved"

    /// The job store of `winnow run`.
    public static let jobStore = "jobs.sqlite"
    /// The folder in which the processes of `winnow run` log.
    public static let logs = "logs"
    /// The folder in which the workers of `winnow run` keep reports that the coordinator has not answered.
    public static let spool = "spool"
}
