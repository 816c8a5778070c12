import Foundation
import JobModel
import TestSupport
import Testing

@Suite struct ManifestProblemsTests {
    /// `line: words`, with the file's name where it is not the batch file.
    private func problems(_ folder: BatchFolder, methods: [String]? = nil) throws -> [String] {
        do {
            _ = try BatchFile.load(folder.batchFile, methods: methods)
            return []
        } catch {
            return error.problems.map { problem in
                let file = URL(fileURLWithPath: problem.file).lastPathComponent
                return "\(file):\(problem.line.map(String.init) ?? "-"): \(problem.message)"
            }
        }
    }

    @Test func picturesThatCannotBeReadAreCountedWithTheirItems() throws {
        let names = (0..<9).map { "\($0).jpg" }
        let lines = (names + ["0.jpg", "8.jpg"]).enumerated().map {
            #"{"id":"\#($0)","image":"images/\#($1)","prompt":"What?"}"#
        }
        let folder = try BatchFolder(yaml: "model: model\nitems: items.jsonl", items: lines.joined(separator: "\n"))
        for name in names { try Data().write(to: folder.directory.file("images/\(name)")) }
        var looks: [String] = []
        let file = try BatchFile.load(folder.batchFile) { path in
            looks.append(path)
            return path.hasSuffix("8.jpg") ? nil : "is empty"
        }
        #expect(looks == names.map { folder.path + "/images/" + $0 })
        #expect(file.itemCount == 11)
        #expect(file.unreadablePictures.pictures == 8 && file.unreadablePictures.items == 9)
        #expect(
            file.unreadablePictures.reasons == ["is empty: images/0.jpg, images/1.jpg, images/2.jpg and 5 more"])
        #expect(try BatchFile.load(folder.batchFile).unreadablePictures == UnreadablePictures())
    }

    @Test(arguments: [#"[""]"#, #"["a", ""]"#, #""""#])
    func anEmptyStopTextIsRefused(stop: String) throws {
        let folder = try BatchFolder(yaml: "model: model\nitems: items.jsonl\ngeneration:\n  stop: \(stop)\n")
        #expect(try problems(folder).first?.hasPrefix("demo.yaml:4: 'generation.stop' has an empty text") == true)
        var description = BatchDescription(name: "b", model: "/m", items: "/i", images: "/", results: "/r")
        description.generation.stop = [""]
        let json = try description.json()
        #expect(throws: JobModelError.self) { try BatchDescription(json: json) }
    }

    @Test func reportsEverythingAtOnceWithItsLine() throws {
        let folder = try BatchFolder(
            yaml: """
                name: ../escape
                model: nowhere
                modell: typo
                items: items.jsonl
                method:
                  name: ficoco-x
                  keep: many
                  from_layer: -1
                  axis: [row]
                template: chatml
                image_mode: 3
                precision: f16
                generation:
                  max_tokens: 0
                  temperature: -0.5
                  top_p: .nan
                  seed: -1
                  stop: {a: b}
                  beams: 4
                features: maybe
                run:
                  workers: 2.5
                  threads: 0
                """,
            items: """
                {"id":"a","image":"images/cat.jpg","prompt":"What?","answers":["x"],"labels":{"k":"v"},"max_tokens":8}
                {"id":"b","image":"images/cat.jpg","prompt":"  "}

                {"id":"a","image":"images/dog.jpg","prompt":"What?"}
                {"id":"c","image":"../cat.jpg","prompt":"What?","colour":"red","tone":1}
                {"id":7,"image":"/etc/passwd","prompt":"What?","max_tokens":0}
                {"id":"d"
                ["e"]
                {"image":"images","prompt":"What?","answers":"x","labels":{"k":1},"max_tokens":1.5}
                """)
        let found = try problems(folder, methods: ["none", "ficoco-v"])
        let expected = [
            "demo.yaml:3: unknown key 'modell'", "demo.yaml:1: 'name' is '../escape'",
            "demo.yaml:2: 'model': there is no folder", "demo.yaml:7: 'method.keep' must be a whole number, not 'many'",
            "demo.yaml:6: there is no method 'ficoco-x' (did you mean ficoco-v?)",
            "demo.yaml:8: 'method.from_layer' is -1", "demo.yaml:9: 'method.axis' must be a text",
            "demo.yaml:14: 'generation.max_tokens' is 0; it must be at least 1",
            "demo.yaml:15: 'generation.temperature' is -0.5", "demo.yaml:16: 'generation.top_p' must be a number",
            "demo.yaml:17: 'generation.seed' must be a whole number", "demo.yaml:18: 'generation.stop' must be a list",
            "demo.yaml:19: unknown key 'generation.beams'", "demo.yaml:22: 'run.workers' must be a whole number",
            "demo.yaml:23: 'run.threads' is 0", "demo.yaml:10: 'template' must be one of none, hf, vicuna_v1",
            "demo.yaml:11: 'image_mode' must be one of", "demo.yaml:12: 'precision' must be one of",
            "demo.yaml:20: 'features' must be one of projected, tower, none",
            "items.jsonl:2: 'prompt' is empty", "items.jsonl:4: id 'a' is already used in line 1",
            "items.jsonl:4: there is no image 'images/dog.jpg'", "items.jsonl:5: unknown key 'colour'",
            "items.jsonl:5: unknown key 'tone'", "items.jsonl:5: image '../cat.jpg' leaves the image folder",
            "items.jsonl:6: 'id' must be a text", "items.jsonl:6: 'max_tokens' is 0",
            "items.jsonl:6: image '/etc/passwd' leaves", "items.jsonl:7: it is not valid JSON",
            "items.jsonl:8: it is not a JSON object", "items.jsonl:9: 'id' is missing",
            "items.jsonl:9: 'answers' must be a list", "items.jsonl:9: 'labels' must be an object",
            "items.jsonl:9: 'max_tokens' must be a whole number", "items.jsonl:9: there is no image 'images'",
        ]
        for text in expected { #expect(found.contains { $0.hasPrefix(text) }, "missing: \(text)") }
        for text in found { #expect(expected.contains { text.hasPrefix($0) }, "unexpected: \(text)") }
        #expect(found.count == expected.count)
    }

    /// What `<image>` in a prompt is has to be known before anything runs, and is never guessed.
    @Test(arguments: [
        ("", ["2", "3", "5", "6"]), ("image_tag: place", ["3", "5", "6"]), ("image_tag: text", []),
        ("template: hf\nimage_tag: text", []), ("template: none", ["1", "3", "5", "6"]),
        ("template: none\nimage_tag: place", ["1", "3", "5", "6"]),
    ])
    func promptsAgreeWithWhatImageTagsAre(lines: String, wrong: [String]) throws {
        let folder = try BatchFolder(
            yaml: "model: model\nitems: items.jsonl\n\(lines)\n",
            items: """
                {"id":"a","image":"images/cat.jpg","prompt":"What is it?"}
                {"id":"b","image":"images/cat.jpg","prompt":"What does <image> show?"}
                {"id":"c","image":"images/cat.jpg","prompt":"<image> or <image>?"}
                {"id":"d","image":null,"prompt":"How <many> are <images?"}
                {"id":"e","image":null,"prompt":"What is an <image>?"}
                {"id":"f","image":"images/cat.jpg","prompt":"<image><image>"}
                """)
        let found = try problems(folder)
        let places = found.map { $0.split(separator: ":")[1].trimmingCharacters(in: .whitespaces) }
        #expect(places == wrong && found.allSatisfy { $0.contains("<image>") }, "\(found)")
        guard lines.isEmpty else { return }
        for problem in found {
            #expect(problem.contains("'image_tag: place'") && problem.contains("'image_tag: text'"))
        }
    }

    @Test func anImageTagOfAWholePromptIsItsPicture() throws {
        let folder = try BatchFolder(
            yaml: "model: model\nitems: items.jsonl\ntemplate: none\nimage_tag: text\n",
            items: #"{"id":"a","image":"images/cat.jpg","prompt":"<image> What is it?"}"#)
        #expect(
            try problems(folder) == [
                "demo.yaml:4: 'image_tag: text' needs a template: with 'template: none' <image> says where the picture goes"
            ])
        let unknown = try BatchFolder(yaml: "model: model\nitems: items.jsonl\nimage_tag: both\n")
        #expect(try problems(unknown) == ["demo.yaml:3: 'image_tag' must be one of place, text, not 'both'"])
    }

    @Test(arguments: [
        ("template: hff", "not 'hff' (did you mean hf?)"), ("weights: int9", "not 'int9' (did you mean int8?)"),
        ("trace: index", "must be one of full, indices, none, not 'index'"),
        ("method: {name: ficoco-v, kep: 64}", "unknown key 'method.kep' (did you mean keep?)"),
        ("method: {nmae: ficoco-v, keep: 64}", "unknown key 'method.nmae' (did you mean name?)"),
    ])
    func nearMissesAreRecognised(line: String, words: String) throws {
        let folder = try BatchFolder(yaml: "model: model\nitems: items.jsonl\n\(line)\n")
        let found = try problems(folder, methods: ["none", "ficoco-v"])
        #expect(found.count == 1 && found[0].hasPrefix("demo.yaml:3: ") && found[0].contains(words), "\(found)")
    }

    /// Opening a pipe waits for a writer, and a device may have no end.
    @Test func itemsAreARegularFile() throws {
        let folder = try BatchFolder(yaml: "model: model\nitems: items.jsonl\n")
        let items = folder.directory.file("items.jsonl").path
        try FileManager.default.removeItem(atPath: items)
        #expect(mkfifo(items, 0o600) == 0)
        #expect(try problems(folder).first?.contains("is a pipe or a device") == true)
        let zero = try BatchFolder(yaml: "model: model\nitems: /dev/zero\n")
        #expect(try problems(zero).first?.contains("is a pipe or a device") == true)
        let picture = try BatchFolder(yaml: "model: model\nitems: items.jsonl\n")
        try FileManager.default.removeItem(at: picture.directory.file("images/cat.jpg"))
        #expect(mkfifo(picture.directory.file("images/cat.jpg").path, 0o600) == 0)
        #expect(try problems(picture).first?.contains("there is no image 'images/cat.jpg'") == true)
    }

    @Test func namesMissingKeysAndUnknownMethods() throws {
        let empty = try BatchFolder(yaml: "features: none")
        #expect(try problems(empty) == ["demo.yaml:1: 'model' is missing", "demo.yaml:1: 'items' is missing"])
        let method = try BatchFolder(yaml: "model: model\nitems: items.jsonl\n\nmethod: tome\n")
        #expect(
            try problems(method, methods: ["none", "ficoco-v"]) == [
                "demo.yaml:4: there is no method 'tome'; known are none, ficoco-v"
            ])
        let budget = try BatchFolder(yaml: "model: model\nitems: items.jsonl\nmethod: {name: ficoco-v}\n")
        #expect(
            try problems(budget) == [
                "demo.yaml:3: method 'ficoco-v' needs 'keep', the number of visual tokens to keep"
            ])
    }

    @Test(arguments: [
        ("", "demo.yaml:-: the batch file is empty"), ("model: [1", "demo.yaml:"), ("- a\n- b", "demo.yaml:1: "),
        ("model: model\nmodel: model\n", "demo.yaml:"), ("just words", "demo.yaml:1: the batch file must have keys"),
    ])
    func namesWhatIsNoBatchFile(yaml: String, start: String) throws {
        let found = try problems(BatchFolder(yaml: yaml))
        #expect(found.first?.hasPrefix(start) == true, "\(found)")
    }

    @Test func aFileNameThatIsNoBatchNameIsAProblemUnlessTheFileGivesOne() throws {
        let folder = try BatchFolder(yaml: "model: model\nitems: items.jsonl\n")
        let spaced = folder.directory.file("my batch.yaml")
        try FileManager.default.copyItem(at: folder.batchFile, to: spaced)
        #expect { try BatchFile.load(spaced) } throws: { "\($0)".contains("the file's name 'my batch'") }
        try Data("name: mine\nmodel: model\nitems: items.jsonl\n".utf8).write(to: spaced)
        #expect(try BatchFile.load(spaced).description.name == "mine")
    }

    @Test func namesFilesThatAreNotThere() throws {
        let folder = try BatchFolder(yaml: "model: model\nitems: nothing.jsonl\n")
        #expect(try problems(folder).map { $0.prefix(15) } == ["nothing.jsonl:-"])
        try FileManager.default.removeItem(at: folder.batchFile)
        #expect(try problems(folder).map { $0.prefix(12) } == ["demo.yaml:-:"])
        let noItems = try BatchFolder(yaml: "model: model\nitems: items.jsonl\n", items: "\n \n")
        #expect(try problems(noItems) == ["items.jsonl:-: there is no item in the file"])
    }

    @Test func countsProblemsBeyondTheLimit() throws {
        let lines = String(repeating: "{\n", count: ManifestProblems.limit + 5)
        let folder = try BatchFolder(yaml: "model: model\nitems: items.jsonl\n", items: lines)
        #expect {
            try BatchFile.load(folder.batchFile)
        } throws: { error in
            let problems = error as? ManifestProblems
            return problems?.problems.count == ManifestProblems.limit && problems?.total == ManifestProblems.limit + 5
                && problems?.description.hasSuffix("… and 5 more") == true
        }
    }
}
