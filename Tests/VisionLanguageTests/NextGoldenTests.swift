import Foundation
import ImageDecoding
import JobModel
import JobVocabulary
import Tensors
import TestSupport
import Testing
import TokenReduction
import VisionLanguage

/// LLaVA-NeXT against Hugging Face transformers 4.57 on a tiny checkpoint.
struct NextGoldenTests {
    private func greedy(
        _ backend: any Backend = CPUBackend(precision: .float32, threads: 2), directory: String? = nil
    ) throws -> GreedyModel {
        try GreedyModel(directory: directory ?? NextGolden.checkpoint.directory, backend: backend)
    }

    @Test("the samples of every tile, and the rows of every picture")
    func tiles() throws {
        let greedy = try greedy(), golden = try NextGolden.file()
        let canvases = try #require(greedy.model.configuration.anyResolution?.canvases)
        #expect(golden.pictures.count == 14)
        for picture in golden.pictures {
            let decoded = try Picture(contentsOf: URL(fileURLWithPath: picture.path))
            #expect(decoded.width == picture.width && decoded.height == picture.height)
            let tiled = TiledPicture(decoded, canvases: canvases, tile: 56)
            #expect(try tiled.tiles.flatMap(\.pixels) == NextGolden.samples(picture.name), "\(picture.name)")
            let prepared = try greedy.processor.prepare(path: picture.path, framing: nil)
            #expect(prepared.tiles.count == prepared.tiling.tiles)
            #expect(greedy.model.configuration.rows(of: prepared.tiling) == picture.rows, "\(picture.name)")
        }
    }

    @Test("features that enter the decoder, newlines among them", arguments: GoldenTests.backends.indices)
    func features(backend: Int) throws {
        let greedy = try greedy(GoldenTests.backends[backend]()), plan = try greedy.plan()
        let newline = try Checkpoint(directory: NextGolden.checkpoint.directory).tensor("image_newline").doubles
        for picture in try NextGolden.file().pictures {
            let input = try greedy.input("<image>", pictures: [picture.name], plan)
            let visual = greedy.model.features(of: input).doubles, width = newline.count
            var row = 0
            let found = input.pictures[0].tiling.sequence.flatMap { kind -> [Double] in
                guard case .token = kind else { return newline }
                defer { row += 1 }
                return Array(visual[row * width..<(row + 1) * width])
            }
            let expected = try NextGolden.checkpoint.numbers("features/\(picture.name)")
            #expect(found.count == expected.count)
            #expect(relativeError(found, expected) < 1e-5, "\(picture.name)")
        }
    }

    @Test("f32 logits and 32 greedy tokens of 20 prompts", arguments: GoldenTests.backends.indices)
    func answers(backend: Int) throws {
        let greedy = try greedy(GoldenTests.backends[backend]()), prompts = try NextGolden.file().prompts
        #expect(prompts.count == 20 && prompts.allSatisfy { $0.token_ids.count == 32 })
        try expectAnswers(greedy, prompts)
    }

    @Test("the same of a decoder and a tokenizer as of Llama 3", arguments: GoldenTests.backends.indices)
    func llama3(backend: Int) throws {
        let golden = NextGolden.llama3, prompts = try NextGolden.prompts(of: golden)
        let greedy = try greedy(GoldenTests.backends[backend](), directory: golden.directory)
        // Some answers end before; 703 is <|eot_id|>.
        #expect(prompts.count == 15 && prompts.allSatisfy { $0.token_ids.count == 32 || $0.token_ids.last == 703 })
        #expect(prompts.count { $0.token_ids.count == 32 } >= 12)
        try expectAnswers(greedy, prompts, golden)
    }

    private func expectAnswers(
        _ greedy: GreedyModel, _ prompts: [NextGolden.Prompt], _ checkpoint: Golden = NextGolden.checkpoint
    ) throws {
        let plan = try greedy.plan(), image = greedy.model.configuration.imageToken
        let inputs = try prompts.map { try greedy.input($0, plan) }
        let answers = try greedy.answer(inputs, tokens: 32)
        for (index, golden) in prompts.enumerated() {
            let input = inputs[index], answer = answers[index]
            #expect(
                input.prompt.expanded(imageToken: image, rows: golden.pictures.map { _ in 1 })
                    == golden.prompt_token_ids)
            #expect(input.rows == golden.rows && answer.sequence.promptTokens == golden.rows)
            let expected = try checkpoint.numbers("last_logits/\(golden.name)")
            // The authors' layout has no rows for the tokens that were added to fill up the vocabulary.
            #expect(answer.logits.count == greedy.model.configuration.text.vocabulary)
            #expect(
                relativeError(answer.logits, Array(expected.prefix(answer.logits.count))) < 1e-4, "\(golden.name)")
            #expect(Array(answer.ids.prefix(golden.token_ids.count)) == golden.token_ids, "\(golden.name)")
        }
    }

    private func some(_ names: String...) throws -> [NextGolden.Prompt] {
        let prompts = try NextGolden.file().prompts.filter { names.contains($0.name) }
        #expect(prompts.count == names.count)
        return prompts
    }

    @Test("names of later versions of transformers", arguments: CheckpointLayoutTests.oneFolder)
    func names(_ names: CheckpointLayoutTests.Names) throws {
        var copy = try CheckpointCopy(of: NextGolden.checkpoint)
        copy.rename { names($0) }
        try copy.write()
        try expectAnswers(copy.load(), some("wide", "two_pictures"))
    }

    /// The checkpoint as the authors publish theirs: a fine-tuned tower among the weights, canvases as width and height.
    static func originalCopy(_ edit: (inout [String: Any]) -> Void = { _ in }) throws -> CheckpointCopy {
        var copy = try CheckpointLayoutTests.originalCopy(of: NextGolden.checkpoint, tower: "clip_tower")
        for (name, tensor) in try CheckpointCopy(of: NextGolden.checkpoint).tensors
        where name.hasPrefix("vision_tower.") { copy.tensors["model.vision_tower." + name] = tensor }
        copy.tensors["model.image_newline"] = copy.tensors.removeValue(forKey: "image_newline")
        try copy.write()
        try copy.remove("clip_tower/model.safetensors")
        try copy.edit("config.json") { config in
            config.merge([
                "model_type": "llava", "image_aspect_ratio": "anyres", "mm_patch_merge_type": "spatial_unpad",
                "image_grid_pinpoints": [[112, 56], [56, 112], [112, 112], [56, 168], [168, 56]],
                "image_crop_resolution": 224, "unfreeze_mm_vision_tower": true,
            ]) { _, new in new }
            edit(&config)
        }
        return copy
    }

    @Test("the authors' layout, with a list or a text of canvases")
    func original() throws {
        try expectAnswers(Self.originalCopy().load(), some("wide", "two_pictures", "interleaved"))
        let text = "[(112, 56), (56, 112), (112, 112), (56, 168), (168, 56)]"
        let greedy = try Self.originalCopy { $0["image_grid_pinpoints"] = text }.load()
        #expect(greedy.model.configuration.anyResolution?.unpadding == .truncated)
        try expectAnswers(greedy, some("wide"))
    }

    @Test(
        "packed, the authors' layout takes its tower's settings along, and has one fingerprint however the tower is named"
    )
    func originalPacked() throws {
        let copy = try Self.originalCopy(), folder = try TemporaryDirectory(), packed = folder.file("packed").path
        let found = try ModelFolder(directory: copy.path)
        let named = try ModelFolder(directory: copy.path, visionTower: copy.path + "/clip_tower")
        #expect(try found.fingerprint().value() == named.fingerprint().value())
        _ = try ModelPacking.pack(found, weights: .f32, threads: 2, to: packed)
        try expectAnswers(greedy(directory: packed), some("wide"))
    }

    @Test(
        "what of the authors' layout is not built is refused by name",
        arguments: [
            ("mm_patch_merge_type", "spatial"), ("mm_patch_merge_type", nil),
            ("image_grid_pinpoints", "(1x1),...,(6x6)"),
            ("image_grid_pinpoints", nil), ("image_aspect_ratio", "anyres_max_9"),
            ("mm_vision_select_feature", "cls_patch"),
        ] as [(String, String?)])
    func originalRefused(key: String, value: String?) throws {
        let copy = try Self.originalCopy { $0[key] = value }
        let error = #expect(throws: ModelError.self) { try LLaVAConfiguration(directory: copy.path) }
        #expect(
            error?.code == .malformedConfiguration && error?.message.contains(key) == true, "\(error?.message ?? "")")
    }

    @Test("a checkpoint without its newline is incomplete")
    func noNewline() throws {
        var copy = try CheckpointCopy(of: NextGolden.checkpoint)
        copy.tensors["image_newline"] = nil
        try copy.write()
        let error = #expect(throws: ModelError.self) { try copy.load() }
        #expect(error?.code == .missingTensor && error?.message.contains("image_newline") == true)
    }

    @Test("a Mistral decoder is the same network with other defaults")
    func mistral() throws {
        let copy = try CheckpointCopy(of: NextGolden.checkpoint)
        try copy.write()
        try copy.edit(section: "text_config") { text in
            text["model_type"] = "mistral"
            text["sliding_window"] = NSNull()
            for key in ["attention_bias", "mlp_bias", "pretraining_tp", "rope_scaling"] { text[key] = nil }
        }
        try expectAnswers(copy.load(), some("wide", "interleaved"))
    }

    @Test("a packed model answers the same")
    func packed() throws {
        let folder = try TemporaryDirectory(), packed = folder.file("packed").path
        _ = try ModelPacking.pack(
            ModelFolder(directory: NextGolden.checkpoint.directory), weights: .f32, threads: 2, to: packed)
        try expectAnswers(greedy(directory: packed), some("wide", "two_pictures"))
    }

    @Test("a random checkpoint is read again")
    func random() throws {
        var configuration = try LLaVAConfiguration(directory: NextGolden.checkpoint.directory)
        let folder = try TemporaryDirectory(), path = folder.file("random").path
        _ = try RandomCheckpoint.write(configuration, to: path, shardBytes: 1 << 20)
        configuration.endOfSequence = [2]
        #expect(try LLaVAConfiguration(directory: path) == configuration)
        let plan = try ReductionPlan(method: "none", keep: nil, model: configuration.depth)
        let backend = CPUBackend(precision: .float32, threads: 1)
        for model in [
            try LLaVA(directory: path, backend: backend),
            try LLaVA(random: configuration, seed: 1, backend: backend),
        ] {
            let greedy = try greedy(), prompt = try greedy.input("<image>", pictures: ["wide"], plan)
            let picture = try greedy.processor.prepare(path: NextGolden.path("wide"), framing: nil)
            let tiles = try model.encode(picture.tiles.map { TileRequest(patches: $0.patches, plan: plan) })
            let input = DecoderInput(
                prompt.prompt, [EncodedPicture(tiles, picture.tiling)], plan: plan)
            #expect(try model.prefill([input], room: [1]).logits.doubles.allSatisfy(\.isFinite))
        }
    }

    @Test("pictures are taken as they are: a framing is refused")
    func framing() throws {
        let greedy = try greedy()
        for framing in PictureFraming.allCases {
            let error = #expect(throws: ModelError.self) {
                try greedy.processor.prepare(path: NextGolden.path("wide"), framing: framing)
            }
            #expect(error?.code == .malformedConfiguration && error?.message.contains("--image-mode") == true)
        }
    }

    @Test("a job may be as large as the largest canvas")
    func memory() throws {
        let configuration = try LLaVAConfiguration(directory: NextGolden.checkpoint.directory)
        // A base tile of 16, and lines across 8 patches: 8 of them on 2 x 2 tiles, 12 across 4 on 3 x 1.
        #expect(configuration.mostRowsPerPicture == 16 + 8 * 9)
        let memory = ModelMemory(configuration, weights: nil, stored: .f16, activations: .float32)
        #expect(memory.rowsPerJob == 88 + 256)
    }

    @Test("more than the context holds is refused before a tower runs")
    func tooLong() throws {
        let copy = try CheckpointCopy(of: NextGolden.checkpoint)
        try copy.write()
        try copy.edit(section: "text_config") { $0["max_position_embeddings"] = 100 }
        let greedy = try copy.load(), plan = try greedy.plan(), text = "USER: <image>\nWhat is this? ASSISTANT:"
        let prompt = try greedy.processor.prompt(text, template: .none)
        let (square, wide) = try (
            greedy.processor.prepare(path: NextGolden.path("square"), framing: nil).tiling,
            greedy.processor.prepare(path: NextGolden.path("wide"), framing: nil).tiling
        )
        let error = #expect(throws: ModelError.self) { try greedy.model.check(prompt, [square], plan: plan) }
        let rows = prompt.text.count + 88
        #expect(error?.code == .promptTooLong && error?.message.contains("has \(rows) tokens") == true)
        try greedy.model.check(prompt, [wide], plan: plan)
        // Reduced in the tower: 5 tiles of 2 tokens each, without newlines.
        try greedy.model.check(prompt, [square], plan: greedy.plan("fastervlm", keep: 2))
        // Where a tile settles itself what stays, one token of each at least.
        try copy.edit(section: "text_config") { $0["max_position_embeddings"] = prompt.text.count + 5 }
        let small = try copy.load(),
            least = #expect(throws: ModelError.self) {
                try small.model.check(
                    prompt, [square], plan: small.plan("prumerge", keep: 6, options: ["count": "adaptive"]))
            }
        #expect(least?.message.contains("has at least \(prompt.text.count + 5) tokens") == true)
    }
}
