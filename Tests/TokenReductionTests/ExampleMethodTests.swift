import Foundation
import Tensors
import TestSupport
import Testing
import TokenReduction

@Suite("The example of CONTRIBUTING.md")
struct ExampleMethodTests {
    @Test("stands there as it is compiled here")
    func asPrinted() throws {
        let file = Repository.root.appendingPathComponent("Tests/TokenReductionTests/ExampleMethod.swift")
        let compiled = try String(contentsOf: file, encoding: .utf8).split(separator: "\n\n", maxSplits: 1)
        let page = try String(contentsOf: Repository.root.appendingPathComponent("CONTRIBUTING.md"), encoding: .utf8)
        let section = try #require(page.components(separatedBy: "\n## ").first { $0.hasPrefix("Adding a method\n") })
        let blocks = section.components(separatedBy: "```")
        try #require(compiled.count == 2 && blocks.count == 3)
        #expect(blocks[1] == "swift\n" + compiled[1])
    }

    @Test("keeps the middle where attention says nothing, and what is attended to where the place does not count")
    func ranking() throws {
        func kept(_ count: Int, _ attention: [Double], _ options: [String: String] = [:]) throws -> [Int] {
            let cells = [0] + attention + [Double](repeating: 0, count: 90)
            let map = try AttentionMap(Tensor(cells, shape: [10, 10]), scores: .probabilities)
            let layer = try LayerView(
                layout: .encoder(visualTokens: 9), evidence: Evidence(attention: map),
                grid: PatchGrid(rows: 3, columns: 3), positions: Array(0..<9))
            let stages = try #require(MethodRecipe.centredAttention.method(options: options).encoder)
            let hidden = Tensor([Double](repeating: 1, count: 20), shape: [10, 2])
            return try stages.reduce(layer, hidden: hidden, removing: 9 - count).kept
        }
        var attention = [Double](repeating: 0.1, count: 9)
        #expect(try kept(1, attention) == [0, 5])
        #expect(try kept(5, attention) == [0, 2, 4, 5, 6, 8])
        attention[8] = 0.2
        #expect(try kept(1, attention, ["centre": "0"]) == [0, 9])
        #expect(throws: ReductionError.self) { try kept(1, attention, ["centre": "11"]) }
    }
}
