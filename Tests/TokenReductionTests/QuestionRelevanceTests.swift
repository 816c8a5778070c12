import Tensors
import Testing
import TokenReduction

/// The determinantal choice weighed by the question, against its float64 oracle, and what it refuses.
struct QuestionRelevanceTests {
    private func method(_ relevance: String) throws -> ReductionMethod {
        try MethodCatalogue.method(named: "cdpruner", options: ["relevance": relevance])
    }

    private func view(_ relevance: [Double]?, count: Int) throws -> LayerView {
        var evidence = Evidence()
        evidence.relevance = relevance
        return try LayerView(
            layout: TokenLayout(rows: count, visual: [0..<count]), evidence: evidence,
            grid: PatchGrid(rows: 1, columns: count), positions: Array(0..<count))
    }

    @Test(
        "the oracle's tokens, by either sign, with tokens alike and without",
        arguments: try MethodGolden.further().filter { $0.method == "cdpruner" })
    func golden(golden: MethodGolden) throws {
        let count = golden.count, pieces = try #require(golden.segments)
        var states = Generator(seed: golden.seed), cosines = Generator(seed: golden.seed + 7000)
        let rows = (0..<count).map { $0 % (golden.alike ?? count) }
        let hidden = states.states(rows: count, width: golden.width).gathered(rows)
        let table = cosines.states(rows: pieces, width: count).table
        let relevance = rows.map { token in table.reduce(0) { $0 + $1[token] } / Double(pieces) }
        let method = try method(golden.options["relevance"] == "positive" ? "question-positive" : "question")
        for tokens in [hidden, hidden.inSinglePrecision] {
            let step = try #require(method.projector).reduce(
                view(relevance, count: count), hidden: tokens, removing: count - golden.keep)
            #expect(step.kept == golden.kept)
        }
    }

    @Test("where all are equally like the question variety decides, else relevance weighs it")
    func byHand() throws {
        let hidden = Tensor([1.0, 0, 0, 1, 1, 1, 2, 0], shape: [4, 2])
        func kept(_ relevance: [Double], _ sign: String = "question-positive", keep: Int = 2) throws -> [Int] {
            try #require(method(sign).projector)
                .reduce(view(relevance, count: 4), hidden: hidden, removing: 4 - keep).kept
        }
        #expect(try kept([0.3, 0.3, 0.3, 0.3]) == [0, 1])
        #expect(try kept([0, 0, 0, 1], keep: 1) == [3])
        #expect(try kept([0.2, 0, 1, 0.9]) == [2, 3])
        #expect(try kept([-0.2, 0, -1, -0.9], "question") == [2, 3])
        let step = try #require(method("question").projector)
            .reduce(view([-1e-9, 0, 0, 0], count: 4), hidden: hidden, removing: 3)
        #expect(step.scores.allSatisfy { (-1e-12...1 + 1e-12).contains($0) })
    }

    @Test("what is missing, misfitting or not a number is refused")
    func refusals() throws {
        let hidden = Tensor([1.0, 0, 0, 1, 1, 1, 2, 0], shape: [4, 2])
        for (relevance, code) in [
            (nil, ReductionError.Code.missingEvidence), ([0.1, 0.2], .mismatch), ([0.1, .nan, 0.2, 0.3], .notFinite),
            ([0.1, .infinity, 0.2, 0.3], .notFinite),
        ] as [([Double]?, ReductionError.Code)] {
            let error = try #require(throws: ReductionError.self) {
                try #require(method("question").projector)
                    .reduce(view(relevance, count: 4), hidden: hidden, removing: 2)
            }
            #expect(error.code == code)
        }
        let elsewhere = try #require(throws: ReductionError.self) {
            try MethodCatalogue.method(
                named: "composed",
                options: ["filter": "determinantal-diversity", "filter-relevance": "question", "place": "encoder"])
        }
        #expect(elsewhere.code == .illegalCombination && elsewhere.message.contains("projector"))
        _ = try MethodCatalogue.method(
            named: "composed",
            options: ["filter": "determinantal-diversity", "filter-relevance": "question", "place": "projector"])
    }

    @Test("a plan reads the question only where something goes")
    func plans() throws {
        let model = ModelDepth(visionLayers: 3, languageLayers: 2, visualTokens: 16)
        func reads(_ relevance: String, keep: Int) throws -> Bool {
            try ReductionPlan(method: method(relevance), keep: keep, model: model).readsQuestion
        }
        #expect(try reads("question", keep: 4))
        #expect(try reads("question-positive", keep: 15))
        #expect(try !reads("question", keep: 16))
        #expect(try !reads("none", keep: 4))
    }
}
