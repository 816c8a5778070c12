/// How the two terms of FiCoCo's filters are scaled before they are weighed against each other.
public enum TermScale: String, Sendable, Hashable, CaseIterable {
    /// As they are, as the paper writes them.
    case none
    /// Each to length one over the visual tokens of the picture, as the authors' code of FiCoCo-V does: then the weights
    /// weigh, whatever the size of the terms.
    case l2

    /// The weight of the vision term in FiCoCo-V's filter where nobody sets it: the paper's λ = 0.35, and the 0.65 of the
    /// authors' code where terms are scaled as there.
    var visionWeight: Double { self == .l2 ? 0.65 : 0.35 }

    /// One number for each visual token, scaled; a term of zeros stays one.
    func applied(to term: [Double]) -> [Double] {
        guard self == .l2 else { return term }
        let length = term.reduce(0) { $0 + $1 * $1 }.squareRoot()
        return term.map { $0 / max(length, 1e-12) }
    }
}
