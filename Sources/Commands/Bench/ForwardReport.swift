import Foundation
import Tensors

/// One part of the forward pass beside the processor's limit.
struct PartReport: Encodable {
    private let name: String
    /// Rows that went in.
    let rows: Int
    /// Rows a second: the median of the rounds, the least and the greatest.
    let tokensPerSecond, leastTokensPerSecond, greatestTokensPerSecond: Double
    /// Billions of operations a second.
    let rate: Double
    /// The time that the limits measured in the same round would take, each format's operations at its own, as a share of the
    /// time taken; the median.
    let shareOfLimit: Double

    private enum CodingKeys: CodingKey {
        case rows, tokensPerSecond, leastTokensPerSecond, greatestTokensPerSecond, rate, shareOfLimit
    }

    init(_ name: String, _ part: ForwardBench.Part, _ limits: [WeightFormat: [Double]]) {
        self.name = name
        rows = part.rows
        let seconds = part.time.seconds
        tokensPerSecond = Double(rows) / part.time.median
        leastTokensPerSecond = Double(rows) / (seconds.max() ?? 1)
        greatestTokensPerSecond = Double(rows) / (seconds.min() ?? 1)
        rate = Double(part.operations) / part.time.median / 1e9
        let shares = seconds.enumerated().map { round, seconds in
            part.formats.reduce(0) { least, share in
                least + share.value * Double(part.operations) / 1e9 / (limits[share.key]?[round] ?? .infinity)
            } / seconds
        }.sorted()
        shareOfLimit = shares.isEmpty ? 0 : shares[shares.count / 2]
    }

    fileprivate var cells: [String] {
        func number(_ value: Double) -> String { String(format: value < 10 ? "%.1f" : "%.0f", value) }
        return [
            name, "\(rows)", number(tokensPerSecond), number(leastTokensPerSecond), number(greatestTokensPerSecond),
            number(rate), String(format: "%.2f", shareOfLimit),
        ]
    }
}

/// What `winnow bench forward` prints.
struct ForwardReport: Encodable {
    let backend: String
    let weights: String
    let threads: Int
    /// Bytes of the weights of all products.
    let weightsBytes: Int
    /// The most that the process had in memory.
    let peakBytes: Int
    /// Billions of operations a second of the multiply instructions from registers, by format; the median of the rounds.
    let limits: [String: Double]
    let tower: PartReport
    let reducedTower: PartReport
    let prefill: PartReport
    let reducedPrefill: PartReport
    /// Decoding of one sequence.
    let decode: PartReport
    /// Several sequences in one pass over the weights.
    let decodeTogether: [PartReport]
    /// How many times as fast the reduced prompt is read.
    let prefillSpeedUp: Double
    /// How many times fewer operations that takes.
    let operationRatio: Double
    let shareOfOperationRatio: Double
    /// Filter, correlate and compress beside the tower's time without them.
    let reductionShareOfTower: Double
    let towerTimeWithReduction: Double

    /// The report as tables.
    func table() -> String {
        var table = TextTable(
            ["part", "rows", "rows/s", "least", "most", "GOP/s", "of limit"], rightAligned: [1, 2, 3, 4, 5, 6])
        for part in [tower, reducedTower, prefill, reducedPrefill, decode] + decodeTogether { table.add(part.cells) }
        let limit = limits.sorted { $0.key > $1.key }.map { String(format: "%.0f for \($0.key)", $0.value) }
            .joined(separator: ", ")
        return """
            \(backend), weights \(weights) (\(gigabytes(weightsBytes))), \(threads) threads, \
            peak memory \(gigabytes(peakBytes))
            limit of the multiply instructions: \(limit) GOP/s

            \(table.text())

            the reduced prompt is read \(String(format: "%.2f", prefillSpeedUp)) times as fast, with \
            \(String(format: "%.2f", operationRatio)) times fewer operations: \(percent(shareOfOperationRatio))
            the reduction's own arithmetic: \(percent(reductionShareOfTower)) of the tower's time without it
            the tower with the reduction: \(percent(towerTimeWithReduction)) of its time without
            """
    }

    private func percent(_ value: Double) -> String { String(format: "%.1f %%", 100 * value) }
    private func gigabytes(_ bytes: Int) -> String { String(format: "%.1f GB", Double(bytes) / 1e9) }
}
