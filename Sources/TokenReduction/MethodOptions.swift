internal import JobVocabulary

/// One option of a method: its name, its allowed values and its value.
public struct MethodOption: Sendable, Hashable {
    /// The name, with the part it belongs to.
    public let name: String
    /// The settled value.
    public let value: String
    /// The value when nobody sets it.
    public let standard: String
    /// The allowed values: `row|column`, or a range such as `0.0 … 1.0`.
    public let allowed: String
}

/// The options given to a method, read one by one while its stages are put together.
///
/// Reading an option declares it, with its range and its default; so the list of what a method understands is never
/// written twice, and whatever was given but never read is unknown.
public struct MethodOptions {
    private let given: [String: String]
    private var prefix = ""
    /// The options read so far, in order.
    public private(set) var declared: [MethodOption] = []

    /// Options as they come from a command line or a job file.
    public init(_ given: [String: String]) { self.given = given }

    /// One of the cases of an enumeration.
    public mutating func choice<Choice: RawRepresentable<String> & CaseIterable>(
        _ name: String, default standard: Choice
    ) throws(ReductionError) -> Choice {
        let allowed = Choice.allCases.map(\.rawValue).joined(separator: "|")
        return try read(name, standard.rawValue, allowed) { Choice(rawValue: $0) } ?? standard
    }

    /// One of the given names.
    public mutating func name(
        _ name: String, default standard: String, of names: [String]
    ) throws(ReductionError) -> String {
        try read(name, standard, names.joined(separator: "|")) { names.contains($0) ? $0 : nil } ?? standard
    }

    /// In which layers: `after-last`, `before:K,L,…`, `at:K,L,…` or `from:K`; `K=n` leaves n tokens behind.
    public mutating func schedule(default standard: Schedule) throws(ReductionError) -> Schedule {
        try schedule(standard: "after-last") ?? standard
    }

    /// In which layers, or nil when nobody says; `standard` says what happens then.
    public mutating func schedule(standard: String) throws(ReductionError) -> Schedule? {
        try read(
            "schedule", standard,
            "after-last, before:K,L,…, at:K,L,… or from:K, layers from 0 to 999, or K=n for n tokens left"
        ) { text in
            Schedule(parsing: text)
        }
    }

    /// Something that is on or off.
    public mutating func flag(_ name: String, default standard: Bool) throws(ReductionError) -> Bool {
        try read(name, "\(standard)", "true|false") { Bool($0) } ?? standard
    }

    /// A number in a range.
    public mutating func number(
        _ name: String, default standard: Double, in range: ClosedRange<Double>
    ) throws(ReductionError) -> Double {
        try read(name, "\(standard)", "\(range.lowerBound) … \(range.upperBound)") { text in
            Double(text).flatMap { range.contains($0) ? $0 : nil }
        } ?? standard
    }

    /// A whole number in a range.
    public mutating func integer(
        _ name: String, default standard: Int, in range: ClosedRange<Int>
    ) throws(ReductionError) -> Int {
        try integer(name, standard: "\(standard)", in: range) ?? standard
    }

    /// A whole number in a range, or nil when nobody sets it; `standard` says what happens then.
    public mutating func integer(
        _ name: String, standard: String, in range: ClosedRange<Int>
    ) throws(ReductionError) -> Int? {
        try read(name, standard, "\(range.lowerBound) … \(range.upperBound)") { text in
            Int(text).flatMap { range.contains($0) ? $0 : nil }
        }
    }

    /// The first layer that reduces, or nil to let it scale with the depth of the model.
    public mutating func fromLayer() throws(ReductionError) -> Int? {
        try integer("from-layer", standard: "scaled", in: 0...999)
    }

    /// Reads the options of a part under names that begin with `part-`.
    public mutating func part<Part>(
        _ part: String, _ read: (inout MethodOptions) throws(ReductionError) -> Part
    ) throws(ReductionError) -> Part {
        let outer = prefix
        prefix += part + "-"
        defer { prefix = outer }
        return try read(&self)
    }

    private mutating func read<Value>(
        _ name: String, _ standard: String, _ allowed: String, _ parse: (String) -> Value?
    ) throws(ReductionError) -> Value? {
        let name = prefix + name
        guard let text = given[name] else {
            declared.append(MethodOption(name: name, value: standard, standard: standard, allowed: allowed))
            return nil
        }
        guard let value = parse(text) else {
            let guess = text.guess(among: allowed.split(separator: "|").map(String.init))
            throw ReductionError(.badOption, "\(name)=\(text) is not possible\(guess): it may be \(allowed)")
        }
        declared.append(MethodOption(name: name, value: text, standard: standard, allowed: allowed))
        return value
    }

    func refuseUnknown(for method: String) throws(ReductionError) {
        let known = declared.map(\.name)
        guard let unknown = given.keys.filter({ !known.contains($0) }).min() else { return }
        let available = known.isEmpty ? "no options" : known.joined(separator: ", ")
        throw ReductionError(
            .unknownOption,
            "\(method) has no option \(unknown)\(unknown.guess(among: known)): it has \(available)")
    }
}
