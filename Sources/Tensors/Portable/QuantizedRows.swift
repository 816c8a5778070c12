/// Rows of numbers as small integers with scales, and their exact product: what kernels for integer weights compute, written
/// as its formulas.
///
/// Weights have a scale for each block of 256 inputs. Activations of 15 bits have one for each block, those of 8 bits for each
/// group of 32 inputs. Between scales everything is an integer and sums are exact; scales come in one after another, in
/// float32 with one rounding each, so that there is only one right result.
struct QuantizedRows {
    /// Inputs of a block.
    static let block = 256
    /// Inputs of a group of 4-bit weights.
    static let group = 32
    /// The largest absolute value of a group's multiplier.
    static let greatestMultiplier: Float = 15
    /// How far from the multiplier that reaches a group's extreme number others are tried.
    static let reach: Float = 2

    /// Inputs in a row.
    let inputs: Int
    /// Inputs that share a scale.
    private let span: Int
    /// `(rows, inputs)`; a 4-bit weight has been multiplied by its group's multiplier.
    private var values: [Int32] = []
    /// `(rows, spans)`
    private var scales: [Float] = []

    /// Weights in an integer format, row by row.
    init(weights: [Float], inputs: Int, format: WeightFormat) {
        self.inputs = inputs
        span = Self.block
        eachSpan(of: weights) { block in
            format == .int4 ? Self.fourBits(block) : Self.symmetric(block, greatest: 127)
        }
    }

    /// Activations as they meet weights of an integer format.
    init(activations: [Float], inputs: Int, beside format: WeightFormat) {
        self.inputs = inputs
        span = format == .int8 ? Self.block : Self.group
        eachSpan(of: activations) { Self.symmetric($0, greatest: format == .int8 ? 16383 : 127) }
    }

    private mutating func eachSpan(of numbers: [Float], _ quantize: (ArraySlice<Float>) -> ([Int32], Float)) {
        for row in stride(from: 0, to: numbers.count, by: max(inputs, 1)) {
            for start in stride(from: row, to: row + inputs, by: span) {
                let (values, scale) = quantize(numbers[start..<min(start + span, row + inputs)])
                self.values += values
                scales.append(scale)
            }
        }
    }

    private var spans: Int { (inputs + span - 1) / span }

    /// The sum of products of row `row` of these activations and row `output` of `weights`: over the blocks of weights, the
    /// scale of the block times the sum over the spans of activations in it.
    func product(_ row: Int, _ weights: QuantizedRows, _ output: Int) -> Float {
        var result: Float = 0
        for block in 0..<weights.spans {
            var partial: Float = 0
            for number in block * weights.span / span..<min((block + 1) * weights.span / span, spans) {
                let columns = number * span..<min((number + 1) * span, inputs)
                let sum = columns.reduce(Int64(0)) {
                    $0 + Int64(values[row * inputs + $1]) * Int64(weights.values[output * inputs + $1])
                }
                partial.addProduct(Float(sum), scales[row * spans + number])
            }
            result.addProduct(partial, weights.scales[output * weights.spans + block])
        }
        return result
    }

    /// `x ≈ scale · q`, `|q| ≤ greatest`; a block that holds NaN or an infinity has the scale NaN.
    private static func symmetric(_ block: ArraySlice<Float>, greatest: Float) -> ([Int32], Float) {
        guard block.allSatisfy(\.isFinite) else { return (block.map { _ in 0 }, .nan) }
        let most = block.reduce(0) { max($0, abs($1)) }
        // A block of subnormal numbers would have a scale whose inverse is infinite: it counts as zero.
        let inverse = most > 0x1p-110 ? greatest / most : 0
        return (block.map { Int32(($0 * inverse).rounded(.toNearestOrEven)) }, most / greatest)
    }

    /// `w ≈ scale · multiplier · q`, `-8 ≤ q ≤ 7`, with a multiplier of ±1 to ±15 for each group, whose sign is such that the
    /// group's extreme number falls on -8. Of the multipliers around the one that reaches it, a group has the one whose
    /// squared errors have the least sum.
    private static func fourBits(_ block: ArraySlice<Float>) -> ([Int32], Float) {
        let groups = stride(from: block.startIndex, to: block.endIndex, by: group).map {
            block[$0..<min($0 + group, block.endIndex)]
        }
        let steps = groups.map { group in group.reduce(Float(0)) { abs($1) > abs($0) ? $1 : $0 } / -8 }
        let most = steps.reduce(0) { max($0, abs($1)) }
        let scale = most / greatestMultiplier, inverse = most > 0x1p-110 ? greatestMultiplier / most : 0
        let values = zip(groups, steps).flatMap { group, step in
            let nearest = (abs(step) * inverse).rounded(.toNearestOrEven)
            let candidates = stride(
                from: max(nearest - reach, 1), through: min(nearest + reach, greatestMultiplier), by: 1
            ).map {
                let multiplier = Float(signOf: step, magnitudeOf: $0), size = multiplier * scale
                let back = inverse > 0 ? 1 / size : 0
                let values = group.map { min(max(($0 * back).rounded(.toNearestOrEven), -8), 7) }
                return (multiplier, values, error: error(of: values, times: size, for: group))
            }
            let best = candidates.reduce(candidates[0]) { $1.error < $0.error ? $1 : $0 }
            return best.1.map { Int32($0) * Int32(best.0) }
        }
        return (values, scale)
    }

    /// The sum of `(w - size · value)²` in the order in which kernels add: first numbers `i` and `i + 16`, then these sixteen
    /// sums from first to last.
    private static func error(of values: [Float], times size: Float, for group: ArraySlice<Float>) -> Float {
        let squares = zip(group, values).map { ($0 - $1 * size) * ($0 - $1 * size) }
        return (0..<16).reduce(0) { sum, lane in
            sum + ((lane < squares.count ? squares[lane] : 0) + (lane + 16 < squares.count ? squares[lane + 16] : 0))
        }
    }
}
