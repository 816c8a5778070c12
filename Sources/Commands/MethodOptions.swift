import ArgumentParser

/// The reduction method of a command: one of the catalogue, or stages put together by name.
struct MethodOptions: ParsableArguments {
    @Option(name: .customLong("method"), help: "The reduction method; 'winnow methods' lists them.")
    var namedMethod: String?

    @Option(
        name: .customLong("keep"),
        help: "Visual tokens to keep, of each tile of a picture; LLaVA-1.5 takes a picture as one tile.")
    var keepAtEnd: Int?

    @Option(
        help: """
            Visual tokens that the decoder's layers see on average, for methods that reduce inside it; instead of --keep.
            """)
    var keepAverage: Int?

    @Option(help: "First layer that reduces; the default scales with the model's depth.")
    var fromLayer: Int?

    @Option(name: .customLong("set"), help: "An option of the method, such as axis=row; may be repeated.")
    var settings: [String] = []

    @Option(help: "Combine a method instead of naming one: the filter, which picks the tokens to drop.")
    var filter: String?

    @Option(help: "Combine a method: where the content of dropped tokens belongs.")
    var correlate: String?

    @Option(help: "Combine a method: how that content is merged.")
    var compress: String?

    @Option(help: "Combine a method: the place, encoder, projector or decoder.")
    var place: String?

    @Option(help: "Combine a method: the layers, after-last, before:K, at:K,L,… or from:K.")
    var schedule: String?

    /// The stages that were named, as options of the method `composed`.
    private var stages: [(String, String)] {
        [
            ("filter", filter), ("correlate", correlate), ("compress", compress), ("place", place),
            ("schedule", schedule),
        ].compactMap { name, value in value.map { (name, $0) } }
    }

    /// The method's name in the catalogue.
    var method: String { namedMethod ?? (stages.isEmpty ? "none" : "composed") }

    /// Whether a method is named or put together.
    var isNamed: Bool { namedMethod != nil || !stages.isEmpty }

    /// The number of tokens, whichever way it counts them.
    var keep: Int? { keepAtEnd ?? keepAverage }

    func validate() throws {
        guard stages.isEmpty || namedMethod == nil || namedMethod == "composed" else {
            throw ValidationError("give --method, or the stages of a method of your own, not both")
        }
        guard keepAtEnd == nil || keepAverage == nil else {
            throw ValidationError("give --keep or --keep-average, not both")
        }
    }

    /// Refuses a method without the number of tokens that it keeps, for commands that have it from nowhere else.
    func checkBudget() throws {
        guard method == "none" || keep != nil else {
            throw ValidationError("\(method) needs --keep, the number of visual tokens to keep")
        }
    }

    /// The options by name.
    func options() throws -> [String: String] {
        var options = Dictionary(stages) { first, _ in first }
        if keepAverage != nil { options["budget"] = "average" }
        for setting in settings {
            let parts = setting.split(separator: "=", maxSplits: 1).map(String.init)
            guard parts.count == 2, options.updateValue(parts[1], forKey: parts[0]) == nil else {
                throw CommandFailure(ExitCodes.usage, "--set takes key=value, each key once; '\(setting)' is not that")
            }
        }
        return options
    }
}
