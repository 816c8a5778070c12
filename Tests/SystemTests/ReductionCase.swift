import HDF5

/// The input of `winnow reduce` as a researcher writes it.
struct ReductionCase {
    var hidden: [Double]
    var hiddenShape: [Int]
    var attention: [Double]
    var attentionShape: [Int]
    var attributes: [String: Attribute]

    func write(to path: String) throws {
        try File.writing(path) { file in
            if !hidden.isEmpty { try file.root.write(hidden, to: "hidden", shape: hiddenShape) }
            if !attention.isEmpty { try file.root.write(attention, to: "attention", shape: attentionShape) }
            for (name, value) in attributes.sorted(by: { $0.key < $1.key }) { try file.root.set(name, to: value) }
        }
    }

    /// A class token and 3 × 3 patches.
    static var small: ReductionCase {
        ReductionCase(
            hidden: (0..<30).map { Double($0 % 7) }, hiddenShape: [10, 3],
            attention: (0..<200).map { Double($0 * $0 % 23) / 250 }, attentionShape: [2, 10, 10],
            attributes: [
                "class_token": .integer(0), "image_start": .integer(1), "image_count": .integer(9),
                "grid": .integers([3, 3]), "precision": "f64",
            ])
    }
}

/// A case that cannot be reduced, or an option that does not fit it.
enum BadCase: CaseIterable {
    case noHidden, noAttention, noHeads, otherKeys, otherQueries, noImageCount, noGrid, gridTooSmall, hugeGrid
    case imageBeyondTheEnd, classTokenBeyondTheEnd, classTokenInTheImage, classTokenMissing, unknownPrecision
    case notANumber, notAProbability, keepNothing, noSuchMethod, noSuchOption

    var problem: ReductionCase {
        var problem = ReductionCase.small
        switch self {
        case .noHidden: problem.hidden = []
        case .noAttention: problem.attention = []
        case .noHeads: (problem.attention, problem.attentionShape) = (Array(problem.attention.prefix(100)), [10, 10])
        case .otherKeys: problem.attentionShape = [4, 10, 5]
        case .otherQueries: problem.attentionShape = [4, 5, 10]
        case .noImageCount: problem.attributes["image_count"] = nil
        case .noGrid: problem.attributes["grid"] = nil
        case .gridTooSmall: problem.attributes["grid"] = .integers([2, 4])
        case .hugeGrid: problem.attributes["grid"] = .integers([.max, .max])
        case .imageBeyondTheEnd: problem.attributes["image_start"] = .integer(2)
        case .classTokenBeyondTheEnd: problem.attributes["class_token"] = .integer(10)
        case .classTokenInTheImage: problem.attributes["class_token"] = .integer(4)
        case .classTokenMissing: problem.attributes["class_token"] = nil
        case .unknownPrecision: problem.attributes["precision"] = "f8"
        case .notANumber: problem.attention[17] = .nan
        case .notAProbability: problem.attention[17] = -1
        case .keepNothing, .noSuchMethod, .noSuchOption: break
        }
        return problem
    }

    var keep: Int { self == .keepNothing ? 0 : 4 }

    var arguments: [String] {
        switch self {
        case .noSuchMethod: ["--method", "best"]
        case .noSuchOption: ["--set", "axes=row"]
        case .notAProbability: ["--set", "scores=probabilities"]
        default: []
        }
    }

    /// What the message must name.
    var word: String {
        switch self {
        case .noHidden: "hidden"
        case .noAttention, .noHeads, .otherKeys, .otherQueries: "attention"
        case .notANumber: "NaN"
        case .notAProbability: "from 0 to 1"
        case .noImageCount: "image_count"
        case .noGrid, .gridTooSmall, .hugeGrid: "grid"
        case .imageBeyondTheEnd: "image_start"
        case .classTokenBeyondTheEnd: "class_token"
        case .classTokenInTheImage, .classTokenMissing: "class token"
        case .unknownPrecision: "f8"
        case .keepNothing: "at least one must stay"
        case .noSuchMethod: "best"
        case .noSuchOption: "axes"
        }
    }
}
