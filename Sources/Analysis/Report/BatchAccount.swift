internal import Foundation
internal import ResultFiles

/// One batch as a report shows it: counts, costs, times, accuracy, failures.
struct BatchAccount: Encodable {
    struct Flops: Encodable { let vision, projector, prefill, decode: Double }
    struct Seconds: Encodable { let load, vision, prefill, decode: Double }
    struct Latency: Encodable {
        let p50, p95: Double
        /// The latency below which 0 %, 1 %, … 100 % of the jobs are.
        let quantiles: [Double]
    }
    struct Failure: Encodable {
        let reason, example: String
        let count: Int
    }
    struct Layer: Encodable {
        let place: String
        let layer: Int
        let tokens: Double
    }

    let name, folder, method, model, host, software: String
    let jobs, failed: Int
    /// Answered jobs about a picture; the means of visual tokens are over these.
    let pictured: Int
    let tokensIn, tokensOut: Double
    let flops: Flops
    let seconds: Seconds
    let latency: Latency
    /// Seconds from the first answer to the last, and the answers in equal parts of it.
    let span: Double
    let rate: [Int]
    let throughput: Double
    let accuracy: Proportion?
    let failures: [Failure]
    /// Visual tokens left after each step, the mean of the jobs that are shown.
    var layers: [Layer] = []

    init(_ catalogue: Catalogue) throws {
        let shard =
            try catalogue.query(
                "SELECT batch, method_json, model, host, software FROM shards ORDER BY model_sha256 = '', path LIMIT 1"
            ).rows.first?.map(\.text) ?? Array(repeating: "", count: 5)
        name = shard[0]
        folder = URL(fileURLWithPath: catalogue.folder.path).lastPathComponent
        method = Self.title(ofMethod: shard[1])
        model = URL(fileURLWithPath: shard[2]).lastPathComponent
        host = shard[3]
        software = shard[4]
        let means =
            try catalogue.query(
                """
                SELECT COUNT(*), SUM(status = 'failed'), AVG(visual_tokens_in) FILTER (WHERE status = 'ok' AND pictures > 0),
                    AVG(visual_tokens_out) FILTER (WHERE status = 'ok' AND pictures > 0), AVG(flops_vision) FILTER (WHERE status = 'ok'),
                    AVG(flops_projector) FILTER (WHERE status = 'ok'), AVG(flops_prefill) FILTER (WHERE status = 'ok'),
                    AVG(flops_decode) FILTER (WHERE status = 'ok'), AVG(seconds_load) FILTER (WHERE status = 'ok'),
                    AVG(seconds_vision) FILTER (WHERE status = 'ok'), AVG(seconds_prefill) FILTER (WHERE status = 'ok'),
                    AVG(seconds_decode) FILTER (WHERE status = 'ok'), COUNT(*) FILTER (WHERE status = 'ok' AND pictures > 0)
                FROM jobs
                """
            ).rows.first?.map(\.number) ?? Array(repeating: 0, count: 13)
        jobs = Self.count(means[0])
        failed = Self.count(means[1])
        pictured = Self.count(means[12])
        (tokensIn, tokensOut) = (means[2], means[3])
        flops = Flops(vision: means[4], projector: means[5], prefill: means[6], decode: means[7])
        seconds = Seconds(load: means[8], vision: means[9], prefill: means[10], decode: means[11])
        latency = try Self.latency(catalogue)
        (span, rate) = try Self.rate(catalogue)
        throughput = span > 0 ? Double(jobs) / span : 0
        accuracy = try catalogue.accuracy()
        failures = try Self.failures(catalogue)
    }

    /// The method and its budget, from all that a shard says about them.
    private static func title(ofMethod json: String) -> String {
        struct Method: Decodable {
            let name: String?
            let keep: Int?
        }
        guard let method = try? JSONDecoder().decode(Method.self, from: Data(json.utf8)), let name = method.name else {
            return "–"
        }
        return name == "none" ? name : method.keep.map { "\(name), keep \($0)" } ?? name
    }

    /// A count from a catalogue, which may come from elsewhere.
    private static func count(_ value: Double) -> Int { value.isFinite ? Int(max(0, min(1e15, value))) : 0 }

    private static func latency(_ catalogue: Catalogue) throws -> Latency {
        let sorted = try catalogue.query("SELECT seconds_total FROM jobs WHERE status = 'ok' ORDER BY 1").rows.map {
            $0[0].number
        }
        func quantile(_ share: Double) -> Double {
            guard let last = sorted.indices.last else { return 0 }
            return sorted[Int((share * Double(last)).rounded())]
        }
        return Latency(
            p50: quantile(0.5), p95: quantile(0.95), quantiles: (0...100).map { quantile(Double($0) / 100) })
    }

    private static func rate(_ catalogue: Catalogue) throws -> (span: Double, rate: [Int]) {
        let times = try catalogue.query("SELECT finished_at FROM jobs WHERE finished_at IS NOT NULL").rows.map {
            $0[0].number
        }
        let first = times.min() ?? 0
        let span = (times.max() ?? 0) - first
        guard span > 0, span.isFinite else { return (0, [times.count]) }
        let parts = max(1, min(30, times.count / 8))
        var rate = [Int](repeating: 0, count: parts)
        for time in times {
            rate[min(parts - 1, Int((time - first) / span * Double(parts)))] += 1
        }
        return (span, rate)
    }

    /// Failures whose reasons differ in paths and numbers only count as one.
    private static func failures(_ catalogue: Catalogue) throws -> [Failure] {
        var found: [String: (reason: String, example: String, count: Int)] = [:]
        for row in try catalogue.query("SELECT id, image, error FROM jobs WHERE status = 'failed' ORDER BY id").rows {
            let reason = row[2].text
            let words = reason.split(separator: " ").map { $0.contains("/") ? "…" : String($0.filter { !$0.isNumber }) }
            found[words.joined(separator: " "), default: (reason, row[0].text, 0)].count += 1
        }
        return found.values.sorted { ($1.count, $0.reason) < ($0.count, $1.reason) }.map {
            Failure(reason: $0.reason, example: $0.example, count: $0.count)
        }
    }
}

extension Scalar? {
    /// The text, empty for anything else.
    var text: String { if case .text(let value)? = self { value } else { "" } }

    /// The number, 0 for anything else.
    var number: Double {
        switch self {
        case .integer(let value): Double(value)
        case .real(let value): value
        case .text, nil: 0
        }
    }
}
