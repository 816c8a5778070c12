import Foundation
import TestSupport
import Testing

extension BlackBox {
    /// Seeded runs in which processes die, stop, lose each other and meet full disks; afterwards the invariants I1 to I8
    /// hold, which README.md in this folder lists.
    ///
    /// `WINNOW_CHAOS_SEEDS=17` or `=1-200` chooses the runs.
    @Suite(
        .enabled(if: SystemPython.hasH5py, "python3-h5py is not installed: nobody independent can check the results"))
    struct ChaosTests {
        /// Runs at the same time; most of their time they wait.
        private static let atOnce = 4

        @Test func theInvariantsHoldAfterEveryRun() async throws {
            let seeds = try Self.seeds()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for (index, seed) in seeds.enumerated() {
                    if index >= Self.atOnce { try await group.next() }
                    group.addTask { await Self.run(seed) }
                }
                try await group.waitForAll()
            }
        }

        private static func run(_ seed: UInt64) async {
            let plan = ChaosPlan(seed: seed)
            let again = "\(plan)\nrepeat it with: WINNOW_CHAOS_SEEDS=\(seed) ops/test --filter ChaosTests"
            do {
                let findings = try await ChaosRun(plan).run()
                #expect(findings.violations.isEmpty, "\(findings.violations.joined(separator: "\n"))\n\(again)")
                print(
                    "chaos seed \(seed): \(findings.figures.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", "))"
                )
            } catch {
                Issue.record("\(error)\n\(again)")
            }
        }

        private static func seeds() throws -> ClosedRange<UInt64> {
            guard let text = ProcessInfo.processInfo.environment["WINNOW_CHAOS_SEEDS"] else { return 1...20 }
            let ends = text.split(separator: "-").map { UInt64($0) }
            if let first = ends.first ?? nil, let last = ends.last ?? nil, ends.count <= 2, first <= last {
                return first...last
            }
            throw RunningWinnow.Trouble(description: "WINNOW_CHAOS_SEEDS is '\(text)'; write 17 or 1-200")
        }
    }
}
