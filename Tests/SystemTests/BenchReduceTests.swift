import Foundation
import Testing

extension BlackBox {
    /// Measuring what the steps of methods take; how long that is says nothing about right or wrong.
    @Suite struct BenchReduceTests {
        @Test func measuresAStep() async throws {
            struct Spread: Decodable { let median, least, greatest: Double }
            struct Step: Decodable {
                let method, place: String
                let removed, steps: Int
                let step: Spread
            }
            struct Measured: Decodable {
                let layerSeconds: Double
                let steps: [Step]
            }
            let end = try await winnow(
                "bench", "reduce", "--method", "ficoco-v", "--method", "ficoco-l", "--runs", "1", "--output", "json")
            let measured = try Measured(printed: end.output)
            #expect(measured.layerSeconds > 0)
            #expect(measured.steps.map(\.method) == ["ficoco-v", "ficoco-l"])
            #expect(measured.steps.map(\.place) == ["encoder", "decoder"])
            #expect(measured.steps.map(\.removed) == [43, 18] && measured.steps.map(\.steps) == [12, 29])
            for step in measured.steps { #expect(step.step.least > 0 && step.step.greatest >= step.step.median) }
        }
    }
}
