/// How a method of the catalogue is made from its options.
///
/// A new method is one file in `Methods/` and its name in `MethodCatalogue.all`; CONTRIBUTING.md shows a whole one.
/// A stage that does not exist yet is one more file, with a type that conforms to `Filter`, `Correlate` or `Compress`.
/// The law suite runs over the catalogue, so the new method is tested by being in it.
public struct MethodRecipe: Sendable {
    /// Reads the options it knows, with their defaults, and puts the stages together.
    public typealias Build = @Sendable (inout MethodOptions) throws(ReductionError) -> ReductionMethod

    /// The name on the command line and in result files.
    public let name: String
    /// The paper, with its equations.
    public let citation: String
    let build: Build

    /// A recipe that makes the method `name`.
    public init(name: String, citation: String, build: @escaping Build) {
        self.name = name
        self.citation = citation
        self.build = build
    }

    /// The method with the given options; all others have the documented defaults.
    public func method(options: [String: String] = [:]) throws(ReductionError) -> ReductionMethod {
        var reader = MethodOptions(options)
        var method = try build(&reader)
        try reader.refuseUnknown(for: name)
        method.name = name
        method.citation = citation
        method.options = reader.declared
        return method
    }
}
