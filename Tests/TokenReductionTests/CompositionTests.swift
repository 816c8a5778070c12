import JobVocabulary
import Tensors
import Testing
import TokenReduction

@Suite("Methods put together from stages by name")
struct CompositionTests {
    /// Every filter with every correlation and compressor, in each place.
    private static let all: [[String: String]] = ReductionPlace.allCases.flatMap { place in
        StageCatalogue.filters.flatMap { filter in
            StageCatalogue.correlations.flatMap { correlate in
                StageCatalogue.compressors.map { compress in
                    [
                        "place": place.rawValue, "filter": filter.name, "correlate": correlate.name,
                        "compress": compress.name,
                    ]
                }
            }
        }
    }

    @Test("what is not refused works: exactly n go, nothing becomes NaN, and every source's shares are 1 or 0")
    func everything() throws {
        var (legal, refused) = (0, 0)
        for options in Self.all {
            let trial = Trial(
                method: "composed", options: options,
                place: ReductionPlace(rawValue: options["place"] ?? "") ?? .visionEncoder,
                tokens: 36, removal: 14, seed: 1, precision: .float64)
            do {
                let stages = try trial.stages()
                let hidden = trial.hidden()
                let step = try stages.reduce(trial.view(), hidden: hidden, removing: trial.removal)
                #expect(step.pruned.count == trial.removal, "\(options)")
                #expect(hidden.doubles.allSatisfy { $0.isFinite }, "\(options)")
                for source in step.pruned {
                    let edges = step.merges.filter { $0.source == source }
                    #expect(edges.isEmpty || abs(edges.reduce(0) { $0 + $1.weight } - 1) < 1e-12, "\(options)")
                }
                legal += 1
            } catch let error as ReductionError {
                #expect(error.code == .illegalCombination, "\(options): \(error)")
                #expect(error.message.contains(": "), "\(error)")
                refused += 1
            }
        }
        #expect(legal > 60)
        #expect(refused > legal)
    }

    @Test("the published methods come out of the same stages")
    func published() throws {
        for (name, options) in [
            ("fastervlm", [:]),
            ("divprune", ["place": "projector", "filter": "max-min-diversity"]),
            ("average-pool", ["filter": "even-cells", "correlate": "partner", "compress": "size-weighted"]),
            (
                "visionzip",
                ["correlate": "contextual-targets", "compress": "target-plus-mean", "order": "fused-last"]
            ),
            (
                "tome",
                [
                    "filter": "bipartite-match", "correlate": "partner", "compress": "size-weighted",
                    "schedule": "from:0", "order": "alternating", "attention": "proportional",
                ]
            ),
            ("fastv", ["place": "decoder", "schedule": "before:2"]),
        ] as [(String, [String: String])] {
            let own = try MethodCatalogue.method(named: name)
            let composed = try MethodCatalogue.method(named: "composed", options: options)
            #expect(own.places == composed.places)
            let place = try #require(own.places.first)
            let trial = Trial(
                method: name, options: [:], place: place, tokens: 49, removal: 20, seed: 3, precision: .float64)
            let (first, second) = (trial.hidden(), trial.hidden())
            let one = try #require(own.stages(in: place))
            let two = try #require(composed.stages(in: place))
            #expect(
                try one.reduce(trial.view(), hidden: first, removing: 20)
                    == two.reduce(trial.view(), hidden: second, removing: 20), "\(name)")
            #expect(first.doubles == second.doubles)
            #expect(one.schedule.moment == two.schedule.moment)
            #expect(one.proportionalAttention == two.proportionalAttention)
            #expect(
                try one.schedule.removals(from: 576, to: 192, layers: 23)
                    == two.schedule.removals(from: 576, to: 192, layers: 23))
        }
    }

    @Test(
        "what does not fit together is refused with the reason and who would fit",
        arguments: [
            (["filter": "observer-attention", "correlate": "partner", "compress": "size-weighted"], "bipartite-match"),
            (
                ["filter": "bipartite-match", "correlate": "one-token", "compress": "size-weighted"],
                "observer-attention"
            ),
            (["correlate": "one-token"], "compressor that merges"),
            (["compress": "self-preserving"], "nothing to merge"),
            (
                [
                    "place": "projector", "filter": "bipartite-match", "correlate": "partner",
                    "compress": "size-weighted",
                ], "attention or keys"
            ),
            (["filter": "upcoming-attention", "schedule": "at:3"], "a whole layer leaves"),
            (["filter": "rater-attention"], "works in the decoder"),
            (["positions": "renumbered"], "numbers its rows"),
            (["filter": "task-redundancy"], "works in the decoder"),
            (["filter": "vision-redundancy", "place": "decoder"], "works in the encoder"),
            (
                [
                    "filter": "vision-redundancy", "filter-scores": "probabilities", "correlate": "direct-attention",
                    "compress": "self-preserving",
                ], "same scores"
            ),
            (["place": "decoder", "attention": "proportional", "schedule": "before:2"], "vision tower only"),
        ] as [([String: String], String)])
    func refusals(options: [String: String], reason: String) throws {
        let error = try #require(throws: ReductionError.self) {
            try MethodCatalogue.method(named: "composed", options: options)
        }
        #expect(error.code == .illegalCombination)
        #expect(error.message.contains(reason), "\(error)")
    }

    @Test(
        "a schedule that is none is refused",
        arguments: [
            "", "before", "before:0", "at:3,3", "at:a", "from:1,2", "x:1", "at:3=0", "at:3=5,4", "at:3=5,4=6",
            "from:3=5",
            "before:2=", "at:", "after-last:1",
        ])
    func schedules(text: String) throws {
        let error = try #require(throws: ReductionError.self) {
            try MethodCatalogue.method(named: "composed", options: ["schedule": text])
        }
        #expect(error.code == .badOption)
    }

    @Test("schedules say where tokens go")
    func places() throws {
        let model = ModelDepth(visionLayers: 23, languageLayers: 32, visualTokens: 576)
        func removals(_ schedule: String, _ place: ReductionPlace) throws -> [Int: Int] {
            let plan = try ReductionPlan(
                method: "composed", keep: 144, options: ["schedule": schedule, "place": place.rawValue], model: model)
            let counts = plan.removals(in: place).enumerated().filter { $0.element > 0 }
            return Dictionary(uniqueKeysWithValues: counts.map { ($0.offset, $0.element) })
        }
        #expect(try removals("after-last", .visionEncoder) == [22: 432])
        #expect(try removals("before:2", .languageModel) == [1: 432])
        #expect(try removals("at:8,16", .languageModel) == [8: 288, 16: 144])
        #expect(try removals("before:8,16", .languageModel) == [7: 288, 15: 144])
        #expect(try removals("before:3=300,7=200,16=144", .languageModel) == [2: 276, 6: 100, 15: 56])
        #expect(try removals("at:8=300,16=144", .languageModel) == [8: 276, 16: 156])
        let contradiction = #expect(throws: ReductionError.self) { try removals("before:3=300,7=200", .languageModel) }
        #expect(contradiction?.code == .badBudget)
        #expect(try removals("from:21", .visionEncoder) == [21: 216, 22: 216])
        #expect(throws: ReductionError.self) { try removals("at:40", .languageModel) }
        #expect(throws: ReductionError.self) { try removals("after-last", .languageModel) }
    }
}
