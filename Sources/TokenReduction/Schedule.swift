/// In which layers a method reduces, and by how much in each.
///
/// From a first layer to the last layer that runs, the removals are split evenly, the larger ones first. The first
/// layer is the paper's for the paper's model and keeps its relative depth elsewhere:
/// `round(first / depth · layers)`, layers counted from 0.
public struct Schedule: Sendable, Hashable {
    /// The paper's first reducing layer, counted from 0, …
    public let firstLayer: Int
    /// … of this many layers that run.
    public let depth: Int
    /// The first layer when somebody set it, whatever the depth.
    public let fixedFirstLayer: Int?

    /// Every layer from `firstLayer` of `depth` on; `fixedFirstLayer` overrides the scaling.
    public init(from firstLayer: Int, of depth: Int, fixedFirstLayer: Int? = nil) {
        precondition(depth > 0 && (0..<depth).contains(firstLayer), "the first layer lies inside the paper's model")
        self.firstLayer = firstLayer
        self.depth = depth
        self.fixedFirstLayer = fixedFirstLayer
    }

    /// One phrase for the table of methods.
    public var summary: String {
        if let fixedFirstLayer { return "every layer from \(fixedFirstLayer)" }
        return "every layer from \(firstLayer) of \(depth)"
    }

    /// The first reducing layer of a model with `layers` layers.
    public func firstLayer(ofLayers layers: Int) throws(ReductionError) -> Int {
        guard layers > 0 else { throw ReductionError(.badLayer, "a model without layers cannot reduce in one") }
        if let fixedFirstLayer {
            guard (0..<layers).contains(fixedFirstLayer) else {
                throw ReductionError(
                    .badLayer,
                    "the first reducing layer is \(fixedFirstLayer), but layers 0 to \(layers - 1) run: choose one of them"
                )
            }
            return fixedFirstLayer
        }
        let scaled = (Double(firstLayer) / Double(depth) * Double(layers)).rounded()
        return min(Int(scaled), layers - 1)
    }

    /// How many tokens each of `layers` layers gives up so that `count` tokens become `keep`.
    public func removals(from count: Int, to keep: Int, layers: Int) throws(ReductionError) -> [Int] {
        guard keep < count else { return [Int](repeating: 0, count: layers) }
        let first = try firstLayer(ofLayers: layers)
        let (each, rest) = (count - keep).quotientAndRemainder(dividingBy: layers - first)
        return (0..<layers).map { layer in
            layer < first ? 0 : each + (layer - first < rest ? 1 : 0)
        }
    }
}
