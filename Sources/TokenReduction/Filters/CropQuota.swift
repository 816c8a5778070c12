/// HoloV's filter: every part of the picture keeps a share, larger where the class token looks and the content varies.
///
/// The sequence is cut into `crops` runs, the first ones longer by one where they do not divide. With aᵢ the class
/// attention and S the cosines within a crop of n tokens, its diagonal 0,
///
///     sᵢ = 1000 aᵢ + β vᵢ · mean(1000 a) / (mean(v) + 10⁻⁶),   vᵢ = Σⱼ (Sᵢⱼ − Σⱼ Sᵢⱼ/(n−1))² / (n−1)
///
/// (Zou et al., NeurIPS 2025, read in the authors' code). A crop's quota is ⌊keep · its mean score's share⌋, at most its
/// size; what is left goes one by one to the crops in the order of their scores. Inside a crop attention alone decides.
///
/// The second term's mean over a crop is β · mean(1000 a), whatever the content, as long as v is far from 10⁻⁶: so it
/// raises every crop's score by the same factor, and quotas follow attention alone. We keep the published formula.
///
/// The authors' file is written for 64 tokens of 576 and fills with zeros where a crop is smaller than its quota; here
/// others take those places. Those that stay are named crop after crop, by falling attention inside, a whole crop as it
/// stands, which is the order in which the authors hand them on.
public struct CropQuota: Filter {
    /// Parts of the sequence.
    public let crops: Int
    /// β: how much variance counts beside attention.
    public let variance: Double

    /// A filter with the given number of parts and weight of the variance.
    public init(crops: Int, variance: Double) {
        self.crops = crops
        self.variance = variance
    }

    /// Reads `crops` and `variance`; default: the authors' 16 crops and β = 0.09.
    init(reading options: inout MethodOptions) throws(ReductionError) {
        try self.init(
            crops: options.integer("crops", default: 16, in: 1...65_535),
            variance: options.number("variance", default: 0.09, in: 0...1000))
    }

    /// One row of attention.
    public var needs: EvidenceNeeds { .observerAttention }

    /// One line for the table of methods.
    public var summary: String {
        "least class attention within each of \(crops) crops, quotas by attention and variety"
    }

    /// All but the chosen, the least attended first.
    public func candidates(in layer: LayerView, removing count: Int) throws(ReductionError) -> Candidates {
        let attention = try layer.observerAttention(), keep = layer.count - count
        let scores = try Candidates(largest: 0, of: attention.map { -$0 }).scores
        let unit = try layer.unitStates()
        let parts = min(crops, layer.count)
        let runs = (0..<parts).map { part in
            let (size, longer) = layer.count.quotientAndRemainder(dividingBy: parts)
            let start = part * size + min(part, longer)
            return start..<start + size + (part < longer ? 1 : 0)
        }
        let worth = runs.map { run in mean(of: worths(of: run, attention, unit)) }
        // Numbers that no softmax leaves would give crops shares below nothing or beyond everything.
        guard worth.allSatisfy({ $0 >= 0 && $0.isFinite }), worth.reduce(0, +).isFinite else {
            throw ReductionError(
                .notFinite, "crops share by their attention, which is negative or not a finite number here")
        }
        let quotas = share(out: keep, among: runs.map(\.count), by: worth)
        let kept = zip(runs, quotas).flatMap { run, quota in
            quota == run.count
                ? Array(run)
                : Array(run.sorted { scores[$0] == scores[$1] ? $0 < $1 : scores[$0] < scores[$1] }.prefix(quota))
        }
        return try Candidates(keeping: kept, scores: scores)
    }

    private func worths(of run: Range<Int>, _ attention: [Double], _ unit: UnitRows) -> [Double] {
        let scaled = run.map { 1000 * attention[$0] }
        guard run.count > 1 else { return scaled }
        let cosines = unit.cosines(Array(run), Array(run)), others = Double(run.count - 1)
        let varieties: [Double] = run.map { token in
            var row = cosines.row(token - run.lowerBound)
            row[token - run.lowerBound] = 0
            let middle = row.reduce(0, +) / others
            return row.reduce(0.0) { sum, cosine in sum + (cosine - middle) * (cosine - middle) } / others
        }
        let scale = mean(of: scaled) / (mean(of: varieties) + 1e-6)
        return zip(scaled, varieties).map { attention, variety in attention + variance * variety * scale }
    }

    private func share(out keep: Int, among sizes: [Int], by worth: [Double]) -> [Int] {
        let total = worth.reduce(1e-6, +)
        var quotas = zip(sizes, worth).map { min($0, Int($1 / total * Double(keep))) }
        var left = keep - quotas.reduce(0, +)
        let order = worth.indices.sorted { worth[$0] == worth[$1] ? $0 < $1 : worth[$0] > worth[$1] }
        while left > 0 {
            for crop in order where left > 0 && quotas[crop] < sizes[crop] {
                quotas[crop] += 1
                left -= 1
            }
        }
        return quotas
    }

    private func mean(of numbers: [Double]) -> Double { numbers.reduce(0, +) / Double(numbers.count) }
}
