import Foundation
public import TokenReduction

/// A method with options of its own, as in `ficoco-v:axis=row,scores=logits`.
public struct MethodChoice: Sendable, Hashable {
    /// The method's name in the catalogue.
    public let method: String
    /// Options that differ from the defaults.
    public let options: [String: String]

    /// A method with options.
    public init(_ method: String, options: [String: String] = [:]) {
        self.method = method
        self.options = options
    }

    /// Reads the form above; throws where it is not that, or where the catalogue does not know it.
    public init(parsing text: String) throws {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        var options: [String: String] = [:]
        var last: String?
        for piece in parts.dropFirst().joined().split(separator: ",").map(String.init) {
            let sides = piece.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            if sides.count == 2 {
                options[sides[0]] = sides[1]
                last = sides[0]
            } else if let last {
                options[last, default: ""] += "," + piece  // a list, such as at:3,6
            } else {
                throw EvaluationError(
                    .mismatch, "'\(text)' is not a method: write NAME or NAME:option=value,option=value")
            }
        }
        self.init(parts[0], options: options)
        _ = try MethodCatalogue.method(named: method, options: options)
    }

    /// A method with the options that differ from its defaults, of all that a result file names.
    ///
    /// `from_layer` of a batch file is the option `from-layer` there.
    public init(_ method: String, settled options: [String: String]) {
        let declared = (try? MethodCatalogue.method(named: method))?.options ?? []
        let standard = Dictionary(declared.map { ($0.name, $0.standard) }) { first, _ in first }
        self.init(method, options: options.filter { standard[$0.key] != $0.value })
    }

    /// The form above, options in alphabetical order.
    public var label: String {
        guard !options.isEmpty else { return method }
        return method + ":" + options.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: ",")
    }

    /// Every method of the catalogue except the one that is put together by name.
    public static var all: [MethodChoice] {
        MethodCatalogue.all.map(\.name).filter { $0 != "composed" }.map { MethodChoice($0) }
    }
}

/// One cell of a grid: a method and how many visual tokens it keeps.
public struct GridCell: Sendable, Hashable {
    /// The method.
    public let choice: MethodChoice
    /// Visual tokens left at the end; nil if nothing is reduced.
    public let keep: Int?

    /// The cell in which nothing is reduced: what all others are compared with.
    public static let baseline = GridCell(choice: MethodChoice("none"), keep: nil)

    /// Names the cell, and its file.
    public var name: String { choice.label + (keep.map { "@\($0)" } ?? "") }

    /// The baseline, and every method at every budget that it can be asked for; what cannot be is listed with the reason.
    ///
    /// Budgets at or above the number of visual tokens are the baseline itself.
    public static func grid(
        _ choices: [MethodChoice], budgets: [Int], model: ModelDepth
    ) -> (cells: [GridCell], refused: [(cell: GridCell, reason: String)]) {
        var cells = [baseline], refused: [(cell: GridCell, reason: String)] = []
        for choice in choices where choice.method != "none" {
            for keep in budgets.sorted(by: >) where keep < model.visualTokens {
                let cell = GridCell(choice: choice, keep: keep)
                guard !cells.contains(cell) else { continue }
                do {
                    _ = try cell.plan(model)
                    cells.append(cell)
                } catch {
                    refused.append((cell, "\(error)"))
                }
            }
        }
        return (cells, refused)
    }

    /// How the model reduces in this cell.
    public func plan(_ model: ModelDepth) throws(ReductionError) -> ReductionPlan {
        try ReductionPlan(method: choice.method, keep: keep, options: choice.options, model: model)
    }
}
