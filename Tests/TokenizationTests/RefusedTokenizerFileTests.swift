import Foundation
import TestSupport
import Testing
import Tokenization

/// What tokenizer.json and its neighbours ask for is obeyed or refused by name, and broken files never trap.
@Suite struct RefusedTokenizerFileTests {
    @Test("clean_up_tokenization_spaces takes out what transformers takes out")
    func cleaning() throws {
        let folder = try TokenizerFolder(form: "legacy"),
            text = "it is n't , he 's ok . we 've a ' b ' ? yes ! i 'm , you 're"
        let ids = try folder.load().encode(text)
        #expect(try folder.load().decode(ids) == text)
        try folder.edit("tokenizer_config.json") { $0["clean_up_tokenization_spaces"] = true }
        #expect(try folder.load().decode(ids) == "it isn't, he's ok. we've a'b '? yes! i'm, you're")
    }

    @Test("how the last batch before saving was cut and filled up has no effect, as in transformers")
    func lengths() throws {
        let folder = try TokenizerFolder(form: "legacy"), text = "What is the man in the picture doing?"
        let ids = try folder.load().encode(text)
        try folder.edit {
            $0["truncation"] = ["direction": "Right", "max_length": 2, "strategy": "LongestFirst", "stride": 0]
            $0["padding"] = ["strategy": ["Fixed": 70], "direction": "Left", "pad_id": 3, "pad_token": "<pad>"]
        }
        #expect(try folder.load().encode(text) == ids)
    }

    @Test func stepsThatAreNotBuiltAreNamed() throws {
        let split: [String: Any] = [
            "type": "Split", "pattern": ["Regex": #"\p{L}+"#], "behavior": "Isolated", "invert": false,
        ]
        let level: [String: Any] = ["type": "ByteLevel", "add_prefix_space": false, "use_regex": false]
        let metaspace: [String: Any] = [
            "type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": true,
        ]
        let cases: [(String, Any, String)] = [
            ("normalizer", ["type": "NFKC"], "NFKC"), ("normalizer", ["type": "Lowercase"], "Lowercase"),
            ("normalizer", ["type": "Replace", "pattern": ["Regex": "a"], "content": "b"], "Replace"),
            ("normalizer", ["type": "Replace", "pattern": ["String": "a"], "content": "aa"], "longer"),
            ("pre_tokenizer", ["type": "BertPreTokenizer"], "BertPreTokenizer"),
            ("pre_tokenizer", metaspace, "Metaspace"),
            ("pre_tokenizer", ["type": "Sequence", "pretokenizers": [split, level]], "pattern"),
            ("pre_tokenizer", ["type": "ByteLevel", "add_prefix_space": true], "ByteLevel"),
            ("decoder", ["type": "WordPiece"], "WordPiece"), ("decoder", NSNull(), "decoder"),
            ("post_processor", ["type": "RobertaProcessing"], "RobertaProcessing"),
            ("future", true, "future"),
        ]
        for (key, value, name) in cases {
            let folder = try TokenizerFolder(form: "legacy")
            try folder.edit { $0[key] = value }
            let error = folder.failure()
            #expect(error?.code == .unsupported && error?.message.contains(name) == true, "\(key): \(name)")
        }
    }

    @Test func settingsOfTheModelAreNamed() throws {
        for (key, value) in [
            ("type", "WordPiece"), ("type", "Unigram"), ("dropout", 0.1), ("continuing_subword_prefix", "##"),
            ("end_of_word_suffix", "</w>"), ("future", true), ("byte_fallback", "yes"),
        ] as [(String, Any)] {
            let folder = try TokenizerFolder(form: "legacy")
            try folder.editModel { $0[key] = value }
            let error = folder.failure()
            #expect(error?.code == .unsupported, "\(key)")
            #expect(error?.message.contains(key) == true || error?.message.contains("\(value)") == true, "\(key)")
        }
        for (key, value) in [("dropout", 0), ("end_of_word_suffix", "")] as [(String, Any)] {
            let folder = try TokenizerFolder(form: "legacy")
            try folder.editModel { $0[key] = value }
            #expect(folder.failure() == nil, "\(key)")
        }
    }

    @Test func brokenVocabulariesAreDamaged() throws {
        let vocabularies: [[String: Any]] = [
            ["a": -1, "<unk>": 0], ["a": 1, "b": 1], ["a": 0, "b": 7], ["a": 1e300], ["a": 0.5], ["a": "0"], [:],
        ]
        for vocabulary in vocabularies {
            let folder = try TokenizerFolder(form: "legacy")
            try folder.editModel { $0["vocab"] = vocabulary }
            #expect(folder.failure()?.code == .damaged, "\(vocabulary)")
        }
        for merges in [[["▁", "\u{1F600}"]], [["a"]], ["a b c"], ["x"], [[1, 2]]] as [[Any]] {
            let folder = try TokenizerFolder(form: "legacy")
            try folder.editModel { $0["merges"] = merges }
            #expect(folder.failure()?.code == .damaged, "\(merges)")
        }
        for text in [
            "", "[]", "{", "{}", #"{"model":"#, #"{"model":{}}"#, #"{"model":{"vocab":{"a":0,"a":0}}}"#, "\u{FEFF}{}",
            #"{"model":{"vocab":{"\ud83d":0}}}"#, #"{"a":"# + String(repeating: "[", count: 100_000), #"{"a":1}x"#,
        ] {
            let folder = try TokenizerFolder(form: "legacy")
            try folder.write(text)
            #expect(folder.failure()?.code == .damaged, "\(text.prefix(40))")
        }
    }

    @Test func cutAndChangedFilesNeverTrap() throws {
        var random = SeededGenerator(seed: 7)
        let whole = [UInt8](try Data(contentsOf: Repository.fixture("tokenizer/llama3/tokenizer.json")))
        var refused = 0
        for _ in 0..<200 {
            var bytes = whole
            if random.below(2) == 0 {
                bytes.removeLast(1 + random.below(bytes.count - 1))
            } else {
                for _ in 0...random.below(4) { bytes[random.below(bytes.count)] = UInt8(random.below(256)) }
            }
            let folder = try TokenizerFolder(form: "legacy")
            try Data(bytes).write(to: folder.folder.file("tokenizer.json"))
            try folder.write(
                #"{"tokenizer_class": "PreTrainedTokenizerFast"}"#, to: "tokenizer_config.json")
            if let error = folder.failure() {
                #expect(error.message.contains(";"))
                refused += 1
            } else {
                let tokenizer = try folder.load()
                _ = tokenizer.decode(try tokenizer.encode("What's this?\n \u{1F600}") + [-1, 9999])
            }
        }
        #expect(refused > 80)
    }

    @Test func classesAndTheirSettingsAreNamed() throws {
        for (changes, name) in [
            (["tokenizer_class": "BertTokenizer"], "BertTokenizer"), (["add_eos_token": true], "add_eos_token"),
            (["bos_token": NSNull()], "bos_token"), (["add_prefix_space": false], "add_prefix_space"),
            (["tokenizer_class": "TokenizersBackend", "add_bos_token": false], "add_bos_token"),
            (["split_special_tokens": true], "split_special_tokens"),
        ] as [([String: Any], String)] {
            let folder = try TokenizerFolder(form: "legacy")
            try folder.edit("tokenizer_config.json") { $0.merge(changes) { $1 } }
            try? FileManager.default.removeItem(at: folder.folder.file("special_tokens_map.json"))
            let error = folder.failure()
            #expect(error?.code == .unsupported && error?.message.contains(name) == true, "\(name)")
        }
    }

    @Test func whatOnlyATokenizerFileCanDoIsNamed() throws {
        for (changes, name) in [
            (["add_prefix_space": false], "add_prefix_space"),
            (["add_eos_token": true], "add_eos_token"), (["split_special_tokens": true], "split_special_tokens"),
            (["tokenizer_class": "PreTrainedTokenizerFast"], "tokenizer_class"),
            (["bos_token": "<unk>"], "bos_token is <unk>"), (["bos_token": NSNull()], "bos_token is null"),
            (["mask_token": "there"], "there"), (["additional_special_tokens": ["there"]], "there"),
        ] as [([String: Any], String)] {
            let folder = try TokenizerFolder(form: "legacy")
            try FileManager.default.removeItem(at: folder.folder.file("tokenizer.json"))
            try FileManager.default.copyItem(
                at: demoModel.appendingPathComponent("tokenizer.model"), to: folder.folder.file("tokenizer.model"))
            #expect(folder.failure() == nil)
            try folder.edit("tokenizer_config.json") { $0.merge(changes) { $1 } }
            let error = folder.failure()
            #expect(error?.code == .unsupported && error?.message.contains(name) == true, "\(name)")
        }
    }

    @Test func settingsThatCannotBeMeantAreNamed() throws {
        for (name, value) in [
            ("legacy", "no"), ("add_bos_token", 1), ("unk_token", ["a": 1]), ("tokenizer_class", true),
            ("added_tokens_decoder", []), ("additional_special_tokens", [7]), ("extra_special_tokens", [7]),
        ] as [(String, Any)] {
            let folder = try TokenizerFolder(form: "legacy")
            try folder.edit("tokenizer_config.json") { $0[name] = value }
            let error = folder.failure()
            #expect(error?.code == .damaged && error?.message.contains(name) == true, "\(name)")
        }
    }

    @Test("transformers 5 writes a list where 4.57 writes an object", arguments: [false, true])
    func extraSpecialTokens(asList: Bool) throws {
        let folder = try TokenizerFolder(form: "legacy"), plain = try folder.load().encode("is there")
        try folder.edit("tokenizer_config.json") { config in
            config["extra_special_tokens"] = asList ? ["there"] : ["some_token": "there"]
        }
        let ids = try folder.load().encode("is there")
        #expect(ids != plain && ids.last.map { $0 >= 640 } == true)
        #expect(try folder.load().decode(ids) == "is ")
    }

    @Test func noWordAboutABeginningMeansOneAndNullMeansNone() throws {
        let folder = try TokenizerFolder(form: "legacy")
        try folder.edit("tokenizer_config.json") { $0["add_bos_token"] = nil }
        #expect(try folder.load().beginning == 1)
        try folder.edit("tokenizer_config.json") { $0["add_bos_token"] = NSNull() }
        #expect(try folder.load().beginning == nil)
    }

    @Test("the older lists count where there is no added_tokens_decoder, and only there")
    func olderLists() throws {
        let folder = try TokenizerFolder(form: "legacy")
        try folder.write(#"{"bos_token": "<unk>"}"#, to: "special_tokens_map.json")
        try folder.write(#"{"there": 700}"#, to: "added_tokens.json")
        #expect(try folder.load().beginning == 1)
        let plain = try folder.load().encode("there")
        try folder.edit("tokenizer_config.json") { $0["added_tokens_decoder"] = nil }
        #expect(try folder.load().beginning == 0)
        #expect(try folder.load().encode("there") != plain)
    }

    @Test func addedTokensMustHaveTheIdsThatTheLibraryGives() throws {
        let folder = try TokenizerFolder(form: "legacy")
        let token: [String: Any] = ["id": 700, "content": "<x>", "special": true, "normalized": false]
        try folder.edit { $0["added_tokens"] = ($0["added_tokens"] as? [Any] ?? []) + [token] }
        #expect(folder.failure()?.code == .damaged)
    }
}
