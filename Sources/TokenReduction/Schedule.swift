import Glibc

/// In which layers a method reduces, at what point of them, and by how much in each.
///
/// A layer is the paper's for the paper's model and keeps its relative depth elsewhere: `round(layer / depth · layers)`,
/// layers counted from 0.
public struct Schedule: Sendable, Hashable {
    /// The point within a layer at which it reduces.
    public let moment: Moment
    private let pattern: Pattern

    private enum Pattern: Sendable, Hashable {
        /// From a first layer to the last one that runs, evenly, the larger removals first.
        case every(from: Int, of: Int, fixed: Int?)
        /// In these layers, the same share of what is left staying in each.
        case shares(at: [Int], of: Int)
        /// In these layers whatever the depth: the same share of what is left staying in each, or as many as `left`
        /// says.
        case exactly([Int], left: [Int]?)
        /// Before these layers of a model `of` layers deep, the same share of what is left staying in each; before the
        /// very layer where `of` is nil.
        case before([Int], of: Int?)
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
    public static func before(_ layer: Int) -> Schedule { Schedule(.afterLayer, .before([layer], of: nil)) }

    /// Before each of `layers` of `depth` begins, ascending; the same share of what enters it stays in each.
    public init(before layers: [Int], of depth: Int) {
        precondition(!layers.isEmpty && layers.allSatisfy((1..<depth).contains), "layers inside the paper's model")
        self.init(.afterLayer, .before(layers, of: depth))
    }

    /// Once, after the last layer that runs.
    public static let afterLast = Schedule(.afterLayer, .last)

    /// A schedule as it is written in options (see ``MethodOptions/schedule(default:)``); nil where it is not one.
    init?(parsing text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        if parts == ["after-last"] {
            self = .afterLast
            return
        }
        guard parts.count == 2, let points = Self.points(parts[1]) else { return nil }
        let layers = points.map(\.layer), left = points.compactMap(\.left)
        let counts = left.count == layers.count ? left : nil
        switch (parts[0], layers.count) {
        case ("from", 1) where counts == nil: self.init(.afterAttention, .every(from: 0, of: 1, fixed: layers[0]))
        case ("before", 1) where layers[0] > 0 && counts == nil: self = .before(layers[0])
        case ("before", _) where layers[0] > 0:
            self.init(.afterLayer, .exactly(layers.map { $0 - 1 }, left: counts))
        case ("at", _): self.init(.afterAttention, .exactly(layers, left: counts))
        default: return nil
        }
    }

    /// Layers, ascending, with the number that each leaves, falling, if all have one: `8,16` or `8=300,16=200`.
    private static func points(_ text: Substring) -> [(layer: Int, left: Int?)]? {
        var points: [(layer: Int, left: Int?)] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let numbers = part.split(separator: "=", omittingEmptySubsequences: false).map { Int($0) ?? -1 }
            guard (0...999).contains(numbers[0]), numbers.count == 1 || numbers.count == 2 && numbers[1] > 0 else {
                return nil
            }
            let point = (layer: numbers[0], left: numbers.count == 2 ? numbers[1] : nil)
            if let last = points.last {
                guard last.layer < point.layer, (last.left == nil) == (point.left == nil),
                    last.left ?? 1 >= point.left ?? 1
                else { return nil }
            }
            points.append(point)
        }
        return points
    }

    /// One phrase for the table of methods.
    public var summary: String {
        switch pattern {
        case .every(_, _, let fixed?): "every layer from \(fixed)"
        case .every(let first, let depth, nil): "every layer from \(first) of \(depth)"
        case .shares(let layers, let depth): "layers \(layers.map(String.init).joined(separator: ", ")) of \(depth)"
        case .exactly(let layers, let left):
            (moment == .afterLayer ? "after layers " : "layers ")
                + layers.map(String.init).joined(separator: ", ")
                + (left.map { ", leaving \($0.map(String.init).joined(separator: ", "))" } ?? "")
        case .before(let layers, let depth?):
            "before layers \(layers.map(String.init).joined(separator: ", ")) of \(depth)"
        case .before(let layers, nil): "once, before layer \(layers[0])"
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
        case .exactly(let chosen, _):
            guard let last = chosen.last, last < layers else {
                throw ReductionError(
                    .badLayer, "layers \(chosen) were to reduce, but layers 0 to \(layers - 1) run: choose among them")
            }
            return chosen[0]
        case .before(let chosen, let depth):
            guard layers > 1 else {
                throw ReductionError(.badLayer, "a model of one layer has none to reduce before: it needs two or more")
            }
            return Self.before(chosen[0], of: depth, layers: layers)
        case .last: return layers - 1
        }
    }

    /// How many tokens each of `layers` layers gives up so that `count` tokens become `keep`; of `tiles` tiles together,
    /// for each of which the schedule's own numbers count.
    public func removals(
        from count: Int, to keep: Int, layers: Int, tiles: Int = 1
    ) throws(ReductionError) -> [Int] {
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
        case .exactly(let chosen, nil): Self.split(count, keep, over: chosen, into: &removals)
        case .exactly(let chosen, let left?):
            let left = left.map { $0 * tiles }
            guard left.last == keep else {
                throw ReductionError(
                    .badBudget,
                    "the schedule leaves \(left.last ?? 0) visual tokens, and \(keep) are to be kept: say the same twice"
                )
            }
            var entering = count
            for (layer, left) in zip(chosen, left) where left < entering {
                removals[layer] = entering - left
                entering = left
            }
        case .before(let chosen, let depth):
            Self.split(count, keep, over: chosen.map { Self.before($0, of: depth, layers: layers) }, into: &removals)
        case .last: removals[first] = count - keep
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

    /// The layer after which a reduction before `layer` happens; at the earliest after the first, at the latest before
    /// the last.
    private static func before(_ layer: Int, of depth: Int?, layers: Int) -> Int {
        min(max(depth.map { scaled(layer, of: $0, to: layers) } ?? layer, 1), layers - 1) - 1
    }

    private static func scaled(_ layer: Int, of depth: Int, to layers: Int) -> Int {
        min(Int((Double(layer) / Double(depth) * Double(layers)).rounded()), layers - 1)
    }
}
