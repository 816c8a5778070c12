extension ShardReader {
    /// Tokens of features that are read at a time: 16 MiB at the width of LLaVA-1.5-7B.
    private static let slice = 2048

    /// Reads everything back, against the checksums and the rules that every row keeps.
    ///
    /// - Returns: The rows, without their features.
    public func verify() throws(ResultFileError) -> [ResultRow] {
        var rows = try rows(features: false)
        let lengths = try featureOffsets().map { offsets in zip(offsets, offsets.dropFirst()).map { $1 - $0 } }
        for (index, row) in rows.enumerated() {
            // Failed and text-only jobs have no features.
            let hasFeatures = lengths.map { $0[index] > 0 } ?? false
            guard !hasFeatures || row.status == .ok && !row.pictures.isEmpty else {
                let kind = row.status == .ok ? "a text-only job" : "a failed job"
                throw ResultFileError(.corrupt, "row \(index) of \(path) is \(kind) with features")
            }
            do {
                try row.check(against: header)
            } catch {
                throw ResultFileError(.corrupt, "row \(index) of \(path): \(error.message)")
            }
        }
        try readFeatures { tokens, features throws(ResultFileError) in
            guard features.isFinite else {
                throw ResultFileError(
                    .corrupt, "features of \(path), among tokens \(tokens), are not finite numbers; run its jobs again")
            }
        }
        let origins = try origins()
        guard Set(origins.map(\.identity)).count == rows.count else {
            throw ResultFileError(.corrupt, "the file holds a row twice", at: path)
        }
        for index in rows.indices { rows[index].features = [] }
        return rows
    }

    /// Reads all features once, a piece at a time, against their checksums, and hands them to `check`.
    func readFeatures(
        _ check: (_ tokens: Range<Int>, _ features: [Float16]) throws(ResultFileError) -> Void = { _, _ in }
    ) throws(ResultFileError) {
        let total = try featureOffsets()?.last ?? 0
        for start in stride(from: 0, to: total, by: Self.slice) {
            let tokens = start..<min(start + Self.slice, total)
            try check(tokens, try features(tokens: tokens))
        }
    }
}
