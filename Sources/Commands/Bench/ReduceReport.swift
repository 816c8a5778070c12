import Foundation

/// The median of several measurements, and the least and greatest of them.
struct Spread: Encodable {
    let median, least, greatest: Double

    init(_ values: [Double]) {
        let sorted = values.sorted(), middle = sorted.count / 2
        median =
            sorted.isEmpty
            ? 0 : sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
        least = sorted.first ?? 0
        greatest = sorted.last ?? 0
    }
}

/// What `winnow bench reduce` prints; ratios, the vision layer's own time is 1.
struct ReduceReport: Encodable {
    /// One method in one place.
    struct Step: Encodable {
        let method, place: String
        /// Tokens that the step gives up, and how many steps the method has in LLaVA-1.5-7B.
        let removed, steps: Int
        /// Filter, correlate and compress.
        let step: Spread
        /// What the layer takes longer because it offers what the method looks at.
        let evidence: Spread
        /// All steps, of a tower of 23 layers.
        let allStepsOfTower: Double
    }

    let backend: String
    let threads, runs, keep: Int
    /// Seconds of the vision layer.
    let layerSeconds: Double
    let steps: [Step]

    func text() -> String {
        var table = TextTable(
            [
                "method", "place", "gives up", "step", "least", "greatest", "evidence", "least", "greatest",
                "all steps, of tower",
            ],
            rightAligned: [2, 3, 4, 5, 6, 7, 8, 9])
        for step in steps {
            table.add(
                [step.method, step.place, "\(step.steps) × \(step.removed)"]
                    + [step.step, step.evidence].flatMap { [$0.median, $0.least, $0.greatest] }.map(percent)
                    + [percent(step.allStepsOfTower)])
        }
        return """
            \(backend), \(counted(threads, "thread")), 577 rows, 16 heads, width 1024; \
            medians of \(runs), one vision layer's own time is 100 %

            \(table.text())
            """
    }

    private func percent(_ value: Double) -> String { String(format: "%.2f %%", 100 * value) }
}
