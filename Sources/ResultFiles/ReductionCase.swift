public import HDF5

/// A researcher's own tensors for one reduction step, as read from an HDF5 file.
public struct ReductionCase<Scalar: Element & Hashable & BinaryFloatingPoint>: Sendable {
    /// Hidden states, (tokens, width).
    public let hidden: NumericArray<Scalar>
    /// Attention probabilities or logits, (heads, queries, keys).
    public let attention: NumericArray<Scalar>
    /// Keys, (heads, tokens, width of a head), if the file has them.
    public let keys: NumericArray<Scalar>?
    /// Row of the class token; nil if there is none. The attribute `class_token` is a row, -1, or true (row 0) or false.
    public let classToken: Int?
    /// Row of the first visual token.
    public let imageStart: Int
    /// Number of visual tokens; they stand at the first places of the grid.
    public let imageCount: Int
    /// Rows and columns of patches; the attribute `grid` is both, or one number for a square.
    public let grid: [Int]
    /// The attribute `precision`, such as "f64"; nil if absent.
    public let precision: String?

    /// Reads a file from any source; numbers are converted to `Scalar`.
    public init(contentsOf path: String, limits: ReadLimits = ReadLimits()) throws(ResultFileError) {
        try FileExamination.examine(path, .reductionCase)
        try self.init(unexamined: path, limits: limits)
    }

    /// Reads a file in the process that examines it.
    init(unexamined path: String, limits: ReadLimits) throws(ResultFileError) {
        do {
            self = try File.reading(path, limits: limits) { file in try Self(file.root) }
        } catch let error as HDF5Error {
            throw ResultFileError(reading: error, file: path)
        } catch let error as ResultFileError {
            throw error
        } catch {
            throw ResultFileError(.corrupt, "cannot read \(path): \(error)", cause: error)
        }
        try checkShapes(path)
    }

    private init(_ root: borrowing Group) throws {
        hidden = try root.array("hidden", rank: 2)
        attention = try root.array("attention", rank: 3)
        keys = try root.contains("keys") ? try root.array("keys", rank: 3) : nil
        switch try root.attribute("class_token") {
        case nil, .boolean(false): classToken = nil
        case .boolean(true): classToken = 0
        case .integer(let row): classToken = row < 0 ? nil : Int(row)
        default:
            throw ResultFileError(
                .corrupt, "\(root.name)@class_token is neither an integer nor a boolean; give its row, or -1")
        }
        imageStart = try Self.count("image_start", of: root)
        imageCount = try Self.count("image_count", of: root)
        let sides: [Int64]? =
            switch try root.attribute("grid") {
            case .integer(let side): [side, side]
            case .integers(let sides): sides.count == 1 ? sides + sides : sides
            default: nil
            }
        guard let sides, sides.count == 2, sides.allSatisfy({ (1..<65_536).contains($0) }) else {
            throw ResultFileError(
                .corrupt, "\(root.name)@grid is not one or two integers above 0; give rows and columns, or the side")
        }
        grid = sides.map { Int($0) }
        switch try root.attribute("precision") {
        case nil: precision = nil
        case .string(let name): precision = name
        default: throw ResultFileError(.corrupt, "\(root.name)@precision is not a text; write f32 or f64")
        }
    }

    private static func count(_ attribute: String, of root: borrowing Group) throws -> Int {
        guard case .integer(let value) = try root.attribute(attribute), (0..<1 << 31).contains(value) else {
            throw ResultFileError(.corrupt, "\(root.name)@\(attribute) is missing or not a count; add it as an integer")
        }
        return Int(value)
    }

    private func checkShapes(_ path: String) throws(ResultFileError) {
        let tokens = hidden.shape[0]
        let problem: String? =
            if attention.shape[2] != tokens {
                "attention \(attention.shape) does not have one key for each row of hidden \(hidden.shape)"
            } else if let keys, keys.shape[1] != tokens {
                "keys \(keys.shape) do not have one entry for each row of hidden \(hidden.shape)"
            } else if imageStart + imageCount > tokens {
                "image_start \(imageStart) and image_count \(imageCount) reach beyond the \(tokens) rows of hidden"
            } else if grid[0] * grid[1] < imageCount {
                "grid \(grid) is too small for image_count \(imageCount)"
            } else if let classToken, classToken >= tokens {
                "class_token \(classToken) is beyond the \(tokens) rows of hidden"
            } else {
                nil
            }
        if let problem { throw ResultFileError(.corrupt, "the file contradicts itself: \(problem)", at: path) }
    }
}
