/// The weights of Pillow's bicubic resampling along one axis, bit for bit.
///
/// Output position x is the sum of `count[x]` input positions from `first[x]` on, weighted by 22-bit fixed-point numbers.
/// The arithmetic is IEEE double in the order Pillow has it (`precompute_coeffs` in its Resample.c); Swift never contracts
/// it into fused operations.
struct BicubicFilter: Sendable {
    /// The first input position of each output position.
    let first: [Int32]
    /// How many input positions each output position takes.
    let count: [Int32]
    /// The weights, (outputs, taps).
    let weights: [Int32]
    /// The row length of `weights`.
    let taps: Int

    /// The filter from `input` to `output` positions, computed only for `range` of the outputs.
    init(input: Int, output: Int, range: Range<Int>) {
        let scale = Double(input) / Double(output)
        let stretch = max(scale, 1)
        let support = 2.0 * stretch
        let inverse = 1.0 / stretch
        taps = Int(support.rounded(.up)) * 2 + 1
        var first: [Int32] = [], count: [Int32] = []
        var weights = [Int32](repeating: 0, count: taps * range.count)
        for (row, x) in range.enumerated() {
            let centre = (Double(x) + 0.5) * scale
            let low = max(0, Int(centre - support + 0.5))
            let high = min(input, Int(centre + support + 0.5))
            var exact = (0..<high - low).map { cubic((Double($0 + low) - centre + 0.5) * inverse) }
            let sum = exact.reduce(0, +)
            if sum != 0 { for i in exact.indices { exact[i] /= sum } }
            for (i, weight) in exact.enumerated() {
                weights[row * taps + i] = Int32(weight < 0 ? weight * 0x1p22 - 0.5 : weight * 0x1p22 + 0.5)
            }
            first.append(Int32(low))
            count.append(Int32(high - low))
        }
        self.first = first
        self.count = count
        self.weights = weights
    }

    /// The input positions that any output needs.
    var inputRange: Range<Int> {
        let ends = zip(first, count).map { Int($0) + Int($1) }
        return Int(first.min() ?? 0)..<(ends.max() ?? 0)
    }
}

/// Keys' cubic convolution kernel with a = -0.5.
private func cubic(_ position: Double) -> Double {
    let a = -0.5
    let x = abs(position)
    if x < 1 { return ((a + 2) * x - (a + 3)) * x * x + 1 }
    if x < 2 { return (((x - 5) * x + 8) * x - 4) * a }
    return 0
}
