import ArgumentParser

/// `winnow eval`: does it still answer right?
struct EvalCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "eval", abstract: "Measure what a reduction costs in right answers, on benchmarks.",
        discussion: """
            'run' asks every question of a batch file with many methods and budgets and compares them; Jobs/benchmarks/demo.yaml \
            runs as it stands. For a public benchmark, 'import' checks its folder and writes the items that \
            Jobs/benchmarks/NAME.yaml runs; 'score' makes official answer files and scores from answers that 'winnow run' or \
            any LLaVA script wrote; 'table' prints what was measured beside published numbers.
            """,
        subcommands: [EvalRunCommand.self, EvalImportCommand.self, EvalScoreCommand.self, EvalTableCommand.self])
}
