internal import JobVocabulary

/// Every method that can be asked for by name.
public enum MethodCatalogue {
    /// The methods, in the order they are listed to users.
    public static let all: [MethodRecipe] = [
        .noReduction,
        .random,
        .uniformGrid,
        .averagePool,
        .toMe,
        .eViT,
        .fasterVLM,
        .visionZip,
        .visPruner,
        .pruMerge,
        .pruMergePlus,
        .holoV,
        .divPrune,
        .cdPruner,
        .fastV,
        .dart,
        .sparseVLM,
        .pyramidDrop,
        .fiCoCoV,
        .fiCoCoL,
        .fiCoCoVL,
        .composed,
    ]

    /// The method `name` with `options`; all other options have their documented defaults.
    public static func method(
        named name: String, options: [String: String] = [:]
    ) throws(ReductionError) -> ReductionMethod {
        guard let recipe = all.first(where: { $0.name == name }) else {
            let names = all.map(\.name)
            throw ReductionError(
                .unknownMethod,
                "there is no method \(name)\(name.guess(among: names)): choose one of \(names.joined(separator: ", "))")
        }
        return try recipe.method(options: options)
    }

    /// The catalogue as a filter / correlate / compress table; a method has one row for each place it works in.
    public static func table() throws(ReductionError) -> [MethodRow] {
        try all.map { recipe throws(ReductionError) in try recipe.method().rows }.flatMap { $0 }
    }
}

/// One row of the table of methods.
public struct MethodRow: Sendable, Hashable {
    /// The method.
    public let name: String
    /// `encoder`, `decoder`, or `–` for a method that reduces nowhere.
    public let place: String
    /// Which tokens go.
    public let filter: String
    /// Where their content belongs.
    public let correlate: String
    /// How it gets there.
    public let compress: String
    /// In which layers.
    public let schedule: String
    /// The paper.
    public let citation: String
    /// The method's options with their values.
    public let options: [MethodOption]
}

extension ReductionMethod {
    /// This method as rows of the table.
    public var rows: [MethodRow] {
        let stages = places.map { Optional($0) }
        return (stages.isEmpty ? [nil] : stages).map { place in
            let stages = place.flatMap { self.stages(in: $0) }
            return MethodRow(
                name: name, place: place?.rawValue ?? "–", filter: stages?.filter.summary ?? "–",
                correlate: stages?.correlate.summary ?? "–", compress: stages?.compress.summary ?? "–",
                schedule: stages?.schedule.summary ?? "–", citation: citation, options: options)
        }
    }
}
