internal import HDF5

/// The features of each row: `data` of `/features`, (tokens, width).
///
/// Not packed (gzip gains 13 % at a thirtieth of the speed), and written from where the rows hold them.
struct FeatureColumn: RaggedColumn {
    let width: Int

    func write(_ rows: [ResultRow], to group: borrowing Group) throws(HDF5Error) {
        let total = rows.reduce(0) { $0 + $1.features.count / width }
        let dataset = try group.createDataset(
            "data", of: Float16.self, shape: [total, width], layout: .chunked([64, width]))
        var start = 0
        for row in rows {
            try dataset.write(row.features, atRow: start)
            start += row.features.count / width
        }
        for (attribute, value) in describe("1", "visual features that entered the decoder") {
            try dataset.set(attribute, to: value)
        }
        try dataset.close()
    }

    func read(_ offsets: [Int], from group: borrowing Group, into rows: inout [ResultRow]) throws {
        let dataset = try group.dataset("data")
        guard dataset.shape.count == 2, dataset.shape[1] == width else {
            throw ResultFileError(.corrupt, "\(dataset.name) has shape \(dataset.shape) instead of (tokens, \(width))")
        }
        for index in rows.indices {
            rows[index].features = try dataset.read(Float16.self, rows: offsets[index]..<offsets[index + 1])
        }
    }

    func count(in group: borrowing Group) throws(HDF5Error) -> Int { try group.dataset("data").shape.first ?? 0 }
}
