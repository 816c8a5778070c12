/// Metrics in Prometheus's text format 0.0.4.
struct MetricText {
    /// The media type of the format.
    static let mediaType = "text/plain; version=0.0.4; charset=utf-8"

    /// Names and values of labels.
    typealias Labels = [(name: String, value: String)]

    private(set) var text = ""

    /// A value that only grows.
    mutating func counter(_ name: String, _ help: String, _ value: UInt64) {
        counter(name, help, [([], value)])
    }

    /// Values that only grow, by label.
    mutating func counter(_ name: String, _ help: String, _ values: [(labels: Labels, value: UInt64)]) {
        head(name, "counter", help)
        for (labels, value) in values { sample(name, labels, "\(value)") }
    }

    /// A time that only grows.
    mutating func secondsCounter(_ name: String, _ help: String, _ value: Double) {
        head(name, "counter", help)
        sample(name, [], Self.number(value))
    }

    /// A value that goes up and down.
    mutating func gauge(_ name: String, _ help: String, _ value: Double) { gauge(name, help, [([], value)]) }

    /// Values that go up and down, by label.
    mutating func gauge(_ name: String, _ help: String, _ values: [(labels: Labels, value: Double)]) {
        head(name, "gauge", help)
        for (labels, value) in values { sample(name, labels, Self.number(value)) }
    }

    /// A distribution.
    mutating func histogram(_ name: String, _ help: String, _ histogram: Histogram) {
        head(name, "histogram", help)
        var count: UInt64 = 0
        for (bound, bucket) in zip(histogram.bounds, histogram.counts) {
            count += bucket
            sample(name + "_bucket", [("le", Self.number(bound))], "\(count)")
        }
        sample(name + "_bucket", [("le", "+Inf")], "\(histogram.total)")
        sample(name + "_sum", [], Self.number(histogram.sum))
        sample(name + "_count", [], "\(histogram.total)")
    }

    private mutating func head(_ name: String, _ kind: String, _ help: String) {
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(kind)\n"
    }

    private mutating func sample(_ name: String, _ labels: Labels, _ value: String) {
        let list = labels.map { "\($0.name)=\"\(Self.escaped($0.value))\"" }.joined(separator: ",")
        text += list.isEmpty ? "\(name) \(value)\n" : "\(name){\(list)} \(value)\n"
    }

    private static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        return Int64(exactly: value).map { "\($0)" } ?? "\(value)"
    }

    private static func escaped(_ text: String) -> String {
        var result = ""
        for character in text.unicodeScalars {
            switch character {
            case "\\": result += "\\\\"
            case "\"": result += "\\\""
            case "\n": result += "\\n"
            default: result.unicodeScalars.append(character)
            }
        }
        return result
    }
}
