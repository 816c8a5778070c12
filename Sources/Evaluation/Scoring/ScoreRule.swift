/// How a score comes from sums over questions: what is worked out anew when pictures are drawn again.
public enum ScoreRule: Sendable, Hashable {
    /// A mean in per cent. Each question adds its share and 1.
    case mean
    /// POPE's: F1 of "yes" in per cent, the mean over samplings. Each question adds, in the place of its sampling, 1 to true
    /// positives, false positives or false negatives.
    case meanF1(samplings: Int)
    /// MME's points: the sum over categories. Each picture adds, in the place of its category, its right answers, 1 if both
    /// are, and 1.
    case pairs(categories: Int)

    /// How many numbers are summed.
    public var width: Int {
        switch self {
        case .mean: 2
        case .meanF1(let samplings): 3 * samplings
        case .pairs(let categories): 3 * categories
        }
    }

    /// The score of `width` sums; a part that no question adds to scores 0.
    public func score(_ sums: ArraySlice<Double>) -> Double {
        precondition(sums.count == width, "one sum for each number")
        let start = sums.startIndex
        func parts(_ number: (Double, Double, Double) -> Double) -> Double {
            stride(from: start, to: sums.endIndex, by: 3).reduce(0) { sum, place in
                sum + number(sums[place], sums[place + 1], sums[place + 2])
            }
        }
        switch self {
        case .mean: return sums[start + 1] > 0 ? 100 * sums[start] / sums[start + 1] : 0
        case .meanF1(let samplings):
            let sum = parts { right, wrong, missed in
                right > 0 ? 100 * 2 * right / (2 * right + wrong + missed) : 0
            }
            return sum / Double(samplings)
        case .pairs:
            return parts { answers, both, pictures in
                pictures > 0 ? 100 * answers / (2 * pictures) + 100 * both / pictures : 0
            }
        }
    }
}
