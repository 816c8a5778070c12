/// In which order the tokens that stay go on.
public enum TokenOrder: String, Sendable, Hashable, CaseIterable {
    /// As they stood in the sequence.
    case sequence
    /// As they stood, but new tokens after all others.
    case fusedLast = "fused-last"
    /// The one that was hardest to give up first, new tokens after all others.
    case score
    /// Every other row first: those at even rows of the sequence, then those at odd rows.
    case alternating

    /// Visual tokens `survivors`, ascending, in this order.
    func arrange(_ survivors: [Int], scores: [Double], fused: Set<Int>, layout: TokenLayout) -> [Int] {
        func stable(_ first: (Int) -> Bool) -> [Int] { survivors.filter(first) + survivors.filter { !first($0) } }
        switch self {
        case .sequence: return survivors
        case .fusedLast: return stable { !fused.contains($0) }
        case .score:
            let ranked = survivors.sorted { scores[$0] == scores[$1] ? $0 < $1 : scores[$0] < scores[$1] }
            return ranked.filter { !fused.contains($0) } + ranked.filter { fused.contains($0) }
        case .alternating: return stable { (layout.image.lowerBound + $0).isMultiple(of: 2) }
        }
    }
}
