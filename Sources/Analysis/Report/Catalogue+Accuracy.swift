public import Intervals
internal import ResultFiles

extension Catalogue {
    /// How many of the answers that have accepted ones are among them; nil where none has.
    public func accuracy() throws -> Proportion? {
        let sql = "SELECT COUNT(*), SUM(correct > 0) FROM jobs WHERE status = 'ok' AND correct >= 0"
        guard let row = try query(sql).rows.first, row[0].number >= 1 else { return nil }
        return Proportion(Int(row[1].number), of: Int(row[0].number))
    }
}
