private import CImageCodecs

/// One axis of a resize: which outputs are wanted and what they are made of.
struct ResamplingAxis: Sendable {
    /// The weights; nil if the length does not change and pixels are copied untouched, as Pillow copies them.
    private let filter: BicubicFilter?
    /// The outputs wanted.
    private let outputs: Range<Int>

    /// The axis from `input` to `output` positions, of which `count` from `start` on are wanted.
    init(input: Int, output: Int, start: Int, count: Int) {
        outputs = start..<start + count
        filter = input == output ? nil : BicubicFilter(input: input, output: output, range: outputs)
    }

    /// The input positions that the wanted outputs need.
    var inputRange: Range<Int> { filter?.inputRange ?? outputs }

    /// Makes one output row, (outputs, 3), of a whole input row, (input, 3).
    func resampleRow(_ row: UnsafeBufferPointer<UInt8>, into out: UnsafeMutableBufferPointer<UInt8>) {
        guard let filter else {
            _ = out.initialize(fromContentsOf: row[outputs.lowerBound * 3..<outputs.upperBound * 3])
            return
        }
        codec_resample_row(
            row.baseAddress, out.baseAddress, outputs.count, filter.first, filter.count, filter.weights, filter.taps)
    }

    /// Makes all output rows of input rows that start at `inputRange.lowerBound`; every row has `rowBytes` bytes.
    func resampleRows(_ rows: [UInt8], rowBytes: Int) -> [UInt8] {
        guard let filter else { return rows }
        let start = filter.inputRange.lowerBound
        return [UInt8](unsafeUninitializedCapacity: outputs.count * rowBytes) { out, initialized in
            rows.withUnsafeBufferPointer { rows in
                filter.weights.withUnsafeBufferPointer { weights in
                    for y in 0..<outputs.count {
                        let first = (Int(filter.first[y]) - start) * rowBytes, count = Int(filter.count[y])
                        let taken = UnsafeBufferPointer(rebasing: rows[first..<first + count * rowBytes])
                        let used = UnsafeBufferPointer(rebasing: weights[y * filter.taps..<y * filter.taps + count])
                        let target = UnsafeMutableBufferPointer(rebasing: out[y * rowBytes..<(y + 1) * rowBytes])
                        codec_resample_rows(
                            taken.baseAddress, rowBytes, target.baseAddress, rowBytes, used.baseAddress, count)
                    }
                }
            }
            initialized = outputs.count * rowBytes
        }
    }
}
