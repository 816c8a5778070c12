import Tensors
import Testing
import TokenReduction
import VisionLanguage

/// Which rows of which tower layer the decoder gets to see.
struct SelectedFeaturesTests {
    private let golden = Golden.all[1]

    /// The checkpoint with other settings at the top level.
    private func model(_ settings: [String: any Sendable]) throws -> GreedyModel {
        let copy = try CheckpointCopy(of: golden)
        try copy.write()
        try copy.edit("config.json") { $0.merge(settings) { _, new in new } }
        return try GreedyModel(directory: copy.path, backend: PortableBackend())
    }

    private func features(_ greedy: GreedyModel, _ plan: ReductionPlan) throws -> Tensor {
        try greedy.model.encode([TileRequest(patches: greedy.prompt(golden.prompts()[0]).1, plan: plan)])[0]
            .features
    }

    @Test("`full` passes the class token on, before the same patches")
    func classToken() throws {
        let standard = try model([:]), full = try model(["vision_feature_select_strategy": "full"])
        #expect(full.model.configuration.visualTokens == 17)
        let rows = try features(full, full.plan())
        #expect(try rows.rows(1..<17).doubles == features(standard, standard.plan()).doubles)
    }

    @Test(
        "the class token is no patch: reductions neither count nor drop it",
        arguments: ["ficoco-v", "ficoco-l", "ficoco-vl"])
    func classTokenStays(method: String) throws {
        let full = try model(["vision_feature_select_strategy": "full"])
        let plan = try full.plan(method, keep: 5)
        let answer = try full.answer([full.prompt(golden.prompts()[0])], plans: [plan], tokens: 2)[0]
        #expect(try answer.sequence.reduction.trace().kept.count == 5)
        #expect(try features(full, plan).rows == plan.delivered + 1)
    }

    @Test("what the tower made of a tile is kept for the request that asked, and for no other beside it")
    func towerFeaturesOfOne() throws {
        let greedy = try model([:]), plan = try greedy.plan(), patches = try greedy.prompt(golden.prompts()[0]).1
        let tiles = try greedy.model.encode(
            [true, false].map { TileRequest(patches: patches, plan: plan, keepsTower: $0) })
        #expect(tiles[0].towerFeatures?.shape == [16, greedy.model.configuration.vision.hidden])
        #expect(tiles[1].towerFeatures == nil)
    }

    @Test(
        "the feature layer decides how many layers run", arguments: [(-1, 3), (-2, 2), (-4, 0), (0, 0), (1, 1), (3, 3)])
    func featureLayer(layer: Int, count: Int) throws {
        let greedy = try model(["vision_feature_layer": layer])
        #expect(greedy.model.configuration.visionLayersNeeded == count)
        #expect(try features(greedy, greedy.plan()).rows == 16)
        // Without layers there is nothing to reduce in.
        if count == 0 { #expect(throws: ReductionError.self) { try greedy.plan("ficoco-v", keep: 5) } }
    }
}
