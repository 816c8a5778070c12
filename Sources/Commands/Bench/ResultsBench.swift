import Foundation
import Glibc
import HDF5
import ResultFiles

/// The measurements of `winnow bench results`.
struct ResultsBench {
    /// How features can be stored.
    enum Layout: String, CaseIterable, Encodable {
        case onePiece = "one piece"
        case checksum = "chunks, fletcher32"
        case packed = "chunks, shuffle, gzip 1, fletcher32"

        var layout: DatasetLayout {
            switch self {
            case .onePiece: .contiguous
            case .checksum: .chunked([64, ResultsBench.width])
            case .packed: .chunked([64, ResultsBench.width], compressed: true)
            }
        }
    }

    /// Features of LLaVA-1.5-7B: numbers of a token, and tokens without reduction.
    static let width = 4096
    static let tokens = 576

    private let folder: String
    private let features: [Float16]

    /// Features whose channels have scales as different as those of a model, the same in every run.
    init(folder: String, bytes: Int) {
        self.folder = folder
        let count = max(Self.tokens, bytes / 2 / Self.width) * Self.width
        var state: UInt64 = 2026
        func unit() -> Float {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Float(state >> 40) / Float(1 << 24)
        }
        let scales = (0..<Self.width).map { _ in exp(4 * unit() - 3) }
        features = (0..<count).map { index in
            // A sum of three is near enough to a bell.
            Float16((unit() + unit() + unit() - 1.5) * scales[index % Self.width])
        }
    }

    /// Seconds of sealing shards, and what share of them plain writes of the same bytes take.
    func sealing(runs: Int) throws -> ResultsReport.Sealing {
        var seal = Measurement(), synced = Measurement(), plain = Measurement()
        var bytes = 0
        for run in 0...runs {
            let shards = ResultsFolder("\(folder)/shards-\(run)")
            try shards.prepare()
            var writer = ShardWriter(folder: shards, header: Self.header)
            for row in rows() { try writer.add(row, at: .now) }
            var random = SystemRandomNumberGenerator()
            let id = ULID(milliseconds: UInt64(run), using: &random)
            var once = Measurement()
            try once.time { bytes = try writer.seal(as: id).bytes }
            let (syncedOnce, plainOnce) = try (write(bytes, syncing: true), write(bytes, syncing: false))
            try FileManager.default.removeItem(atPath: shards.path)
            guard run > 0 else { continue }  // warms up
            seal.join(once)
            synced.join(syncedOnce)
            plain.join(plainOnce)
        }
        return ResultsReport.Sealing(
            megabytes: Double(bytes) / 1e6, seconds: seal.median,
            shareOfSynced: Spread(zip(synced.seconds, seal.seconds).map { $0 / $1 }),
            shareOfPlain: Spread(zip(plain.seconds, seal.seconds).map { $0 / $1 }))
    }

    /// Size and speed of the features alone in a layout.
    func layout(_ layout: Layout, runs: Int) throws -> ResultsReport.Stored {
        var writing = Measurement(), reading = Measurement()
        var size = 0
        let path = "\(folder)/layout.h5"
        for run in 0...runs {
            var write = Measurement(), read = Measurement()
            try write.time {
                try File.writing(path) { file in
                    try file.root.write(
                        features, to: "data", shape: [features.count / Self.width, Self.width], layout: layout.layout)
                }
            }
            try read.time {
                let back: [Float16] = try File.reading(path) { file in try file.root.dataset("data").read() }
                guard back.count == features.count else { throw CommandFailure("\(path) does not read back") }
            }
            size = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int ?? 0
            try FileManager.default.removeItem(atPath: path)
            guard run > 0 else { continue }
            writing.join(write)
            reading.join(read)
        }
        let megabytes = Double(2 * features.count) / 1e6
        return ResultsReport.Stored(
            layout: layout, ratio: megabytes * 1e6 / Double(max(size, 1)),
            write: Spread(writing.seconds.map { megabytes / $0 }), read: Spread(reading.seconds.map { megabytes / $0 }))
    }

    private static let header = ShardHeader(
        batch: "bench", worker: "bench", model: "", modelSHA256: "", methodJSON: "{}", generationJSON: "{}",
        software: "", methods: ["none"], features: ShardHeader.Features(width: width, layer: -2, space: "decoder input")
    )

    /// Jobs that share out the features; the last one takes what is left.
    private func rows() -> [ResultRow] {
        let size = Self.tokens * Self.width
        return (0..<max(1, features.count / size)).map { index in
            var row = ResultRow(id: "job-\(index)", images: ["x.jpg"], prompt: "What?", method: "none", attempt: 1)
            row.segments.append(
                picture: 0, tile: 0, rows: 24, columns: 24, left: 0, top: 0, width: 336, height: 336)
            let isLast = index == max(1, features.count / size) - 1
            row.features = Array(features[index * size..<(isLast ? features.count : (index + 1) * size)])
            row.tokens.leftAt = [UInt8](repeating: ResultRow.Tokens.survived, count: Self.tokens)
            row.tokens.wentTo = (0..<Self.tokens).map { UInt16($0) }
            row.tokens.score = [Float16](repeating: 0, count: Self.tokens)
            row.kept = row.tokens.wentTo
            (row.visualTokensIn, row.visualTokensOut) = (Self.tokens, Self.tokens)
            return row
        }
    }

    /// Writes as many bytes of the features to a new file.
    private func write(_ count: Int, syncing: Bool) throws -> Measurement {
        let path = "\(folder)/plain"
        defer { unlink(path) }
        var time = Measurement()
        try time.time {
            let file = open(path, O_WRONLY | O_CREAT | O_EXCL, 0o600)
            guard file >= 0 else { throw CommandFailure("cannot write in \(folder)") }
            defer { close(file) }
            try features.withUnsafeBytes { bytes in
                var left = count
                while left > 0 {
                    let written = Glibc.write(file, bytes.baseAddress, min(left, bytes.count))
                    guard written > 0 else { throw CommandFailure("cannot write in \(folder): is the disk full?") }
                    left -= written
                }
            }
            if syncing { guard fsync(file) == 0 else { throw CommandFailure("cannot sync in \(folder)") } }
        }
        return time
    }
}

/// What `winnow bench results` prints.
struct ResultsReport: Encodable {
    struct Sealing: Encodable {
        let megabytes, seconds: Double
        /// A plain write's time as a share of the shard's: 1 is as fast.
        let shareOfSynced, shareOfPlain: Spread
    }

    struct Stored: Encodable {
        let layout: ResultsBench.Layout
        /// How many times smaller than the numbers themselves.
        let ratio: Double
        /// MB/s.
        let write, read: Spread
    }

    let megabytes: Double
    let runs: Int
    /// Seconds that a job takes.
    let jobSeconds: Double
    let sealing: Sealing
    let layouts: [Stored]
    /// Features of a job without reduction, in MB.
    let jobMegabytes: Double
    /// What storing them takes of a worker's time.
    let shareOfWorker: Double

    init(megabytes: Double, runs: Int, jobSeconds: Double, sealing: Sealing, layouts: [Stored]) {
        self.megabytes = megabytes
        self.runs = runs
        self.jobSeconds = jobSeconds
        self.sealing = sealing
        self.layouts = layouts
        jobMegabytes = Double(2 * ResultsBench.tokens * ResultsBench.width) / 1e6
        shareOfWorker = jobMegabytes * sealing.seconds / sealing.megabytes / jobSeconds
    }

    func text() -> String {
        let rate = sealing.megabytes / sealing.seconds
        var speed = TextTable(["sealing a shard", "MB/s", "share", "least", "greatest"], rightAligned: [1, 2, 3, 4])
        func add(_ name: String, _ spread: Spread) {
            speed.add(
                [name, String(format: "%.0f", rate / spread.median)]
                    + [spread.median, spread.least, spread.greatest].map { String(format: "%.2f", $0) })
        }
        speed.add(["built, hashed, written, synced, published", String(format: "%.0f", rate), "", "", ""])
        add("beside a plain write with sync", sealing.shareOfSynced)
        add("beside a plain write without", sealing.shareOfPlain)
        var table = TextTable(["features as", "smaller by", "write MB/s", "read MB/s"], rightAligned: [1, 2, 3])
        for stored in layouts {
            table.add([
                stored.layout.rawValue, String(format: "%.3f", stored.ratio),
                String(format: "%.0f", stored.write.median),
                String(format: "%.0f", stored.read.median),
            ])
        }
        return """
            shards of \(String(format: "%.0f", sealing.megabytes)) MB, medians of \(runs); share: the plain write's time \
            beside the shard's, in the same round

            \(speed.text())

            A job of LLaVA-1.5-7B without reduction stores \(String(format: "%.1f", jobMegabytes)) MB of features: \
            \(String(format: "%.0f", jobMegabytes / rate * 1000)) ms, or \
            \(String(format: "%.2f", 100 * shareOfWorker)) % of the time of a worker that takes \
            \(String(format: "%.1f", jobSeconds)) s for a job (target: less than 5 %).

            \(table.text())
            """
    }
}
