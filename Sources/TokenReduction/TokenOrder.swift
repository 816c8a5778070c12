/// The order of the surviving tokens.
public enum TokenOrder: String, Sendable, Hashable, CaseIterable {
    /// As they stood in the sequence.
    case sequence
    /// The order of the sequence, but new tokens after all others.
    case fusedLast = "fused-last"
    /// The one that was hardest to give up first, new tokens after all others.
    case score
    /// In the order in which the filter chose them, new tokens after all others; as they stood where it chose none.
    case chosen
    /// Every other row first: those at even rows of the sequence, then those at odd rows.
    case alternating

    /// Visual tokens `survivors`, ascending, in this order; new tokens are named as the correlation names them.
    func arrange(
        _ survivors: [Int], candidates: Candidates, fused: [Int], layout: TokenLayout
    ) -> [Int] {
        func stable(_ first: (Int) -> Bool) -> [Int] { survivors.filter(first) + survivors.filter { !first($0) } }
        let new = Set(fused)
        switch self {
        case .sequence: return survivors
        case .fusedLast: return survivors.filter { !new.contains($0) } + fused
        case .score:
            let scores = candidates.scores
            let ranked = survivors.sorted { scores[$0] == scores[$1] ? $0 < $1 : scores[$0] < scores[$1] }
            return ranked.filter { !new.contains($0) } + fused
        case .chosen:
            let chosen = candidates.survivors ?? [], isChosen = Set(chosen), stays = Set(survivors).subtracting(new)
            return chosen.filter(stays.contains) + survivors.filter { !isChosen.contains($0) && !new.contains($0) }
                + fused
        case .alternating: return stable { layout.visual[$0].isMultiple(of: 2) }
        }
    }
}

/// Which position ids the language model gives the rows that are left.
public enum PositionPolicy: String, Sendable, Hashable, CaseIterable {
    /// The positions that tokens had: gaps stay where tokens went.
    case original
    /// 0, 1, 2, … anew after each reduction, the answer following at once.
    case renumbered
}
