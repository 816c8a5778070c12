import Foundation
import HDF5
import TestSupport
import Testing

extension BlackBox {
    /// `winnow reduce`: one reduction step on tensors from outside.
    @Suite struct ReduceTests {
        private let folder: TemporaryDirectory
        private var input: String { folder.file("case.h5").path }
        private var out: String { folder.file("out.h5").path }

        init() throws { folder = try TemporaryDirectory() }

        private func reduce(_ method: String, keep: Int, _ more: [String] = []) async throws -> RunningWinnow.End {
            try await winnow(["reduce", input, "--method", method, "--keep", "\(keep)", "--out", out] + more)
        }

        /// Every reading of every method, and grids that are not square: the first step of each golden chain.
        @Test(arguments: try ReductionGolden.all())
        func equalsTheOracle(golden: ReductionGolden) async throws {
            try golden.reductionCase().write(to: input)
            let end = try await reduce(
                golden.method, keep: golden.tokens - golden.removals[0],
                golden.options.sorted { $0.key < $1.key }.flatMap { ["--set", "\($0.key)=\($0.value)"] })
            try #require(end.code == 0, "\(end)")
            let reduced = try Reduced(out)
            let expected = golden.steps[0]
            let kept = (0..<golden.rows).filter { !expected.pruned.contains($0) }
            #expect(reduced.kept == kept && reduced.pruned == expected.pruned)
            #expect(Set(reduced.merges.keys) == Set(expected.merges.map { [Int($0[0]), Int($0[1])] }))
            for merge in expected.merges {
                #expect(abs((reduced.merges[[Int(merge[0]), Int(merge[1])]] ?? .nan) - merge[2]) < 1e-9)
            }
            #expect(farthest(reduced.scores, expected.scores ?? []) < 1e-9)
            #expect(reduced.hidden.shape == [kept.count, golden.width])
            #expect(farthest(reduced.hidden.values, (expected.states ?? []).flatMap { $0 }) < 1e-6)
        }

        @Test func precisionF32IsKeptInTheOutput() async throws {
            let golden = try #require(try ReductionGolden.all().first)
            var problem = golden.reductionCase()
            problem.attributes["precision"] = "f32"
            try problem.write(to: input)
            let end = try await reduce(
                golden.method, keep: golden.tokens - golden.removals[0], ["--set", "axis=row"])
            try #require(end.code == 0, "\(end)")
            let type = try File.reading(out) { file in try file.root.dataset("hidden").elementType }
            #expect(type == .float32)
            let states = try #require(golden.steps[0].states)
            #expect(farthest(try Reduced(out).hidden.values, states.flatMap { $0 }) < 1e-4)
        }

        /// The same case, told in the ways that people tell it.
        @Test(
            arguments: [
                ["grid": Attribute.integer(6)], ["grid": .integers([6])], ["grid": .integers([9, 6])],
                ["class_token": .boolean(true)], ["precision": nil], ["precision": "float64"],
            ] as [[String: Attribute?]])
        func attributesHaveMoreThanOneForm(change: [String: Attribute?]) async throws {
            let golden = try #require(
                try ReductionGolden.all().first { $0.method == "ficoco-v" && $0.grid == [6, 6] && $0.heads == 3 })
            var problem = golden.reductionCase()
            for (name, value) in change { problem.attributes[name] = value }
            try problem.write(to: input)
            let end = try await reduce("ficoco-v", keep: 29, ["--set", "axis=row"])
            try #require(end.code == 0, "\(end)")
            #expect(try Reduced(out).pruned == golden.steps[0].pruned)
        }

        /// No class token: -1, false, or nothing at all.
        @Test(arguments: [Attribute.integer(-1), .boolean(false), nil])
        func aSequenceWithoutAClassToken(attribute: Attribute?) async throws {
            let golden = try #require(try ReductionGolden.all().first { $0.method == "ficoco-l" })
            var problem = golden.reductionCase()
            problem.attributes["class_token"] = attribute
            try problem.write(to: input)
            let end = try await reduce(
                "ficoco-l", keep: golden.tokens - golden.removals[0], ["--set", "axis=literal"])
            try #require(end.code == 0, "\(end)")
            #expect(try Reduced(out).pruned == golden.steps[0].pruned)
        }

        @Test func whatIsThereIsNotOverwritten() async throws {
            try ReductionCase.small.write(to: input)
            try Data("mine".utf8).write(to: URL(fileURLWithPath: out))
            let end = try await reduce("ficoco-v", keep: 4)
            #expect(end.code == 2 && end.errors.contains(out), "\(end)")
            #expect(try String(contentsOfFile: out, encoding: .utf8) == "mine")
        }

        @Test(arguments: BadCase.allCases)
        func badCasesEndWithAMessage(bad: BadCase) async throws {
            try bad.problem.write(to: input)
            let end = try await reduce("ficoco-v", keep: bad.keep, bad.arguments)
            #expect(end.code == 1 || end.code == 2, "\(end)")
            #expect(end.errors.hasPrefix("winnow: ") && end.errors.contains(bad.word), "\(end)")
            #expect(!FileManager.default.fileExists(atPath: out))
        }

        @Test func filesThatAreNoHDF5() async throws {
            var end = try await reduce("ficoco-v", keep: 4)
            #expect(end.code == 2 && end.errors.contains(input), "absent: \(end)")
            try Data().write(to: URL(fileURLWithPath: input))
            end = try await reduce("ficoco-v", keep: 4)
            #expect(end.code == 1 && end.errors.contains(input), "empty: \(end)")
            try ReductionCase.small.write(to: folder.file("whole.h5").path)
            let whole = try Data(contentsOf: folder.file("whole.h5"))
            try whole.prefix(whole.count / 2).write(to: URL(fileURLWithPath: input))
            end = try await reduce("ficoco-v", keep: 4)
            #expect(end.code == 1 && end.errors.contains(input), "cut: \(end)")
        }

        private func farthest(_ left: [Double], _ right: [Double]) -> Double {
            let distances = zip(left, right).map { abs($0 - $1) }
            guard left.count == right.count, distances.allSatisfy(\.isFinite) else { return .infinity }
            return distances.max() ?? 0
        }
    }
}

/// What `winnow reduce` wrote.
private struct Reduced {
    let hidden: NumericArray<Double>
    let scores: [Double]
    let kept, pruned: [Int]
    /// Weights by source and target.
    let merges: [[Int]: Double]

    init(_ path: String) throws {
        self = try File.reading(path) { file in try Reduced(file.root) }
    }

    private init(_ root: borrowing Group) throws {
        hidden = try root.array("hidden", rank: 2)
        scores = try root.dataset("scores").read()
        kept = try root.dataset("kept").read(Int64.self).map { Int($0) }
        pruned = try root.dataset("pruned").read(Int64.self).map { Int($0) }
        let sources: [Int64] = try root.dataset("merge/source").read()
        let targets: [Int64] = try root.dataset("merge/target").read()
        let weights: [Double] = try root.dataset("merge/weight").read()
        merges = Dictionary(
            uniqueKeysWithValues: zip(zip(sources, targets), weights).map { ([Int($0.0), Int($0.1)], $1) })
    }
}
