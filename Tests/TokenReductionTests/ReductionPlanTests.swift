import JobVocabulary
import Testing
import TokenReduction

@Suite("Plans")
struct ReductionPlanTests {
    private let llava7B = ModelDepth(visionLayers: 23, languageLayers: 32, visualTokens: 576)

    @Test("a schedule's own numbers count for each tile")
    func scheduleOfTiles() throws {
        let plan = try ReductionPlan(
            method: "pyramiddrop", keep: 4, options: ["schedule": "before:2=9,4=4"],
            model: ModelDepth(visionLayers: 5, languageLayers: 6, visualTokens: 16))
        #expect(plan.removals(in: .languageModel) == [0, 7, 0, 5, 0, 0])
        #expect(try plan.joined(tiles: 3).removals(in: .languageModel) == [0, 21, 0, 15, 0, 0])
        // Of 48 tokens 24 show padding alone.
        #expect(try plan.joined(tiles: 3, leavingOut: 24).removals(in: .languageModel) == [0, 0, 0, 12, 0, 0])
    }

    @Test(
        "FiCoCo-V reduces LLaVA-1.5 in layers 11 … 22, larger removals first",
        arguments: [
            (192, [(12, 32)]), (128, [(4, 38), (8, 37)]), (64, [(8, 43), (4, 42)]), (58, [(2, 44), (10, 43)]),
        ] as [(Int, [(Int, Int)])])
    func vision(keep: Int, runs: [(Int, Int)]) throws {
        let plan = try ReductionPlan(method: "ficoco-v", keep: keep, model: llava7B)
        let expected = [Int](repeating: 0, count: 11) + runs.flatMap { [Int](repeating: $0.1, count: $0.0) }
        #expect(plan.removals(in: .visionEncoder) == expected)
        #expect(plan.removals(in: .languageModel) == [Int](repeating: 0, count: 32))
        #expect(plan.delivered == keep)
        #expect(plan.tokens(entering: 12, of: .visionEncoder) == 576 - expected[11])
    }

    @Test("FiCoCo-L reduces from the 4th layer to the last")
    func language() throws {
        let plan = try ReductionPlan(method: "ficoco-l", keep: 64, model: llava7B)
        let removals = plan.removals(in: .languageModel)
        #expect(removals.prefix(3).allSatisfy { $0 == 0 })
        #expect(removals.dropFirst(3).allSatisfy { (17...18).contains($0) })
        #expect(removals == Array(removals.prefix(3)) + removals.dropFirst(3).sorted(by: >))
        #expect(plan.delivered == 576)
        #expect(plan.tokens(entering: 32, of: .languageModel) == 64)
    }

    @Test("FiCoCo-VL passes the geometric mean on, or what encoder-keep says")
    func both() throws {
        let plan = try ReductionPlan(method: "ficoco-vl", keep: 64, model: llava7B)
        #expect(plan.delivered == 192)
        #expect(plan.tokens(entering: 32, of: .languageModel) == 64)
        let fixed = try ReductionPlan(method: "ficoco-vl", keep: 64, options: ["encoder-keep": "100"], model: llava7B)
        #expect(fixed.delivered == 100)
        #expect(fixed.removals(in: .languageModel).reduce(0, +) == 36)
    }

    @Test("FastV drops before layer 2; an average budget counts the layers before", arguments: [192, 128, 64])
    func average(mean: Int) throws {
        let plan = try ReductionPlan(method: "fastv", keep: mean, options: ["budget": "average"], model: llava7B)
        // (2 · 576 + 30 k) / 32 is the mean: k = 166.4, 98.1, 29.9.
        let expected = [192: 166, 128: 98, 64: 30][mean]
        #expect(plan.keep == expected)
        #expect(plan.removals(in: .languageModel).prefix(3) == [0, 576 - (expected ?? 0), 0])
        #expect(try ReductionPlan(method: "fastv", keep: mean, model: llava7B).keep == mean)
    }

    @Test("every method inside the language model takes an average budget, met within one token")
    func averages() throws {
        for name in MethodCatalogue.all.map(\.name) where name != "ficoco-vl" {
            guard try MethodCatalogue.method(named: name).decoder != nil else { continue }
            let plan = try ReductionPlan(method: name, keep: 400, options: ["budget": "average"], model: llava7B)
            let sum = (0..<32).reduce(0) { $0 + plan.tokens(entering: $1, of: .languageModel) }
            #expect(abs(Double(sum) / 32 - 400) < 2, "\(name)")
        }
        let both = try ReductionPlan(
            method: "ficoco-vl", keep: 150, options: ["decoder-budget": "average"], model: llava7B)
        #expect(both.keep < 150)
    }

    @Test("an average that the layers before the reduction exceed is refused, and one where none counts")
    func impossibleAverage() throws {
        for (name, keep, options) in [
            ("fastv", 36, ["budget": "average"]), ("composed", 64, ["budget": "average"]),
        ] {
            let error = try #require(throws: ReductionError.self) {
                try ReductionPlan(method: name, keep: keep, options: options, model: llava7B)
            }
            #expect(error.code == .badBudget)
        }
    }

    @Test("ToMe spreads over all layers, and says where it cannot give up as many")
    func toMe() throws {
        let plan = try ReductionPlan(method: "tome", keep: 192, model: llava7B)
        #expect(
            plan.removals(in: .visionEncoder) == [Int](repeating: 17, count: 16) + [Int](repeating: 16, count: 7))
        let error = try #require(throws: ReductionError.self) {
            try ReductionPlan(method: "tome", keep: 64, fromLayer: 22, model: llava7B)
        }
        #expect(error.code == .badBudget)
        #expect(error.message.contains("288"))
    }

    @Test("EViT keeps the same share in three layers")
    func eViT() throws {
        let plan = try ReductionPlan(method: "evit", keep: 192, model: llava7B)
        let left = [6, 12, 18].map { plan.tokens(entering: $0 + 1, of: .visionEncoder) }
        #expect(left == [399, 277, 192])
    }

    @Test("the first reducing layer keeps its relative depth")
    func depth() throws {
        for (layers, first) in [(23, 11), (24, 11), (11, 5), (3, 1), (1, 0)] {
            #expect(try Schedule(from: 11, of: 23).firstLayer(ofLayers: layers) == first)
        }
        #expect(try Schedule(from: 3, of: 32).firstLayer(ofLayers: 40) == 4)
        #expect(try Schedule(from: 3, of: 32).firstLayer(ofLayers: 2) == 0)
    }

    @Test("from-layer sets it")
    func fromLayer() throws {
        let plan = try ReductionPlan(method: "ficoco-v", keep: 570, fromLayer: 20, model: llava7B)
        #expect(plan.removals(in: .visionEncoder).suffix(4) == [0, 2, 2, 2])
        let late = try ReductionPlan(method: "ficoco-v", keep: 575, fromLayer: 0, model: llava7B)
        #expect(late.removals(in: .visionEncoder).prefix(2) == [1, 0])
    }

    @Test("a budget of the whole image, or none at all, removes nothing", arguments: [576, nil])
    func noReduction(keep: Int?) throws {
        for recipe in MethodCatalogue.all {
            let plan = try ReductionPlan(method: recipe.name, keep: keep, model: llava7B)
            #expect(plan.keep == 576)
            #expect(plan.delivered == 576)
            let run = try PictureRun(plan: plan, grid: PatchGrid(rows: 24, columns: 24))
            #expect(try (0..<23).allSatisfy { try run.needs(place: .visionEncoder, layer: $0).isEmpty })
            #expect(try (0..<32).allSatisfy { try run.needs(place: .languageModel, layer: $0).isEmpty })
            #expect(try run.trace().kept.count == 576)
        }
    }

    @Test("more tokens than a picture has are refused, with the number that it has", arguments: [577, 640, Int.max])
    func moreThanThereAre(keep: Int) throws {
        for recipe in MethodCatalogue.all {
            let error = try #require(throws: ReductionError.self) {
                try ReductionPlan(method: recipe.name, keep: keep, model: llava7B)
            }
            #expect(error.code == .badBudget && error.message.contains("keep at most 576"), "\(recipe.name)")
        }
        let average = #expect(throws: ReductionError.self) {
            try ReductionPlan(method: "fastv", keep: keep, options: ["budget": "average"], model: llava7B)
        }
        #expect(average?.message.contains("576") == true)
    }

    @Test(
        "impossible plans say what to do",
        arguments: [
            ("ficoco-v", 0, nil, [:], .badBudget), ("ficoco-l", -3, nil, [:], .badBudget),
            ("none", 64, nil, [:], .badBudget), ("ficoco-v", 64, 23, [:], .badLayer),
            ("ficoco-l", 64, 40, [:], .badLayer), ("ficoco-v", 64, -1, [:], .badOption),
            ("ficoco-v", 64, 3, ["from-layer": "4"], .badOption), ("ficoco-vl", 64, 3, [:], .unknownOption),
            ("ficoco-vl", 64, nil, ["encoder-keep": "63"], .badBudget),
            ("ficoco-vl", 64, nil, ["encoder-keep": "577"], .badBudget),
        ] as [(String, Int, Int?, [String: String], ReductionError.Code)])
    func refusals(
        name: String, keep: Int, fromLayer: Int?, options: [String: String], code: ReductionError.Code
    ) throws {
        let error = try #require(throws: ReductionError.self) {
            try ReductionPlan(method: name, keep: keep, fromLayer: fromLayer, options: options, model: llava7B)
        }
        #expect(error.code == code)
        #expect(error.message.contains(":"))
    }
}
