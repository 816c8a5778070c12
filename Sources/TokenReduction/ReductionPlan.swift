public import JobVocabulary

/// How deep a model is and how many visual tokens it starts with.
public struct ModelDepth: Sendable, Hashable {
    /// Layers of the vision tower that run: 23 of CLIP ViT-L's 24 when features are those of the last but one.
    public let visionLayers: Int
    /// Layers of the language model.
    public let languageLayers: Int
    /// Visual tokens of one tile, 576 for 24 x 24 patches; LLaVA-1.5 takes every picture as one tile.
    public let visualTokens: Int

    /// The given numbers of layers and tokens.
    public init(visionLayers: Int, languageLayers: Int, visualTokens: Int) {
        self.visionLayers = visionLayers
        self.languageLayers = languageLayers
        self.visualTokens = visualTokens
    }

    func layers(in place: ReductionPlace) -> Int {
        switch place {
        case .visionEncoder: visionLayers
        case .projector: 1
        case .languageModel: languageLayers
        }
    }
}

/// A method resolved against a model and a budget: how many tokens each layer gives up.
public struct ReductionPlan: Sendable {
    /// What reduces.
    public let method: ReductionMethod
    /// What is reduced.
    public let model: ModelDepth
    /// Visual tokens left at the end of the last place that reduces; until a picture has settled it, the most that may be.
    public let keep: Int
    /// Whether the picture has yet to settle how many tokens stay.
    public let isOpen: Bool
    private let removals: [ReductionPlace: [Int]]
    /// Visual tokens that leave the projector and do not enter the language model: they show padding alone.
    private var leftOut = 0

    /// A plan by the method's name, as a job asks for it.
    ///
    /// `keep` counts for each tile of a picture. If it is nil, or all visual tokens, nothing is removed; more than there are is
    /// an error, for the number asked for is the number delivered. `fromLayer` is the method's option `from-layer` under
    /// another name.
    public init(
        method name: String, keep: Int?, fromLayer: Int? = nil, options: [String: String] = [:], model: ModelDepth
    ) throws(ReductionError) {
        var options = options
        if let fromLayer {
            guard options["from-layer"] == nil || options["from-layer"] == "\(fromLayer)" else {
                throw ReductionError(.badOption, "the first reducing layer is given twice: leave out from-layer")
            }
            options["from-layer"] = "\(fromLayer)"
        }
        try self.init(method: MethodCatalogue.method(named: name, options: options), keep: keep, model: model)
    }

    /// A plan for a method at hand.
    public init(method: ReductionMethod, keep: Int?, model: ModelDepth) throws(ReductionError) {
        try self.init(method: method, keep: keep, model: model, isSettled: false)
    }

    /// The plan of a sequence that holds what tower and projector left of several tiles: each tile's budget counts, and the
    /// language model gives up tokens of all of them together. Of no tiles there is nothing to give up.
    ///
    /// `plan` is the one that every tile began with. `leftOut` tokens do not enter the language model though nothing
    /// reduced them; the budget is at most what does.
    init(joining tiles: [ReductionPlan], of plan: ReductionPlan, leavingOut leftOut: Int) throws(ReductionError) {
        guard tiles.count != 1 || leftOut > 0 else {
            self = tiles[0]
            return
        }
        method = plan.method
        model = ModelDepth(
            visionLayers: plan.model.visionLayers, languageLayers: plan.model.languageLayers,
            visualTokens: tiles.reduce(0) { $0 + $1.model.visualTokens })
        self.leftOut = leftOut
        let entering = tiles.reduce(0) { $0 + $1.delivered } - leftOut
        keep = min(tiles.reduce(0) { $0 + $1.keep }, entering)
        isOpen = tiles.contains(where: \.isOpen)
        var removals: [ReductionPlace: [Int]] = [:]
        for place in [ReductionPlace.visionEncoder, .projector] {
            removals[place] = (0..<model.layers(in: place)).map { layer in
                tiles.reduce(0) { $0 + $1.removal(in: place, layer: layer) }
            }
        }
        if let stages = method.decoder, keep < entering {
            removals[.languageModel] = try Self.removals(
                stages, in: .languageModel, from: entering, to: keep, layers: model.languageLayers, tiles: tiles.count)
        }
        self.removals = removals
        try checkSteps()
    }

    /// The plan of a sequence about pictures of `tiles` tiles in all, each under this plan; `leftOut` of their tokens show
    /// padding alone and do not enter the language model.
    public func joined(tiles: Int, leavingOut leftOut: Int = 0) throws(ReductionError) -> ReductionPlan {
        try ReductionPlan(
            joining: [ReductionPlan](repeating: self, count: tiles), of: self, leavingOut: leftOut)
    }

    /// This plan once its tile has said that it keeps `count` tokens, at most as many as were allowed.
    func settled(at count: Int) throws(ReductionError) -> ReductionPlan {
        try ReductionPlan(method: method, keep: min(count, keep), model: model, isSettled: true)
    }

    private init(
        method: ReductionMethod, keep: Int?, model: ModelDepth, isSettled: Bool
    ) throws(ReductionError) {
        guard (1...PatchGrid.mostTokens).contains(model.visualTokens) else {
            throw ReductionError(.badBudget, "a model with \(model.visualTokens) visual tokens cannot be reduced")
        }
        let total = model.visualTokens
        let keep = keep ?? total
        guard keep <= total else {
            throw ReductionError(
                .badBudget,
                "cannot keep \(keep) visual tokens: a picture, or each tile of one, has \(total) of them here; keep at most \(total)"
            )
        }
        guard keep >= 1 else {
            throw ReductionError(.badBudget, "cannot keep \(keep) visual tokens: keep at least 1 of \(total)")
        }
        guard keep == total || !method.places.isEmpty else {
            throw ReductionError(
                .badBudget, "\(method.name) keeps all \(total) visual tokens: leave out keep, or choose a method")
        }
        let settled = method.budget == .final ? keep : try Self.final(method, average: keep, model)
        removals = try Self.removals(method, keep: settled, model)
        self.method = method
        self.model = model
        self.keep = settled
        isOpen = !isSettled && method.places.contains { method.stages(in: $0)?.isAdaptive == true }
        try checkSteps()
    }

    /// Throws if more layers reduce than a trace can tell apart.
    private func checkSteps() throws(ReductionError) {
        let steps = removals.values.joined().count { $0 > 0 }
        guard steps < Int(UInt8.max) else {
            throw ReductionError(.badLayer, "\(steps) reducing layers are too many to record: start later, at most 254")
        }
    }

    private static func removals(
        _ method: ReductionMethod, keep: Int, _ model: ModelDepth
    ) throws(ReductionError) -> [ReductionPlace: [Int]] {
        var removals: [ReductionPlace: [Int]] = [:]
        var entering = model.visualTokens
        for place in method.places {
            guard let stages = method.stages(in: place) else { continue }
            try stages.check(in: place)
            let leaving =
                place == method.places.last ? keep : try method.encoderBudget.tokens(from: entering, to: keep)
            let counts = try Self.removals(
                stages, in: place, from: entering, to: leaving, layers: model.layers(in: place))
            entering -= counts.reduce(0, +)
            removals[place] = counts
        }
        return removals
    }

    /// How many tokens each layer of `place` gives up, so that of those `entering` the right number leaves it.
    private static func removals(
        _ stages: Stages, in place: ReductionPlace, from entering: Int, to leaving: Int, layers: Int, tiles: Int = 1
    ) throws(ReductionError) -> [Int] {
        let counts = try stages.schedule.removals(from: entering, to: leaving, layers: layers, tiles: tiles)
        var left = entering
        for (layer, count) in counts.enumerated() where count > 0 {
            let most = stages.filter.mostRemovable(of: left)
            guard count <= most else {
                throw ReductionError(
                    .badBudget,
                    "layer \(layer) of the \(place.rawValue) would give up \(count) of \(left) visual tokens, "
                        + "and \(stages.filter.summary) can give up \(most) at once: keep more")
            }
            // Behind the last layer of the language model nothing visual is left to reduce.
            guard place != .languageModel || stages.schedule.moment != .afterLayer || layer + 1 < layers else {
                throw ReductionError(.badLayer, "nothing reads visual tokens after layer \(layer): reduce earlier")
            }
            left -= count
        }
        return counts
    }

    /// The number left at the end for which the mean over the language model's layers comes nearest to `average`.
    private static func final(
        _ method: ReductionMethod, average: Int, _ model: ModelDepth
    ) throws(ReductionError) -> Int {
        guard method.decoder != nil, model.languageLayers > 0 else {
            throw ReductionError(
                .badBudget, "\(method.name) does not reduce in the language model: leave out budget=average")
        }
        func mean(_ keep: Int) throws(ReductionError) -> Double {
            let removals = try removals(method, keep: keep, model)
            var left = model.visualTokens - removals.filter { $0.key != .languageModel }.values.joined().reduce(0, +)
            var sum = 0
            for count in removals[.languageModel] ?? [] {
                sum += left
                left -= count
            }
            return Double(sum) / Double(model.languageLayers)
        }
        let target = Double(average)
        guard try mean(1) <= target else {
            let least = Int(try mean(1).rounded(.up))
            throw ReductionError(
                .badBudget,
                "the layers before the reduction alone see more than \(average) visual tokens on average: keep \(least) "
                    + "or more, or reduce earlier")
        }
        // The mean grows with what is left: find the last number at or below the target, then the nearer neighbour.
        var (low, high) = (1, model.visualTokens)
        while low < high {
            let middle = (low + high + 1) / 2
            if try mean(middle) <= target { low = middle } else { high = middle - 1 }
        }
        let next = min(low + 1, model.visualTokens)
        return try target - mean(low) <= mean(next) - target ? low : next
    }

    /// Tokens that each layer of `place` gives up.
    public func removals(in place: ReductionPlace) -> [Int] {
        removals[place] ?? [Int](repeating: 0, count: model.layers(in: place))
    }

    /// Whether any layer of `place` gives up tokens.
    public func reduces(in place: ReductionPlace) -> Bool { removals[place]?.contains { $0 > 0 } ?? false }

    /// Whether tokens are given up before the language model, or a picture is asked there how many stay.
    public var reducesBeforeLanguageModel: Bool {
        [ReductionPlace.visionEncoder, .projector].contains { place in
            (0..<model.layers(in: place)).contains { reduces(in: place, layer: $0) }
        }
    }

    /// Whether layer `layer` of `place` asks its picture how many tokens stay.
    public func settles(in place: ReductionPlace, layer: Int) -> Bool {
        guard isOpen, let stages = method.stages(in: place), stages.isAdaptive else { return false }
        return (try? stages.schedule.firstLayer(ofLayers: model.layers(in: place))) == layer
    }

    /// Whether layer `layer` of `place` gives up tokens, or asks its picture whether to; at `moment` only, if one is given.
    public func reduces(in place: ReductionPlace, layer: Int, at moment: Moment? = nil) -> Bool {
        (removal(in: place, layer: layer) > 0 || settles(in: place, layer: layer))
            && (moment == nil || moment == method.stages(in: place)?.schedule.moment)
    }

    /// What layer `layer` of `place` must offer to what reduces there; empty if nothing looks at it.
    func needs(place: ReductionPlace, layer: Int) -> EvidenceNeeds {
        guard let stages = method.stages(in: place) else { return [] }
        var needs = reduces(in: place, layer: layer) ? stages.needs : []
        let ahead = stages.filter.layersOfHistory
        if ahead > 0, (layer + 1...layer + ahead).contains(where: { reduces(in: place, layer: $0) }) {
            needs.formUnion(.attentionProbabilities)
        }
        return needs
    }

    /// How many layers of `place` come before the first one whose rows a reduction changes or looks at: what they compute
    /// of a row depends on nothing behind it, as without any reduction.
    public func undisturbedLayers(of place: ReductionPlace) -> Int {
        let layers = model.layers(in: place)
        guard let first = (0..<layers).first(where: { reduces(in: place, layer: $0) }),
            let stages = method.stages(in: place)
        else { return layers }
        return max(0, first - stages.filter.layersOfHistory)
    }

    /// Whether tokens that stay in `place` take something in of those that go.
    public func merges(in place: ReductionPlace) -> Bool { method.stages(in: place)?.compress.merges ?? false }

    /// Tokens that one layer gives up.
    public func removal(in place: ReductionPlace, layer: Int) -> Int {
        let removals = removals(in: place)
        return removals.indices.contains(layer) ? removals[layer] : 0
    }

    /// Visual tokens that enter layer `layer` of `place`; one past the last layer, those that leave the place.
    public func tokens(entering layer: Int, of place: ReductionPlace) -> Int {
        let before = ReductionPlace.allCases.prefix { $0 != place }.flatMap { removals(in: $0) }.reduce(0, +)
        let present = model.visualTokens - (place == .languageModel ? leftOut : 0)
        return present - before - removals(in: place).prefix(max(layer, 0)).reduce(0, +)
    }

    /// Visual tokens that enter the language model.
    public var delivered: Int { tokens(entering: 0, of: .languageModel) }
}
