import Intervals
import Testing

struct PairedBootstrapTests {
    @Test func equalMethodsDoNotDiffer() {
        let bootstrap = PairedBootstrap([Double](repeating: 0, count: 40), clusters: (0..<40).map { "\($0 / 4)" })
        #expect(bootstrap.mean == 0 && bootstrap.low == 0 && bootstrap.high == 0)
    }

    /// For independent clusters of one, the interval is near mean ± 1.96 standard errors.
    @Test func agreesWithTheNormalApproximation() {
        let differences = (0..<400).map { Double(($0 * 7919) % 5) - 1.5 }
        let mean = differences.reduce(0, +) / 400
        let deviation = (differences.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 400).squareRoot()
        let bootstrap = PairedBootstrap(differences, clusters: (0..<400).map { "\($0)" })
        #expect(abs(bootstrap.mean - mean) < 1e-12)
        #expect(abs(bootstrap.low - (mean - 1.96 * deviation / 20)) < 0.02)
        #expect(abs(bootstrap.high - (mean + 1.96 * deviation / 20)) < 0.02)
        #expect(bootstrap.low > 0 || bootstrap.high < 0)
    }

    /// Questions that always agree with the others about their picture count once, not four times.
    @Test func questionsOfOnePictureAreNotIndependent() {
        let perPicture = (0..<100).map { Double(($0 * 7919) % 3) - 1 }
        let four = perPicture.flatMap { [Double](repeating: $0, count: 4) }
        let single = PairedBootstrap(perPicture, clusters: (0..<100).map { "\($0)" })
        let clustered = PairedBootstrap(four, clusters: (0..<400).map { "\($0 / 4)" })
        let wronglyIndependent = PairedBootstrap(four, clusters: (0..<400).map { "\($0)" })
        #expect(abs((clustered.high - clustered.low) - (single.high - single.low)) < 1e-9)
        #expect((wronglyIndependent.high - wronglyIndependent.low) < 0.6 * (clustered.high - clustered.low))
    }

    @Test func theSameSeedDrawsTheSame() {
        let differences = (0..<50).map { Double($0 % 7) }
        let clusters = (0..<50).map { "\($0)" }
        #expect(PairedBootstrap(differences, clusters: clusters) == PairedBootstrap(differences, clusters: clusters))
        #expect(PairedBootstrap([3], clusters: ["a"]).low == 3)
        #expect(PairedBootstrap([], clusters: []).mean == 0)
    }
}
