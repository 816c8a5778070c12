import JobVocabulary
import Testing
import TokenReduction

@Suite("The defaults of options")
struct StageDefaultsTests {
    /// Defaults that say in words what happens where nobody sets the option.
    private static let words = ["scaled", "geometric mean", "before 3, 7, 16 of 32", "before 8, 16, 24 of 32"]

    private func stages(_ method: ReductionMethod) -> String {
        "\(method.encoder as Any) \(method.projector as Any) \(method.decoder as Any) \(method.encoderBudget) \(method.budget)"
    }

    private func checkDefaults(of name: String, beside given: [String: String] = [:]) throws {
        let plain = try MethodCatalogue.method(named: name, options: given)
        let printed = plain.options.filter { given[$0.name] == nil && !Self.words.contains($0.standard) }
        #expect(printed.allSatisfy { $0.value == $0.standard })
        let all = given.merging(printed.map { ($0.name, $0.standard) }) { $1 }
        let explicit = try MethodCatalogue.method(named: name, options: all)
        #expect(stages(explicit) == stages(plain), "\(name) \(given)")
    }

    @Test("what the catalogue prints as defaults is what a method without options is made of")
    func methods() throws {
        for recipe in MethodCatalogue.all { try checkDefaults(of: recipe.name) }
    }

    @Test("so it is with every stage that is asked for by name")
    func composed() throws {
        var checked: Set<String> = []
        for place in ReductionPlace.allCases {
            let given =
                StageCatalogue.filters.map { ["filter": $0.name] }
                + StageCatalogue.correlations.flatMap { correlate in
                    StageCatalogue.filters.flatMap { filter in
                        StageCatalogue.compressors.map {
                            ["filter": filter.name, "correlate": correlate.name, "compress": $0.name]
                        }
                    }
                }
            for options in given.map({ $0.merging(["place": place.rawValue]) { $1 } }) {
                guard (try? MethodCatalogue.method(named: "composed", options: options)) != nil else { continue }
                try checkDefaults(of: "composed", beside: options)
                checked.formUnion(options.values)
            }
        }
        let names =
            StageCatalogue.filters.map(\.name) + StageCatalogue.correlations.map(\.name)
            + StageCatalogue.compressors.map(\.name)
        #expect(checked.isSuperset(of: names), "\(Set(names).subtracting(checked))")
    }

    @Test(
        "a stage has the defaults of its own method",
        arguments: [
            ("ficoco-v", "encoder", "vision-redundancy", "direct-attention"),
            ("ficoco-l", "decoder", "task-redundancy", "text-mediated-attention"),
        ])
    func own(method: String, place: String, filter: String, correlate: String) throws {
        let own = try MethodCatalogue.method(named: method)
        let composed = try MethodCatalogue.method(
            named: "composed",
            options: ["place": place, "filter": filter, "correlate": correlate, "compress": "self-preserving"])
        let stages = own.encoder ?? own.decoder, others = composed.encoder ?? composed.decoder
        #expect("\(stages?.filter as Any)" == "\(others?.filter as Any)")
        #expect("\(stages?.correlate as Any)" == "\(others?.correlate as Any)")
    }
}
