import Glibc

/// In which layers a method reduces, at what point of them, and by how much in each.
///
/// A layer is the paper's for the paper's model and keeps its relative depth elsewhere: `round(layer / depth · layers)`,
/// layers counted from 0.
public struct Schedule: Sendable, Hashable {
    /// At what point of its layers.
    public let moment: Moment
    private let pattern: Pattern

    private enum Pattern: Sendable, Hashable {
        /// From a first layer to the last one that runs, evenly, the larger removals first.
        case every(from: Int, of: Int, fixed: Int?)
        /// In these layers, the same share of what is left staying in each.
        case shares(at: [Int], of: Int)
        /// In these layers whatever the depth, the same share of what is left staying in each.
        case exactly([Int])
        /// Everything in the layer before this one.
        case before(Int)
        /// Everything in the last layer that runs.
        case last
    }

    private init(_ moment: Moment, _ pattern: Pattern) {
        self.moment = moment
        self.pattern = pattern
    }

    /// Every layer from `firstLayer` of `depth` on, removals split evenly; `fixedFirstLayer` overrides the scaling.
    public init(from firstLayer: Int, of depth: Int, fixedFirstLayer: Int? = nil) {
        precondition(depth > 0 && (0..<depth).contains(firstLayer), "the first layer lies inside the paper's model")
        self.init(.afterAttention, .every(from: firstLayer, of: depth, fixed: fixedFirstLayer))
    }

    /// `layers` of `depth`, ascending; each keeps the same share of what enters it.
    public init(at layers: [Int], of depth: Int) {
        precondition(!layers.isEmpty && layers.allSatisfy((0..<depth).contains), "layers inside the paper's model")
        self.init(.afterAttention, .shares(at: layers, of: depth))
    }

    /// Once, before layer `layer` begins, whatever the depth; in models of fewer layers before their last.
    public static func before(_ layer: Int) -> Schedule { Schedule(.afterLayer, .before(layer)) }

    /// Once, after the last layer that runs.
    public static let afterLast = Schedule(.afterLayer, .last)

    /// A schedule as it is written in options: `after-last`, `before:K`, `at:K,L,…` or `from:K`; nil where it is not one.
    init?(parsing text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        let layers = parts.count == 2 ? parts[1].split(separator: ",").map { Int($0) } : []
        let chosen = layers.compactMap { $0.flatMap { (0...999).contains($0) ? $0 : nil } }
        guard chosen.count == layers.count else { return nil }
        switch (parts[0], chosen.count) {
        case ("after-last", 0) where parts.count == 1: self = .afterLast
        case ("before", 1) where chosen[0] > 0: self = .before(chosen[0])
        case ("from", 1): self.init(.afterAttention, .every(from: 0, of: 1, fixed: chosen[0]))
        case ("at", 1...) where zip(chosen, chosen.dropFirst()).allSatisfy(<):
            self.init(.afterAttention, .exactly(chosen))
        default: return nil
        }
    }

    /// One phrase for the table of methods.
    public var summary: String {
        switch pattern {
        case .every(_, _, let fixed?): "every layer from \(fixed)"
        case .every(let first, let depth, nil): "every layer from \(first) of \(depth)"
        case .shares(let layers, let depth): "layers \(layers.map(String.init).joined(separator: ", ")) of \(depth)"
        case .exactly(let layers): "layers \(layers.map(String.init).joined(separator: ", "))"
        case .before(let layer): "once, before layer \(layer)"
        case .last: "once, after the last layer"
        }
    }

    /// The first reducing layer of a model with `layers` layers.
    public func firstLayer(ofLayers layers: Int) throws(ReductionError) -> Int {
        guard layers > 0 else { throw ReductionError(.badLayer, "a model without layers cannot reduce in one") }
        switch pattern {
        case .every(let first, let depth, let fixed):
            guard let fixed else { return Self.scaled(first, of: depth, to: layers) }
            guard (0..<layers).contains(fixed) else {
                throw ReductionError(
                    .badLayer,
                    "the first reducing layer is \(fixed), but layers 0 to \(layers - 1) run: choose one of them")
            }
            return fixed
        case .shares(let chosen, let depth): return Self.scaled(chosen[0], of: depth, to: layers)
        case .exactly(let chosen):
            guard let last = chosen.last, last < layers else {
                throw ReductionError(
                    .badLayer, "layers \(chosen) were to reduce, but layers 0 to \(layers - 1) run: choose among them")
            }
            return chosen[0]
        case .before(let layer):
            guard layers > 1 else {
                throw ReductionError(.badLayer, "a model of one layer has none to reduce before: it needs two or more")
            }
            return min(max(layer, 1), layers - 1) - 1
        case .last: return layers - 1
        }
    }

    /// How many tokens each of `layers` layers gives up so that `count` tokens become `keep`.
    public func removals(from count: Int, to keep: Int, layers: Int) throws(ReductionError) -> [Int] {
        var removals = [Int](repeating: 0, count: layers)
        guard keep < count else { return removals }
        let first = try firstLayer(ofLayers: layers)
        switch pattern {
        case .every:
            let (each, rest) = (count - keep).quotientAndRemainder(dividingBy: layers - first)
            for layer in first..<layers { removals[layer] = each + (layer - first < rest ? 1 : 0) }
        case .shares(let chosen, let depth):
            let scaled = chosen.map { Self.scaled($0, of: depth, to: layers) }
            Self.split(count, keep, over: scaled, into: &removals)
        case .exactly(let chosen): Self.split(count, keep, over: chosen, into: &removals)
        case .before, .last: removals[first] = count - keep
        }
        return removals
    }

    /// Each of `chosen` keeps the same share of what enters it.
    private static func split(_ count: Int, _ keep: Int, over chosen: [Int], into removals: inout [Int]) {
        var left = count
        for (step, layer) in chosen.enumerated() {
            // N · (keep / N)^(step / steps), rounded: exact at the end, whatever the rounding before.
            let share = Double(step + 1) / Double(chosen.count)
            let next = Int((Double(count) * pow(Double(keep) / Double(count), share)).rounded())
            removals[layer] += left - next
            left = next
        }
    }

    private static func scaled(_ layer: Int, of depth: Int, to layers: Int) -> Int {
        min(Int((Double(layer) / Double(depth) * Double(layers)).rounded()), layers - 1)
    }
}
