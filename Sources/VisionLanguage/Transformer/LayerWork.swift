/// The rows that one layer of a transformer has worked on for one sequence, which say how many operations it took.
struct LayerWork: Sendable, Hashable {
    /// Rows whose queries, keys and values were computed.
    var projected = 0
    /// Rows that attention was added to.
    var attending = 0
    /// Pairs of a query and a key that it sees.
    var pairs = 0
    /// Rows that went through the MLP.
    var fed = 0

    /// Attention of the last `queries` of `keys` rows: query i of q sees `keys − q + i + 1` of them.
    mutating func attend(queries: Int, keys: Int) {
        attending += queries
        pairs += queries * (keys - queries) + queries * (queries + 1) / 2
    }

    /// Attention of `rows` rows, each of which sees all rows.
    mutating func attendAll(_ rows: Int) {
        attending += rows
        pairs += rows * rows
    }

    /// The work of one layer on `rows` rows, each of which sees the rows before it.
    static func reading(_ rows: Int) -> LayerWork {
        var work = LayerWork(projected: rows, fed: rows)
        work.attend(queries: rows, keys: rows)
        return work
    }

    /// What reading the first `rows` rows of a prompt takes in the first `count` of `layers` layers; the last layer of all is
    /// asked for their keys and values only.
    static func beginning(of rows: Int, in count: Int, of layers: Int) -> [LayerWork] {
        (0..<layers).map { layer in
            layer >= count ? LayerWork() : layer < layers - 1 ? reading(rows) : LayerWork(projected: rows)
        }
    }
}
