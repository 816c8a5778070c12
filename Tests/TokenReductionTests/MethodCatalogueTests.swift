import Foundation
import TestSupport
import Testing
import TokenReduction

@Suite("The catalogue of methods")
struct MethodCatalogueTests {
    @Test("finds every method by its name, and every file in Methods/ is in the catalogue")
    func complete() throws {
        let names = MethodCatalogue.all.map(\.name)
        #expect(
            names == [
                "none", "random", "uniform-grid", "average-pool", "tome", "evit", "fastervlm", "visionzip", "vispruner",
                "prumerge", "prumerge+", "holov", "divprune", "cdpruner", "fastv", "dart", "sparsevlm", "pyramiddrop",
                "ficoco-v", "ficoco-l", "ficoco-vl", "composed",
            ])
        for name in names {
            let method = try MethodCatalogue.method(named: name)
            #expect(method.name == name)
            #expect(!method.citation.isEmpty)
        }
        let folder = Repository.root.appendingPathComponent("Sources/TokenReduction/Methods")
        // PruMerge and PruMerge+ share a file.
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).count == names.count - 1)
    }

    @Test("has the defaults that are documented")
    func defaults() throws {
        let vision = try MethodCatalogue.method(named: "ficoco-v")
        #expect(
            Dictionary(uniqueKeysWithValues: vision.options.map { ($0.name, $0.value) }) == [
                "scores": "logits", "normalize": "none", "axis": "row", "lambda": "0.35", "window": "2",
                "penalty": "2.0",
                "epsilon": "0.998", "from-layer": "scaled",
            ])
        #expect(vision.encoder?.needs == .attentionLogits)
        #expect(vision.decoder == nil)
        let language = try MethodCatalogue.method(named: "ficoco-l")
        #expect(
            Dictionary(uniqueKeysWithValues: language.options.map { ($0.name, $0.value) }) == [
                "axis": "received", "version": "v1", "normalize": "none", "beta": "0.6", "gamma": "0.6",
                "epsilon": "0.998", "from-layer": "scaled", "budget": "final",
            ])
        // The weight of the authors' code comes with its scale.
        let released = try MethodCatalogue.method(named: "ficoco-v", options: ["normalize": "l2"])
        #expect(released.options.first { $0.name == "lambda" }?.value == "0.65")
        #expect(language.decoder?.needs == .attentionProbabilities)
        #expect(language.encoder == nil)
    }

    @Test("options reach the stages")
    func options() throws {
        let method = try MethodCatalogue.method(
            named: "ficoco-v",
            options: [
                "axis": "column", "scores": "probabilities", "lambda": "0.5", "window": "3", "penalty": "4",
                "epsilon": "0.9",
            ])
        let filter = try #require(method.encoder?.filter as? VisionRedundancy)
        #expect(filter.axis == .column)
        #expect(filter.scores == .probabilities)
        #expect(filter.lambda == 0.5)
        #expect(filter.localPenalty == LocalPenalty(window: 3, factor: 4))
        let correlate = try #require(method.encoder?.correlate as? DirectAttention)
        #expect(correlate.scores == .probabilities)
        #expect(correlate.share.epsilon == 0.9)
        #expect(method.encoder?.needs == .attentionProbabilities)
        #expect(method.options.first { $0.name == "lambda" }?.value == "0.5")
        #expect(method.options.first { $0.name == "lambda" }?.standard == "0.35")

        let both = try MethodCatalogue.method(
            named: "ficoco-vl", options: ["encoder-axis": "column", "decoder-axis": "literal", "decoder-version": "v4"])
        #expect((both.encoder?.filter as? VisionRedundancy)?.axis == .column)
        #expect((both.decoder?.filter as? TaskRedundancy)?.axis == .literal)
        #expect((both.decoder?.correlate as? TextMediatedAttention)?.version == .v4)
    }

    @Test(
        "a wrong name or value says what there is instead",
        arguments: [
            ("tome-ish", [:], ReductionError.Code.unknownMethod, "ficoco-v"),
            ("ficoco-v", ["axes": "row"], .unknownOption, "axis"),
            ("ficoco-v", ["axis": "received"], .badOption, "row|column"),
            ("ficoco-l", ["axis": "row"], .badOption, "literal|received"),
            ("ficoco-l", ["scores": "logits"], .unknownOption, "version"),
            ("ficoco-v", ["lambda": "1.5"], .badOption, "0.0 … 1.0"),
            ("ficoco-v", ["lambda": "nan"], .badOption, "0.0 … 1.0"),
            ("ficoco-v", ["window": "0"], .badOption, "1 … 256"),
            ("ficoco-v", ["window": "two"], .badOption, "1 … 256"),
            ("ficoco-vl", ["axis": "row"], .unknownOption, "encoder-axis"),
            ("none", ["axis": "row"], .unknownOption, "no options"),
        ] as [(String, [String: String], ReductionError.Code, String)])
    func refusals(name: String, options: [String: String], code: ReductionError.Code, hint: String) throws {
        let error = try #require(throws: ReductionError.self) {
            try MethodCatalogue.method(named: name, options: options)
        }
        #expect(error.code == code)
        #expect("\(error)".contains(hint))
    }

    @Test("the table has one row for each place a method works in")
    func table() throws {
        let rows = try MethodCatalogue.table()
        #expect(
            rows.map(\.name) == MethodCatalogue.all.map(\.name).dropLast(2) + ["ficoco-vl", "ficoco-vl", "composed"])
        #expect(rows.suffix(5).map(\.place) == ["encoder", "decoder", "encoder", "decoder", "encoder"])
        #expect(rows.suffix(5).first?.filter.contains("0.35·vision(row logits)") == true)
        #expect(rows.suffix(4).first?.correlate.contains("text-mediated") == true)
        #expect(rows[0].place == "–")
        #expect(rows[0].filter == "–")
        #expect(rows.first { $0.name == "divprune" }?.place == "projector")
        #expect(rows.first { $0.name == "fastv" }?.schedule == "once, before layer 2")
    }
}

extension MethodRecipe {
    /// The worked example of `MethodRecipe`'s documentation.
    fileprivate static let ignored = MethodRecipe(
        name: "ignored", citation: "an example"
    ) { options throws(ReductionError) in
        try ReductionMethod(
            encoder: Stages(
                filter: VisionRedundancy(
                    lambda: 0, axis: .column, scores: .probabilities, scale: .none, localPenalty: .none),
                correlate: DirectAttention(
                    scores: .probabilities,
                    above: QuantileShare(epsilon: options.number("epsilon", default: 0.998, in: 0...1))),
                compress: SelfPreservingMerge(),
                schedule: Schedule(from: 11, of: 23, fixedFirstLayer: options.fromLayer())))
    }
}

@Suite("The worked example of the documentation")
struct WorkedExampleTests {
    @Test("compiles, takes its options, and ranks by what the class token ignores")
    func example() throws {
        let method = try MethodRecipe.ignored.method(options: ["epsilon": "0.5"])
        #expect(method.name == "ignored")
        #expect(method.options.map(\.name) == ["epsilon", "from-layer"])
        var generator = Generator(seed: 5)
        let map = try AttentionMap(
            averagingHeadsOf: generator.attention(heads: 1, rows: 10, scores: .probabilities))
        let result = try SingleReduction(
            method: method, keep: 6, hidden: generator.states(rows: 10, width: 2),
            evidence: Evidence(attention: map), layout: .encoder(visualTokens: 9),
            grid: PatchGrid(rows: 3, columns: 3))
        let seen = map.row(0, columns: [1..<10])
        let expected = seen.indices.sorted { seen[$0] < seen[$1] }.prefix(3).map { $0 + 1 }
        #expect(result.step.pruned == expected)
    }
}
