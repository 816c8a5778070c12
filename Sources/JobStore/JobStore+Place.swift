internal import GRDB
public import JobModel

extension JobStore {
    /// The batch and the item that a job stands for; nil for an unknown job.
    public borrowing func place(of job: JobID) throws(JobStoreError) -> (batch: BatchID, item: ItemID)? {
        try access { database in
            let statement = try database.cachedStatement(
                sql: """
                    SELECT batch.name, item.item_id FROM item JOIN batch ON batch.id = item.batch
                    WHERE item.job = ? AND batch.state <> \(Self.forgotten)
                    """)
            return try Row.fetchOne(statement, arguments: [Int64(bitPattern: job.rawValue)]).map {
                (BatchID($0[0] as String), ItemID($0[1] as String))
            }
        }
    }
}
