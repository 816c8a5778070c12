/// Every benchmark that can be asked for by name.
public enum BenchmarkCatalogue {
    /// The benchmarks, in the order of FiCoCo's tables.
    public static let all: [any Benchmark] = [
        ScienceQA(), TextVQA(), POPE(), VizWiz(), VizWizValidation(), MMVet(), MMBench.english, MMBench.chinese, GQA(),
        LLaVABench(), VQAv2(), VQAv2Validation(), MME(),
    ]

    /// The benchmark `name`.
    public static func benchmark(named name: String) throws(EvaluationError) -> any Benchmark {
        guard let found = all.first(where: { $0.name == name }) else {
            throw EvaluationError(
                .missingData, "there is no benchmark \(name): choose one of \(all.map(\.name).joined(separator: ", "))")
        }
        return found
    }
}
