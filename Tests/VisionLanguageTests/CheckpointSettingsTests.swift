import Foundation
import ImageDecoding
import JobVocabulary
import Tensors
import TestSupport
import Testing
import Tokenization
import VisionLanguage

/// The law of settings: a key of a checkpoint's files that changes results is obeyed or refused by name.
struct CheckpointSettingsTests {
    private static let golden = Golden.all[1]

    /// A copy of the checkpoint whose files hold the settings of a place.
    private func copy(for place: CheckpointSettings) throws -> CheckpointCopy {
        switch place {
        case .original: try CheckpointLayoutTests.originalCopy(of: Self.golden, tower: "clip_tower")
        case .originalNext: try NextGoldenTests.originalCopy()
        case .next, .tiles: try CheckpointCopy(of: NextGolden.checkpoint)
        case .model, .text, .vision, .pictures, .tokenizer: try CheckpointCopy(of: Self.golden)
        }
    }

    /// Reads everything that the settings of one place have a say in, after a key has got a value there.
    private func read(
        _ place: CheckpointSettings, _ key: String? = nil, _ value: Any = 0
    ) throws -> (LLaVAConfiguration, LLaVAProcessor) {
        let copy = try copy(for: place)
        if let key {
            // What ends an answer stands in a file of its own first.
            if key == "eos_token_id" { try copy.remove("generation_config.json") }
            switch place {
            case .model, .original, .originalNext, .next: try copy.edit("config.json") { $0[key] = value }
            case .text: try copy.edit(section: "text_config") { $0[key] = value }
            case .vision: try copy.edit(section: "vision_config") { $0[key] = value }
            case .tokenizer: try copy.edit("tokenizer_config.json") { $0[key] = value }
            case .pictures, .tiles: try copy.edit("preprocessor_config.json") { $0[key] = value }
            }
        }
        let configuration = try LLaVAConfiguration(directory: copy.path)
        return (configuration, try LLaVAProcessor(directory: copy.path, configuration: configuration))
    }

    private func expectRefusal(
        _ place: CheckpointSettings, _ key: String, _ value: Any, sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let error = #expect(throws: ModelError.self, "\(place) \(key)", sourceLocation: sourceLocation) {
            _ = try read(place, key, value)
        }
        #expect(
            error?.code == .malformedConfiguration && error?.message.contains(key) == true, "\(error?.message ?? "")",
            sourceLocation: sourceLocation)
    }

    @Test("what would change results and is not built is refused by name", arguments: CheckpointSettings.allCases)
    func refused(place: CheckpointSettings) throws {
        for (key, standing) in place.standings {
            guard case .refusedUnless(let neutral) = standing else { continue }
            for value in [7, "something", ["a": 1]] as [Any] { expectRefusal(place, key, value) }
            for text in neutral {
                let value: Any = text == "[:]" ? [String: Any]() : Int(text).map { $0 as Any } ?? text
                _ = try read(place, key, value)
            }
            _ = try read(place, key, NSNull())
        }
    }

    @Test("what has no effect may be anything", arguments: CheckpointSettings.allCases)
    func withoutEffect(place: CheckpointSettings) throws {
        let plain = try read(place)
        func pixels(_ processor: LLaVAProcessor) throws -> [Float] {
            let picture = Repository.fixture("model/images/picture-0.png").path
            return try processor.prepare(path: picture, framing: nil).tiles.flatMap(\.patches.floats)
        }
        let text = "<s> What's <image>this ?", ids = try plain.1.tokenizer.encode(text)
        for (key, standing) in place.standings where standing == .withoutEffect {
            let changed = try read(place, key, "something")
            #expect(changed.0 == plain.0, "\(key)")
            #expect(try changed.1.tokenizer.encode(text) == ids, "\(key)")
            #expect(changed.1.tokenizer.decode(ids) == plain.1.tokenizer.decode(ids), "\(key)")
            if place == .pictures || place == .tiles { #expect(try pixels(changed.1) == pixels(plain.1), "\(key)") }
        }
        #expect(try read(place, "_noted_by_a_library", 7).0 == plain.0)
    }

    /// A value that cannot be meant shows that somebody reads the key.
    @Test("what is obeyed is read", arguments: CheckpointSettings.allCases)
    func obeyed(place: CheckpointSettings) throws {
        for (key, standing) in place.standings where standing == .obeyed {
            // Of two names of one key the first counts; a tower's type and a folder are texts; scaling is an object.
            let value: Any = key == "rope_scaling" || key == "rope_parameters" ? ["rope_type": "yarn"] : ["a": 1]
            #expect(throws: (any Error).self, "\(place) \(key)") { try read(place, key, value) }
        }
    }

    @Test("what nobody knows is named", arguments: CheckpointSettings.allCases)
    func unknown(place: CheckpointSettings) { expectRefusal(place, "creativity", 11) }

    @Test("the list in Jobs/checkpoints.md is that of the code")
    func documented() throws {
        let file = Repository.root.appendingPathComponent("Jobs/checkpoints.md")
        var found: Set<String> = []
        var place = ""
        for line in try String(contentsOf: file, encoding: .utf8).split(separator: "\n") {
            if line.hasPrefix("## ") { place = String(line.split(separator: "`")[1]) }
            let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
            guard cells.count == 2, cells[1].hasPrefix("`") else { continue }
            for key in cells[1].split(separator: ",") {
                found.insert("\(place) \(key.trimmingCharacters(in: CharacterSet(charactersIn: " `"))): \(cells[0])")
            }
        }
        func words(_ standing: SettingStanding) -> String {
            switch standing {
            case .obeyed: "obeyed"
            case .chosenByTheBatch: "chosen by the batch"
            case .withoutEffect: "no effect"
            case .refusedUnless([]): "refused"
            case .refusedUnless(let neutral): "refused unless " + neutral.joined(separator: ", ")
            }
        }
        var expected: Set<String> = []
        for place in CheckpointSettings.allCases {
            for (key, standing) in place.standings
            where GenerationSettings.standings[key] == nil || standing == .obeyed || place == .tokenizer {
                expected.insert("\(place.rawValue) \(key): \(words(standing))")
            }
        }
        #expect(found.subtracting(expected) == [] && expected.subtracting(found) == [])
    }

    @Test("null is no value, in a tower of its own as well", arguments: CheckpointSettings.allCases)
    func null(place: CheckpointSettings) throws {
        let plain = try read(place).0
        for (key, standing) in place.standings {
            guard case .refusedUnless = standing else { continue }
            #expect(try read(place, key, NSNull()).0 == plain, "\(key)")
        }
        let copy = try CheckpointLayoutTests.originalCopy(of: Self.golden, tower: "clip_tower")
        for key in ["quantization_config", "compression_config"] {
            try copy.edit("clip_tower/config.json") { $0[key] = NSNull() }
            _ = try LLaVAConfiguration(directory: copy.path)
        }
    }

    @Test("canvases are whole tiles, and the same for the model and its image processor")
    func canvases() throws {
        let key = "image_grid_pinpoints"
        for value in [[[56, 100]], [[56]], [], [[0, 56]], [[56, 56, 56]], "(1x1),(2x2)", [[56, 112.5]]] as [Any] {
            expectRefusal(.next, key, value)
        }
        // Two lists of whole tiles that differ.
        expectRefusal(.next, key, [[56, 112]])
        expectRefusal(.tiles, key, [[56, 112]])
        // Without the key, either means the list of the released checkpoints: 336 pixels are 6 tiles here.
        expectRefusal(.next, key, NSNull())
        let both = try copy(for: .next)
        for file in ["config.json", "preprocessor_config.json"] { try both.edit(file) { $0[key] = nil } }
        #expect(try LLaVAConfiguration(directory: both.path).anyResolution == .released)
        for file in ["config.json", "preprocessor_config.json"] {
            try both.edit(file) { $0[key] = [[56 * 300, 56 * 300]] }
        }
        let large = #expect(throws: ModelError.self) { try LLaVAConfiguration(directory: both.path) }
        #expect(large?.message.contains(key) == true)
    }

    @Test("LLaVA-NeXT takes its own image processor, and features of patches alone")
    func next() throws {
        _ = try read(.tiles, "image_processor_type", "LlavaNextImageProcessorFast")
        expectRefusal(.tiles, "image_processor_type", "CLIPImageProcessor")
        expectRefusal(.pictures, "image_processor_type", "LlavaNextImageProcessor")
        expectRefusal(.tiles, "size", ["shortest_edge": 57])
        expectRefusal(.next, "vision_feature_select_strategy", "full")
    }

    @Test("Mistral's defaults, and no window")
    func mistral() throws {
        func text(_ edit: @escaping (inout [String: Any]) -> Void) throws -> LLaVAConfiguration.Text {
            let copy = try copy(for: .next)
            try copy.edit(section: "text_config") { text in
                text = ["model_type": "mistral", "sliding_window": NSNull(), "vocab_size": 704]
                edit(&text)
            }
            return try LLaVAConfiguration(directory: copy.path).text
        }
        let plain = try text { _ in }
        #expect(plain.hidden == 4096 && plain.intermediate == 14336 && plain.layers == 32 && plain.heads == 32)
        #expect(plain.keyValueHeads == 8 && plain.headSize == 128 && plain.context == 131_072)
        #expect(plain.epsilon == 1e-6 && plain.ropeBase == 10_000 && !plain.tiesHead)
        #expect(try text { $0["rope_theta"] = 1e6 }.ropeBase == 1e6)
        #expect(try text { $0["num_key_value_heads"] = NSNull() }.keyValueHeads == 32)
        for window in [nil, 4096] as [Int?] {
            let error = #expect(throws: ModelError.self) { try text { $0["sliding_window"] = window } }
            #expect(error?.message.contains("sliding_window") == true)
        }
        let other = #expect(throws: ModelError.self) { try text { $0["model_type"] = "qwen2" } }
        #expect(other?.message.contains("llama or mistral") == true)
    }

    @Test("quantised checkpoints and LLaVA-NeXT are told what they are")
    func misleading() throws {
        let quantised = #expect(throws: ModelError.self) {
            _ = try read(.model, "quantization_config", ["quant_method": "awq"])
        }
        #expect(quantised?.message.contains("fp16 or bf16") == true)
        let merged = #expect(throws: ModelError.self) {
            _ = try read(.original, "mm_patch_merge_type", "spatial_unpad")
        }
        #expect(merged?.message.contains("LLaVA-NeXT") == true)
        let flat = #expect(throws: ModelError.self) { _ = try read(.original, "image_aspect_ratio", "anyres") }
        #expect(flat?.message.contains("mm_patch_merge_type") == true)
    }

    @Test("settings of answers in config.json count where there is no generation_config.json")
    func answers() throws {
        func configuration(_ edit: (CheckpointCopy) throws -> Void) throws -> LLaVAConfiguration {
            let copy = try CheckpointCopy(of: Self.golden)
            try copy.remove("generation_config.json")
            try edit(copy)
            return try LLaVAConfiguration(directory: copy.path)
        }
        #expect(try configuration { _ in }.endOfSequence == [2])
        #expect(
            try configuration { try $0.edit(section: "text_config") { $0["eos_token_id"] = 5 } }.endOfSequence == [5])
        let both = try configuration { copy in
            try copy.edit("config.json") { $0["eos_token_id"] = [6, 7] }
            try copy.edit(section: "text_config") { $0["eos_token_id"] = 5 }
        }
        #expect(both.endOfSequence == [6, 7])
        let own = try configuration { copy in
            try copy.edit("config.json") { $0["eos_token_id"] = 6 }
            try copy.write(["eos_token_id": 9], to: "generation_config.json")
        }
        #expect(own.endOfSequence == [9])
        let silent = try configuration { copy in
            try copy.edit("config.json") { $0["eos_token_id"] = 6 }
            try copy.write(["temperature": 0.7], to: "generation_config.json")
        }
        #expect(silent.endOfSequence == [6])
        let error = #expect(throws: ModelError.self) {
            try configuration { try $0.edit(section: "text_config") { $0["repetition_penalty"] = 1.3 } }
        }
        #expect(error?.message.contains("repetition_penalty is 1.3") == true)
        _ = try read(.text, "repetition_penalty", 1.3)  // the other file is there
    }

    @Test("a head that is tied is the embedding, whatever is stored")
    func tiedHead() throws {
        let head = "language_model.lm_head.weight"
        func logits(_ change: (inout CheckpointCopy) throws -> Void) throws -> [Double] {
            var copy = try CheckpointCopy(of: Self.golden)
            try change(&copy)
            try copy.write()
            let greedy = try copy.load()
            let prompt = try greedy.prompt(Self.golden.prompts()[0])
            return try greedy.answer([prompt], plans: [greedy.plan()], tokens: 1)[0].logits
        }
        func tie(_ copy: CheckpointCopy) throws {
            try copy.edit(section: "text_config") { $0["tie_word_embeddings"] = true }
        }
        let untied = try logits { _ in }
        let copied = try logits { $0.tensors[head] = $0.tensors["language_model.model.embed_tokens.weight"] }
        let tied = try logits { try tie($0) }
        let alone = try logits { copy in
            try tie(copy)
            copy.tensors[head] = nil
        }
        #expect(tied == copied && alone == copied && copied != untied)
    }

    @Test("where the checkpoint says how pictures become square, a batch asks for the same")
    func framing() throws {
        func expect(
            _ configuration: LLaVAConfiguration, refuses asked: PictureFraming,
            takes other: PictureFraming, _ word: String
        ) throws {
            try configuration.check(other)
            let error = #expect(throws: ModelError.self) { try configuration.check(asked) }
            #expect(error?.message.contains(word) == true && error?.message.contains("ask for \(other)") == true)
        }
        try expect(read(.original, "image_aspect_ratio", "pad").0, refuses: .crop, takes: .pad, "image_aspect_ratio")
        try expect(read(.original, "image_aspect_ratio", "square").0, refuses: .pad, takes: .crop, "image_aspect_ratio")
        // CLIP's own image processor has no such key.
        try read(.pictures, "do_pad", true).0.check(.crop)
        try expect(
            read(.pictures, "image_processor_type", "LlavaImageProcessor").0, refuses: .pad, takes: .crop, "do_pad")
        let plain = try read(.pictures).0
        try plain.check(.crop)
        try plain.check(.pad)
    }

    @Test("rotary positions are read wherever they are written, and none that are scaled")
    func rotaryPositions() throws {
        func base(_ edit: @escaping (inout [String: Any]) -> Void) throws -> Double {
            let copy = try CheckpointCopy(of: Self.golden)
            try copy.edit(section: "text_config") { text in
                for key in ["rope_theta", "rope_scaling", "rope_parameters"] { text[key] = nil }
                edit(&text)
            }
            return try LLaVAConfiguration(directory: copy.path).text.ropeBase
        }
        #expect(try base { _ in } == 10_000)
        #expect(try base { $0["rope_theta"] = 5e5 } == 5e5)
        #expect(try base { $0["rope_parameters"] = ["rope_theta": 1e6, "rope_type": "default"] } == 1e6)
        let apart = try base { text in
            text["rope_theta"] = 5e5
            text["rope_parameters"] = ["rope_type": "default"]
        }
        #expect(apart == 5e5)
        for rope in [["factor": 4.0], ["rope_type": "linear", "factor": 4.0], ["type": "yarn"], ["beta": 1], 7] as [Any]
        {
            for key in ["rope_scaling", "rope_parameters"] {
                #expect(throws: ModelError.self, "\(key) \(rope)") {
                    try base { text in
                        text["rope_parameters"] = ["rope_type": "default"]
                        text[key] = rope
                    }
                }
            }
        }
    }

    /// `to_dict` of transformers 4.57.6 writes every key with its default.
    @Test("a configuration that is written in full is read, and a trainer's copy of a width")
    func written() throws {
        let copy = try CheckpointCopy(of: Self.golden)
        let full = try Data(contentsOf: Repository.fixture("model/small_config_in_full.json"))
        for hasAnswers in [true, false] {
            if !hasAnswers { try copy.remove("generation_config.json") }
            try full.write(to: copy.folder.appendingPathComponent("config.json"))
            #expect(try LLaVAConfiguration(directory: copy.path) == read(.model).0)
        }
        _ = try read(.model, "hidden_size", 40)
        expectRefusal(.model, "hidden_size", 41)
    }

    @Test("pictures are neither squashed nor cut to what is no square")
    func pictureSizes() throws {
        expectRefusal(.pictures, "size", ["height": 56, "width": 56])
        expectRefusal(.pictures, "size", ["shortest_edge": 56, "longest_edge": 100])
        expectRefusal(.pictures, "crop_size", ["height": 56, "width": 57])
        _ = try read(.pictures, "size", 56)
        _ = try read(.pictures, "crop_size", 56)
    }

    @Test("pixels beyond the last whole patch take part in none")
    func leftOverPixels() throws {
        var answers: [[Double]] = []
        for size in [56, 60] {
            let copy = try CheckpointCopy(of: Self.golden)
            try copy.write()
            try copy.edit(section: "vision_config") { $0["image_size"] = size }
            try copy.edit("preprocessor_config.json") {
                $0["size"] = ["shortest_edge": size]
                $0["crop_size"] = ["height": size, "width": size]
            }
            let greedy = try copy.load()
            #expect(greedy.model.configuration.visualTokens == 16)
            let prompt = try greedy.prompt(Self.golden.prompts()[0])
            answers.append(try greedy.answer([prompt], plans: [greedy.plan()], tokens: 1)[0].logits)
        }
        #expect(answers[0].count == answers[1].count && answers[1].allSatisfy(\.isFinite))
        let tooSmall = #expect(throws: ModelError.self) { _ = try read(.vision, "patch_size", 57) }
        #expect(tooSmall?.message.contains("patch_size") == true)
    }

    @Test("two sets of weights in one folder are told apart by whoever has them")
    func strayWeights() throws {
        let copy = try CheckpointCopy(of: Self.golden)
        try copy.write(shards: 2)
        try copy.write()
        let error = #expect(throws: TensorError.self) { try copy.load() }
        #expect(error?.message.contains("model.safetensors and model.safetensors.index.json") == true)
    }

    @Test("tokenizer.json is obeyed without a tokenizer.model, and a form that is not built is refused by name")
    func tokenizerForms() throws {
        func load(_ edit: (inout [String: Any]) -> Void) throws {
            let copy = try CheckpointCopy(of: Self.golden)
            try copy.edit("tokenizer.json", edit)
            try FileManager.default.removeItem(atPath: copy.path + "/tokenizer.model")
            let configuration = try LLaVAConfiguration(directory: copy.path)
            _ = try LLaVAProcessor(directory: copy.path, configuration: configuration)
        }
        let metaspace: [String: Any] = [
            "type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": false,
        ]
        try load { _ in }
        try load {
            $0["normalizer"] = NSNull()
            $0["pre_tokenizer"] = metaspace
        }
        for edit in [
            { $0["pre_tokenizer"] = metaspace }, { $0["normalizer"] = ["type": "NFKC"] },
        ] as [(inout [String: Any]) -> Void] {
            let error = #expect(throws: TokenizerError.self) { try load(edit) }
            #expect(error?.code == .unsupported && error?.file.hasSuffix("tokenizer.json") == true)
        }
    }
}
