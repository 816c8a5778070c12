internal import HDF5

/// The group `/features`: `data`, (tokens, width), and where each row begins.
///
/// Not packed (gzip gains 13 % at a thirtieth of the speed). The values come in pieces, so that nobody needs all of them
/// in memory at once.
struct FeatureGroup {
    let header: ShardHeader.Features

    /// Which token a row is; exact, since no method of the catalogue that changes the order reduces again afterwards.
    private static let tokenOfRow = """
        The original index of the token of each row of a job: where a later step removed tokens (in the decoder; for \
        'projector input' in the projector, too), those with left_at of at least the first such step and not 254, \
        ascending; else kept.
        """

    /// Writes the group; `lengths` are the tokens of each row, and `fill` hands over whole tokens in order.
    func write(
        lengths: [Int], to root: borrowing Group, fill: (_ write: ([Float16]) throws -> Void) throws -> Void
    ) throws {
        let group = try root.createGroup(ShardLayout.features)
        try group.set("layer", to: .integer(Int64(header.layer)))
        try group.set("space", to: .string(header.space))
        try group.set("token_of_row", to: .string(Self.tokenOfRow))
        try group.write(
            RaggedGroup.offsets(lengths), to: "indptr", layout: .chunked(columnChunk, compressed: true),
            attributes: describe("1", "where each row begins; the last entry is the total"))
        let total = lengths.reduce(0, +)
        let dataset = try group.createDataset(
            "data", of: Float16.self, shape: [total, header.width], layout: .chunked([64, header.width]))
        var start = 0
        try fill { values in
            try dataset.write(values, atRow: start)
            start += values.count / header.width
        }
        guard start == total else {
            throw ResultFileError(.corrupt, "the features have \(start) tokens where \(total) are announced")
        }
        for (attribute, value) in describe("1", "visual features: \(header.space)") {
            try dataset.set(attribute, to: value)
        }
        try dataset.close()
        try group.close()
    }

    /// Where the features of the rows of `range` begin and end; `total` is the number of rows in the file.
    func offsets(_ range: Range<Int>, of total: Int, in root: borrowing Group) throws -> [Int] {
        let group = try root.group(ShardLayout.features)
        let data = try group.dataset("data")
        guard data.shape.count == 2, data.shape[1] == header.width else {
            throw ResultFileError(
                .corrupt, "\(data.name) has shape \(data.shape) instead of (tokens, \(header.width))")
        }
        return try RaggedGroup.offsets(range, of: total, in: group, values: data.shape[0])
    }

    /// The values of some tokens, in row-major order.
    func values(_ tokens: Range<Int>, in root: borrowing Group) throws -> [Float16] {
        try root.dataset("\(ShardLayout.features)/data").read(Float16.self, rows: tokens)
    }
}
