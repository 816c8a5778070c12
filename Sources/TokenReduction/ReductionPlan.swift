/// How deep a model is and how many visual tokens it starts with.
public struct ModelDepth: Sendable, Hashable {
    /// Layers of the vision tower that run: 23 of CLIP ViT-L's 24 when features are those of the last but one.
    public let visionLayers: Int
    /// Layers of the language model.
    public let languageLayers: Int
    /// Visual tokens of one image, 576 for 24 x 24 patches.
    public let visualTokens: Int

    /// The given numbers of layers and tokens.
    public init(visionLayers: Int, languageLayers: Int, visualTokens: Int) {
        self.visionLayers = visionLayers
        self.languageLayers = languageLayers
        self.visualTokens = visualTokens
    }

    func layers(in place: Place) -> Int {
        switch place {
        case .visionEncoder: visionLayers
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
    /// Visual tokens left at the end of the last place that reduces.
    public let keep: Int
    private let removals: [Place: [Int]]

    /// A plan by the method's name, as a job asks for it.
    ///
    /// `keep` at or above the number of visual tokens, or nil, means that nothing is removed. `fromLayer` is the
    /// method's option `from-layer` under another name.
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
        guard (1...PatchGrid.mostTokens).contains(model.visualTokens) else {
            throw ReductionError(.badBudget, "a model with \(model.visualTokens) visual tokens cannot be reduced")
        }
        let total = model.visualTokens
        let keep = min(keep ?? total, total)
        guard keep >= 1 else {
            throw ReductionError(.badBudget, "cannot keep \(keep) visual tokens: keep at least 1 of \(total)")
        }
        guard keep == total || !method.places.isEmpty else {
            throw ReductionError(
                .badBudget, "\(method.name) keeps all \(total) visual tokens: leave out keep, or choose a method")
        }
        let between =
            switch (method.encoder, method.decoder) {
            case (.some, .some): try method.encoderBudget.tokens(from: total, to: keep)
            case (.some, nil): keep
            case (nil, _): total
            }
        var removals: [Place: [Int]] = [:]
        for place in method.places {
            guard let schedule = method.stages(in: place)?.schedule else { continue }
            let (entering, leaving) = place == .visionEncoder ? (total, between) : (between, keep)
            removals[place] = try schedule.removals(from: entering, to: leaving, layers: model.layers(in: place))
        }
        let steps = removals.values.joined().count { $0 > 0 }
        guard steps < Int(UInt8.max) else {
            throw ReductionError(.badLayer, "\(steps) reducing layers are too many to record: start later, at most 254")
        }
        self.method = method
        self.model = model
        self.keep = keep
        self.removals = removals
    }

    /// Tokens that each layer of `place` gives up.
    public func removals(in place: Place) -> [Int] {
        removals[place] ?? [Int](repeating: 0, count: model.layers(in: place))
    }

    /// Whether any layer of `place` gives up tokens.
    public func reduces(in place: Place) -> Bool { removals[place]?.contains { $0 > 0 } ?? false }

    /// Tokens that one layer gives up.
    public func removal(in place: Place, layer: Int) -> Int {
        let removals = removals(in: place)
        return removals.indices.contains(layer) ? removals[layer] : 0
    }

    /// Visual tokens that enter layer `layer` of `place`; one past the last layer, those that leave the place.
    public func tokens(entering layer: Int, of place: Place) -> Int {
        let before = place == .visionEncoder ? 0 : removals(in: .visionEncoder).reduce(0, +)
        return model.visualTokens - before - removals(in: place).prefix(max(layer, 0)).reduce(0, +)
    }

    /// Visual tokens that leave the encoder for the decoder.
    public var delivered: Int { tokens(entering: 0, of: .languageModel) }
}
