internal import Foundation
internal import Intervals
internal import JobModel
internal import ResultFiles

/// One batch, or one cell of an evaluation, as a report shows it: counts, costs, times, accuracy, failures.
struct BatchAccount: Encodable {
    /// The mean over answered jobs of what one phase of the work takes: operations or seconds.
    struct Phase: Encodable {
        let name: String
        let mean: Double
    }
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

    /// What it is called in the report, unlike every other one there.
    var name: String
    let folder, method, model, host, software: String
    /// Equal for results of one method on one model that differ in their budgets alone: a line may join them.
    let series: String
    /// Visual tokens that the method is to keep; nil if it reduces nothing.
    let budget: Int?
    let jobs, failed: Int
    /// Answered jobs about a picture; the means of visual tokens are over these.
    let pictured: Int
    let tokensIn, tokensOut: Double
    /// Operations and seconds by phase; a sum of several phases has a name of its own.
    let flops, seconds: [Phase]
    let latency: Latency
    /// Seconds from the first answer to the last, and the answers in equal parts of it; none where nobody noted times.
    let span: Double
    let rate: [Int]
    let throughput: Double?
    let accuracy: Proportion?
    let failures: [Failure]
    /// Visual tokens left after each step, the mean of the jobs that are shown.
    var layers: [Layer] = []

    init(_ catalogue: Catalogue) throws {
        let shard = try catalogue.firstShard()
        name = shard.batch
        folder = URL(fileURLWithPath: catalogue.folder.path).lastPathComponent
        let method = StoredMethod(shard.method)
        self.method = method.title
        budget = method.budget
        series = "\(method.series) \(shard.modelSHA256)"
        model = URL(fileURLWithPath: shard.model).lastPathComponent
        host = shard.host
        software = shard.software
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
        flops = Self.phases(["vision", "projector", "prefill", "decode"], means[4...7])
        seconds = Self.phases(["load", "vision", "prefill", "decode"], means[8...11])
        latency = try Self.latency(catalogue)
        (span, rate) = try Self.rate(catalogue)
        throughput = span > 0 ? Double(jobs) / span : 0
        accuracy = try catalogue.accuracy()
        failures = try Self.failures(catalogue)
    }

    /// One cell of an evaluation.
    init(_ cell: EvaluatedMethod) {
        let answered = cell.answers.filter { $0.error == nil }
        let pictured = answered.filter { !$0.item.images.isEmpty }
        func mean(_ answers: [EvaluatedMethod.Answer], _ value: (EvaluatedMethod.Answer) -> Double) -> Double {
            answers.isEmpty ? 0 : answers.reduce(0) { $0 + value($1) } / Double(answers.count)
        }
        name = cell.name
        folder = URL(fileURLWithPath: cell.path).lastPathComponent
        method = cell.budget.map { "\(cell.method), keep \($0)" } ?? cell.method
        budget = cell.budget
        series = "\(cell.method) \(cell.path)"
        (model, host, software) = (cell.model, "", "")
        jobs = cell.answers.count
        failed = jobs - answered.count
        self.pictured = pictured.count
        tokensIn = mean(pictured) { Double($0.tokensIn) }
        tokensOut = mean(pictured) { Double($0.tokensOut) }
        let first = mean(answered) { $0.flopsToFirstToken }
        flops = Self.phases(["vision to prefill", "decode"], [first, mean(answered) { $0.flops } - first])
        seconds = Self.phases(["all phases"], [mean(answered) { $0.seconds }])
        latency = Self.latency(answered.map(\.seconds).sorted())
        (span, rate, throughput) = (0, [], nil)
        let verdicts = cell.answers.compactMap(\.isRight)
        accuracy = verdicts.isEmpty ? nil : Proportion(verdicts.count { $0 }, of: verdicts.count)
        failures = Self.failures(
            cell.answers.compactMap { answer in answer.error.map { (answer.item.id.rawValue, $0) } })
    }

    private static func phases(_ names: [String], _ means: some Sequence<Double>) -> [Phase] {
        zip(names, means).map { Phase(name: $0, mean: $1) }
    }

    /// A count from a catalogue, which may come from elsewhere.
    private static func count(_ value: Double) -> Int { value.isFinite ? Int(max(0, min(1e15, value))) : 0 }

    private static func latency(_ catalogue: Catalogue) throws -> Latency {
        latency(
            try catalogue.query("SELECT seconds_total FROM jobs WHERE status = 'ok' ORDER BY 1").rows.map {
                $0[0].number
            })
    }

    private static func latency(_ sorted: [Double]) -> Latency {
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

    private static func failures(_ catalogue: Catalogue) throws -> [Failure] {
        failures(
            try catalogue.query("SELECT id, error FROM jobs WHERE status = 'failed' ORDER BY id").rows.map {
                ($0[0].text, $0[1].text)
            })
    }

    /// Failures whose reasons differ in paths and numbers only count as one.
    private static func failures(_ jobs: [(id: String, reason: String)]) -> [Failure] {
        var found: [String: (reason: String, example: String, count: Int)] = [:]
        for (id, reason) in jobs {
            var words = reason.split(separator: " ").map { $0.contains("/") ? "…" : String($0.filter { !$0.isNumber }) }
            // What a message is about stands at its end.
            if words.count > 1, words[words.count - 2].hasSuffix(":") { words[words.count - 1] = "…" }
            found[words.joined(separator: " "), default: (reason, id, 0)].count += 1
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
