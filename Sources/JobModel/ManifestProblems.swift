/// One thing that is wrong with a batch file or an items file.
public struct ManifestProblem: Hashable, Sendable, CustomStringConvertible {
    /// The file, as the user named it.
    public var file: String
    /// 1-based line; nil for the file as a whole.
    public var line: Int?
    /// What is wrong and what is expected.
    public var message: String

    /// `file:line: message`, the form that editors understand.
    public var description: String { line.map { "\(file):\($0): \(message)" } ?? "\(file): \(message)" }
}

/// Everything that is wrong with a batch, found before anything of it ran.
public struct ManifestProblems: Error, Hashable, Sendable, CustomStringConvertible {
    /// The most problems that are kept; the rest are only counted.
    public static let limit = 1000
    /// The problems in the order of the files.
    public private(set) var problems: [ManifestProblem] = []
    /// All problems, those not kept included.
    public private(set) var total = 0

    /// Nothing is wrong.
    init() {}

    /// One thing is wrong.
    init(_ file: String, _ line: Int?, _ message: String) { add(file, line, message) }

    /// Whether nothing is wrong.
    public var isEmpty: Bool { total == 0 }

    mutating func add(_ file: String, _ line: Int?, _ message: String) {
        let problem = ManifestProblem(file: file, line: line, message: message)
        // What holds of a folder's pictures one by one is said once.
        guard line != nil || problems.last != problem else { return }
        total += 1
        if problems.count < Self.limit { problems.append(problem) }
    }

    /// Adds everything that is wrong with a part.
    mutating func add(_ part: ManifestProblems) {
        for problem in part.problems { add(problem.file, problem.line, problem.message) }
        total += part.total - part.problems.count
    }

    /// One line per problem, and how many more there are.
    public var description: String {
        var lines = problems.map(\.description)
        if total > problems.count { lines.append("… and \(total - problems.count) more") }
        return lines.joined(separator: "\n")
    }
}
