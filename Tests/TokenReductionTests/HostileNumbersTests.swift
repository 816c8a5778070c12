import Tensors
import Testing
import TokenReduction

/// Whatever a stranger's tensors hold, a reduction is carried out or refused with a typed error; it never traps.
@Suite("Numbers that no layer computes")
struct HostileNumbersTests {
    enum Harm: String, CaseIterable, Sendable {
        case negative, nan, infinite, huge, zero, tiny, hugeStates, nanStates, constant
    }

    private let layout = TokenLayout(rows: 21, visual: [1..<17], classToken: 0)

    private func map(_ harm: Harm, scores: AttentionScores) throws -> AttentionMap {
        var generator = Generator(seed: 5)
        let made = try AttentionMap(
            averagingHeadsOf: generator.attention(heads: 2, rows: 21, scores: scores, causal: false))
        var cells = (0..<21).flatMap { made.row($0, columns: [0..<21]) }
        switch harm {
        case .negative: cells = cells.map { -$0 }
        case .nan: for column in 0..<21 { cells[column] = .nan }
        case .infinite: for column in 1..<21 { cells[column] = .infinity }
        case .huge: cells = cells.map { $0 * 1e308 }
        case .zero: cells = cells.map { _ in 0 }
        case .tiny: cells = cells.map { $0 * 1e-320 }
        case .constant: cells = cells.map { _ in 1.0 / 21 }
        case .hugeStates, .nanStates: break
        }
        return try AttentionMap(Tensor(cells, shape: [21, 21]), scores: scores)
    }

    private func hidden(_ harm: Harm) -> Tensor {
        var generator = Generator(seed: 6)
        let states = generator.states(rows: 21, width: 6).doubles
        let harmed =
            switch harm {
            case .hugeStates: states.map { $0 * 1e300 }
            case .nanStates: states.map { _ in Double.nan }
            case .constant: states.map { _ in 1.0 }
            default: states
            }
        return Tensor(harmed, shape: [21, 6])
    }

    @Test("every method, as a step of its own and inside a layer", arguments: Harm.allCases)
    func neverATrap(harm: Harm) throws {
        for name in MethodCatalogue.all.map(\.name) {
            let method = try MethodCatalogue.method(named: name)
            for place in method.places {
                guard let stages = method.stages(in: place) else { continue }
                let scores: AttentionScores = stages.needs.contains(.attentionLogits) ? .logits : .probabilities
                let attention = try map(harm, scores: scores)
                let evidence = try Evidence.made(attention, layout, seed: 7, needs: stages.needs)
                for keep in [1, 7, 9, 15] {
                    // What a step does with such numbers is its own matter, as long as it ends and keeps its promise.
                    let view = try LayerView(
                        layout: layout, evidence: evidence, grid: PatchGrid(rows: 4, columns: 4),
                        positions: Array(0..<16))
                    do {
                        let step = try stages.reduce(view, hidden: hidden(harm), removing: 16 - keep)
                        #expect(step.pruned.count == 16 - keep, "\(name) \(harm)")
                    } catch {
                        #expect(!error.message.isEmpty)
                    }
                    do {
                        let single = try SingleReduction(
                            method: method, keep: keep, hidden: hidden(harm), evidence: evidence, layout: layout,
                            grid: PatchGrid(rows: 4, columns: 4))
                        #expect(single.hidden.rows == 5 + keep, "\(name) \(harm)")
                    } catch {
                        #expect(!error.message.isEmpty)
                    }
                }
            }
        }
    }

    @Test("attention that is no probability is named", arguments: [Harm.negative, .huge])
    func notProbabilities(harm: Harm) throws {
        let error = try #require(throws: ReductionError.self) {
            try SingleReduction(
                method: MethodCatalogue.method(named: "holov"), keep: 7, hidden: hidden(harm),
                evidence: Evidence(attention: map(harm, scores: .probabilities)), layout: layout,
                grid: PatchGrid(rows: 4, columns: 4))
        }
        #expect(error.code == .mismatch && error.message.contains("from 0 to 1"))
    }

    @Test("quotas by attention below zero or without end are refused by the filter itself", arguments: [-1.0, 1e308])
    func quotas(factor: Double) throws {
        let attention = (0..<21).map { _ in factor / 21 }
        var evidence = Evidence()
        evidence.observer = Tensor(attention, shape: [1, 21])
        let stages = try #require(try MethodCatalogue.method(named: "holov").projector)
        let view = try LayerView(
            layout: layout, evidence: evidence, grid: PatchGrid(rows: 4, columns: 4), positions: Array(0..<16))
        let error = try #require(throws: ReductionError.self) {
            try stages.reduce(view, hidden: hidden(.zero), removing: 9)
        }
        #expect(error.code == .notFinite)
    }

    @Test("a budget that there is no room for", arguments: [0, -1, 17, Int.min, Int.max])
    func budgets(keep: Int) throws {
        let error = try #require(throws: ReductionError.self) {
            try SingleReduction(
                method: MethodCatalogue.method(named: "divprune"), keep: keep, hidden: hidden(.zero),
                evidence: Evidence(), layout: layout, grid: PatchGrid(rows: 4, columns: 4))
        }
        #expect(error.code == .badBudget && error.message.contains("16"))
    }
}
