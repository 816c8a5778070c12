import Evaluation
import Testing
import TokenReduction
import VisionLanguage

/// Every number of FiCoCo's tables that a convention reproduces, and what its other numbers come to.
struct PublishedFiguresTests {
    /// A printed number of FLOPs, in units of 10¹², and the rows that it belongs to.
    struct Figure: Sendable, CustomTestStringConvertible {
        let model: String
        let visual, text: Int
        let printed: Double
        var testDescription: String { "\(model) \(visual) + \(text)" }

        init(_ model: String, _ visual: Int, _ text: Int, _ printed: Double) {
            (self.model, self.visual, self.text, self.printed) = (model, visual, text, printed)
        }

        /// LLM-Viewer's number in units of 10¹².
        func computed() throws -> Double {
            let text = try PublishedFiguresTests.sizes(model)
            return PublishedConvention.llmViewer.prefill(.same(visual + self.text, text), of: text) / 1e12
        }
    }

    @Test(
        "TFLOPs that LLM-Viewer reproduces",
        arguments: [
            Figure("7b", 576, 60, 8.5), Figure("7b", 261, 60, 4.2), Figure("7b", 192, 60, 3.3),
            Figure("7b", 128, 60, 2.5), Figure("7b", 64, 60, 1.6),
            // LLaVA-NeXT, and Video-LLaVA, whose language model has the same sizes.
            Figure("7b", 2880, 60, 42.7), Figure("7b", 320, 60, 5.0), Figure("7b", 160, 60, 2.9),
            Figure("7b", 2048, 60, 29.7), Figure("7b", 136, 60, 2.6),
            Figure("13b", 576, 512, 28.6), Figure("13b", 84, 512, 15.4),
        ])
    func reproduced(figure: Figure) throws {
        #expect(try abs(figure.computed() - figure.printed) <= 0.05)
    }

    @Test(
        "TFLOPs that it does not, at the rows that the paper names",
        arguments: [
            // The rows of 2.4 and 1.5 T carry 128 and 64 tokens, which cost 2.454 and 1.615.
            Figure("7b", 128, 60, 2.4), Figure("7b", 64, 60, 1.5),
            // The authors' count of what the code keeps, 72, and what it sends, 114.
            Figure("7b", 114, 60, 1.5), Figure("7b", 576, 40, 8.5),
            // The 13B baseline of table 1, and "about 22 % of the visual tokens".
            Figure("13b", 576, 60, 24.9), Figure("13b", 127, 512, 15.4),
        ])
    func notReproduced(figure: Figure) throws {
        #expect(try abs(figure.computed() - figure.printed) > 0.05)
    }

    @Test("rows that would explain the labels which do not hold")
    func explanations() throws {
        #expect(try abs(Figure("7b", 124, 60, 2.4).computed() - 2.4) <= 0.05)
        #expect(try abs(Figure("7b", 58, 60, 1.5).computed() - 1.536) < 0.001)
        #expect(try abs(Figure("7b", 72, 40, 1.5).computed() - 1.458) < 0.001)
        #expect(try abs(Figure("7b", 114, 60, 1.5).computed() - 2.27) < 0.01)
        // 24.9 T takes 952 rows.
        #expect(try abs(Figure("13b", 952, 0, 24.9).computed() - 24.9) <= 0.05)
        #expect(try abs(Figure("13b", 576, 60, 24.9).computed() - 16.5) <= 0.05)
    }

    @Test("the three conventions of one run", arguments: [(576, 0, 2.986, 3.817), (576, 60, 3.31, 4.22)])
    func conventions(visual: Int, text: Int, appendix: Double, gated: Double) throws {
        let sizes = try Self.sizes("7b")
        let rows = [LayerRows].same(visual + text, sizes)
        #expect(abs(PublishedConvention.ficocoAppendix.prefill(rows, of: sizes) / 1e12 - appendix) <= 0.005)
        #expect(abs(PublishedConvention.gatedFeedForward.prefill(rows, of: sizes) / 1e12 - gated) <= 0.005)
    }

    /// Savings of one layer, 576 to 534 tokens; the paper's equations 5 and 6 print 6.790 and 6.988 for them.
    @Test("differences of the appendix's formula", arguments: [(0, 6.988), (60, 7.029)])
    func savings(text: Int, gigaMACs: Double) throws {
        let c = try Self.sizes("7b")
        let saved = [576, 534].map {
            PublishedConvention.ficocoAppendix.prefill(LayerRows.constant($0 + text, layers: 1), of: c)
        }
        #expect(abs((saved[0] - saved[1]) / 1e9 - gigaMACs) < 0.001)
    }

    @Test("what FiCoCo-L's schedules cost, and what one length for all layers says", arguments: Descent.all)
    func descents(descent: Descent) throws {
        let c = try Self.sizes("7b")
        let rows = descent.rows(layers: c.layers)
        let left = try #require(rows.last).feedForward
        #expect(left == descent.left + 60)
        let convention = PublishedConvention.llmViewer
        #expect(abs(convention.prefill(rows, of: c) / 1e12 - descent.prefill) <= 0.005)
        if let label = descent.label {
            #expect(abs(convention.prefill(.same(left, c), of: c) / 1e12 - label) <= 0.005)
        }
        if let cache = descent.cache { #expect(abs(Double(c.cacheBytes(rows)) / 1e6 - cache) <= 0.5) }
    }

    /// `removal` of 576 tokens leave inside every layer from `first` on.
    struct Descent: Sendable {
        let removal, first, left: Int
        let prefill: Double
        var label: Double?
        var cache: Double?

        static let all = [
            Descent(removal: 14, first: 5, left: 198, prefill: 6.28, label: 3.38, cache: 253),
            Descent(removal: 17, first: 5, left: 117, prefill: 5.82, label: 2.31, cache: 236),
            Descent(removal: 19, first: 5, left: 63, prefill: 5.51, label: 1.60, cache: 224),
            Descent(removal: 14, first: 3, left: 170, prefill: 5.95),
            Descent(removal: 17, first: 3, left: 83, prefill: 5.42),
            Descent(removal: 19, first: 3, left: 25, prefill: 5.07),
        ]

        func rows(layers: Int) -> [LayerRows] {
            (0..<layers).map { layer in
                let before = 576 - removal * max(0, layer - first), after = 576 - removal * max(0, layer + 1 - first)
                return LayerRows(attention: before + 60, feedForward: after + 60)
            }
        }
    }

    @Test("1.5 T is out of reach inside the language model", arguments: [(3, 1.58), (5, 2.06)])
    func floor(layer: Int, least: Double) throws {
        let c = try Self.sizes("7b")
        let rows = (0..<c.layers).map {
            LayerRows(attention: $0 <= layer ? 636 : 60, feedForward: $0 < layer ? 636 : 60)
        }
        #expect(abs(PublishedConvention.llmViewer.prefill(rows, of: c) / 1e12 - least) <= 0.005)
    }

    @Test("one step in layer 3 that truly costs a label", arguments: [(3.3, 146), (2.4, 69)])
    func oneStep(label: Double, most: Int) throws {
        let c = try Self.sizes("7b")
        for (kept, fits) in [(most, true), (most + 1, false)] {
            let rows = (0..<c.layers).map {
                LayerRows(attention: $0 <= 3 ? 636 : kept + 60, feedForward: $0 < 3 ? 636 : kept + 60)
            }
            #expect((PublishedConvention.llmViewer.prefill(rows, of: c) / 1e12 <= label) == fits)
        }
    }

    @Test(
        "key-value caches in MB",
        arguments: [
            ("7b", 636, 16, 333), ("7b", 124, 16, 65.0), ("7b", 116, 16, 60.8), ("7b", 636, 8, 167),
            ("7b", 636, 4, 83.4), ("7b", 124, 8, 32.5), ("7b", 124, 4, 16.3), ("13b", 1088, 16, 891),
            ("13b", 596, 16, 488), ("13b", 592, 16, 485),
        ] as [(String, Int, Int, Double)])
    func caches(model: String, rows: Int, bits: Int, printed: Double) throws {
        let c = try Self.sizes(model)
        let bytes = Double(c.cacheBytes(.same(rows, c), bitsPerNumber: bits))
        // As many digits as the tables print.
        #expect(abs(bytes / 1e6 - printed) <= (printed < 100 ? 0.051 : 0.51))
    }

    @Test("FiCoCo-L's 64.2 MB are 122.5 rows a layer")
    func halfRow() throws {
        let c = try Self.sizes("7b")
        let rows = LayerRows.constant(123, layers: 16) + LayerRows.constant(122, layers: 16)
        #expect(abs(Double(c.cacheBytes(rows)) / 1e6 - 64.2) <= 0.05)
    }

    @Test("the whole vision tower")
    func tower() throws {
        let c = try #require(LLaVAConfiguration.named("llava-1.5-7b"))
        let plan = try ReductionPlan(method: "none", keep: nil, model: c.depth)
        let account = try CostAccount(plan: plan, model: c, textTokens: 60)
        #expect(abs(Double(account.executed.towerLayers.reduce(0, +)) / 1e12 - 0.365) <= 0.0005)
        // The appendix's formula fits a tower: half of the operations, one for each multiply-add.
        let appendix = try #require(account.published.first { $0.convention == .ficocoAppendix }?.tower)
        #expect(2 * appendix == Double(account.executed.towerLayers.reduce(0, +)))
    }

    @Test("plans through the command's account", arguments: [("ficoco-v", 64, 1.615), ("ficoco-v", 192, 3.298)])
    func accounts(method: String, keep: Int, prefill: Double) throws {
        let c = try #require(LLaVAConfiguration.named("llava-1.5-7b"))
        let plan = try ReductionPlan(method: method, keep: keep, model: c.depth)
        let account = try CostAccount(plan: plan, model: c, textTokens: 60)
        let viewer = try #require(account.published.first { $0.convention == .llmViewer })
        #expect(abs(viewer.prefill / 1e12 - prefill) <= 0.0005)
        #expect(viewer.prefill == viewer.constantPrefill)
    }

    @Test("a decoder method costs more than its label")
    func labels() throws {
        let c = try #require(LLaVAConfiguration.named("llava-1.5-7b"))
        let plan = try ReductionPlan(method: "ficoco-l", keep: 64, model: c.depth)
        let account = try CostAccount(plan: plan, model: c, textTokens: 60)
        for entry in account.published { #expect(entry.prefill > 2 * entry.constantPrefill) }
        let viewer = try #require(account.published.first { $0.convention == .llmViewer })
        #expect(abs(viewer.constantPrefill / 1e12 - 1.615) <= 0.0005)
        #expect(account.cacheBytes(constant: true) == 124 * 2 * 32 * 4096 * 2)
        #expect(account.cacheBytes() > 3 * account.cacheBytes(constant: true))
    }

    static func sizes(_ name: String) throws -> LLaVAConfiguration.Text {
        try #require(LLaVAConfiguration.named("llava-1.5-\(name)")).text
    }
}

extension [LayerRows] {
    /// All layers of `c` at one length.
    fileprivate static func same(_ rows: Int, _ c: LLaVAConfiguration.Text) -> [LayerRows] {
        LayerRows.constant(rows, layers: c.layers)
    }
}
