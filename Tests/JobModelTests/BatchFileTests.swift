import Foundation
import JobModel
import JobVocabulary
import TestSupport
import Testing

@Suite struct BatchFileTests {
    @Test func fillsInEveryDefault() throws {
        let folder = try BatchFolder(yaml: "model: model\nitems: items.jsonl\n")
        let batch = try BatchFile.load(folder.batchFile)
        #expect(
            batch.description
                == BatchDescription(
                    name: "demo", model: folder.path + "/model", items: folder.path + "/items.jsonl",
                    images: folder.path, results: folder.path + "/results/demo"))
        #expect(batch.description.run == BatchDescription.Run(workers: 1, threads: nil))
        #expect(batch.itemCount == 1)
        #expect(batch.description.method == BatchDescription.Method(name: "none"))
        #expect(batch.description.generation == BatchDescription.Generation(maxTokens: 64))
    }

    @Test func itemsAboutAPictureAreCountedApart() throws {
        let folder = try BatchFolder(
            yaml: "model: model\nitems: items.jsonl\n",
            items: """
                {"id":"a","image":"images/cat.jpg","prompt":"What is it?"}
                {"id":"b","image":null,"prompt":"How many?"}
                {"id":"c","image":null,"prompt":"How many?","max_tokens":3}
                """)
        let batch = try BatchFile.load(folder.batchFile)
        #expect(batch.itemCount == 3 && batch.picturedItemCount == 1)
    }

    @Test func anotherModelMayTakeTheFilesPlace() throws {
        let folder = try BatchFolder(yaml: "model: elsewhere\nitems: items.jsonl\n")
        #expect(throws: ManifestProblems.self) { try BatchFile.load(folder.batchFile) }
        var changes = BatchChanges()
        changes.model = folder.path + "/model"
        let batch = try BatchFile.load(folder.batchFile, changing: changes)
        #expect(batch.description.model == folder.path + "/model")
        changes.model = folder.path + "/nowhere"
        let problems = #expect(throws: ManifestProblems.self) {
            try BatchFile.load(folder.batchFile, changing: changes)
        }
        #expect(problems.map { "\($0)".contains("/nowhere") } == true)
    }

    @Test func readsEveryKey() throws {
        let folder = try BatchFolder(
            yaml: """
                name: pope-1
                model: model
                vision_tower: ./model
                items: items.jsonl
                images: .
                results: ../out
                method: {name: ficoco-v, keep: 192, from_layer: 11, axis: column, lambda: 0.35}
                template: hf
                image_mode: pad
                orientation: as-stored
                prompt: What is it?
                precision: bf16
                generation:
                  max_tokens: 1_000
                  temperature: 0.2
                  top_p: 0.9
                  seed: 18446744073709551615
                  stop: ["###", "\\n"]
                features: none
                trace: indices
                run: {workers: 2, threads: 3}
                """)
        let batch = try BatchFile.load(folder.batchFile, methods: ["none", "ficoco-v"])
        let found = batch.description
        #expect(found.name == "pope-1")
        #expect(found.visionTower == folder.path + "/model")
        let parent = URL(fileURLWithPath: folder.path).deletingLastPathComponent().path
        #expect(found.results == parent + "/out")
        #expect(
            found.method
                == BatchDescription.Method(
                    name: "ficoco-v", keep: 192, fromLayer: 11, options: ["axis": "column", "lambda": "0.35"]))
        #expect(found.template == .hf)
        #expect(found.imageMode == .pad && found.orientation == .asStored && found.prompt == "What is it?")
        #expect(found.precision == .bf16)
        #expect(
            found.generation
                == BatchDescription.Generation(
                    maxTokens: 1000, temperature: 0.2, topP: 0.9, seed: .max, stop: ["###", "\n"]))
        #expect(found.features == .none && found.trace == .indices)
        #expect(batch.description.run == BatchDescription.Run(workers: 2, threads: 3))
    }

    @Test func survivesJSONAndYAML() throws {
        let folder = try BatchFolder(yaml: "model: model\nitems: items.jsonl\n")
        var description = try BatchFile.load(folder.batchFile).description
        description.name = "2026"
        description.method = BatchDescription.Method(
            name: "ficoco-l", keep: 64, fromLayer: 4,
            options: ["axis": "literal", "odd": "yes: \"no\"\n# 'x'", "n": "0"])
        description.template = .hf
        description.imageTag = .text
        description.orientation = .asStored
        description.prompt = "What: \"it\"?\n# no comment"
        description.generation.stop = ["</s>", "null", " ", "ü\t"]
        description.generation.temperature = 1e-7
        #expect(try BatchDescription(json: description.json()) == description)
        try Data(description.yaml().utf8).write(to: folder.batchFile)
        #expect(try BatchFile.load(folder.batchFile).description == description)
    }

    @Test func refusesJSONThatIsNoDescription() {
        for json in ["", "[]", "{}", #"{"name": 1}"#] {
            #expect { try BatchDescription(json: json) } throws: { ($0 as? JobModelError)?.code == .badDescription }
        }
    }

    @Test(
        arguments: [
            { $0.generation.maxTokens = 0 }, { $0.generation.temperature = -1 }, { $0.generation.topP = 0 },
            { $0.generation.topP = 1.5 }, { $0.method.keep = 0 }, { $0.method.fromLayer = -1 },
        ] as [@Sendable (inout BatchDescription) -> Void])
    func refusesJSONWithNumbersThatNoBatchFileMayHave(change: @Sendable (inout BatchDescription) -> Void) throws {
        var description = BatchDescription(name: "b", model: "/m", items: "/i", images: "/", results: "/r")
        #expect(try BatchDescription(json: description.json()) == description)
        change(&description)
        let json = try description.json()
        #expect { try BatchDescription(json: json) } throws: { ($0 as? JobModelError)?.code == .badDescription }
    }

    /// What batch files and the descriptions on the way to the coordinator are made of must not change.
    @Test func writesEveryKeyAsItIsRead() throws {
        let yaml = """
            name: "n"
            model: "/m"
            vision_tower: "/t"
            items: "/i"
            images: "/p"
            prompt: "What?"
            results: "/r"
            method:
              name: "ficoco-v"
              keep: 64
              from_layer: 3
              "axis": "row"
            template: "hf"
            image_tag: "place"
            image_mode: "pad"
            orientation: "as-stored"
            precision: "bf16"
            weights: "int8"
            generation:
              max_tokens: 9
              temperature: 0.5
              top_p: 0.25
              seed: 7
              stop:
              - "a"
              - "b"
            features: "tower"
            trace: "indices"
            queue:
              priority: -3
              labels:
                "a": "b"
              max_fails: "3%"
              retries: 4
              crash_limit: 2
              timeout: "90s"
              second_runs: true
            run:
              workers: 2
              threads: 3

            """
        var description = BatchDescription(name: "n", model: "/m", items: "/i", images: "/p", results: "/r")
        description.visionTower = "/t"
        description.prompt = "What?"
        description.method = BatchDescription.Method(
            name: "ficoco-v", keep: 64, fromLayer: 3, options: ["axis": "row"])
        description.template = .hf
        description.imageTag = .place
        description.imageMode = .pad
        description.orientation = .asStored
        description.precision = .bf16
        description.weights = .int8
        description.generation = BatchDescription.Generation(
            maxTokens: 9, temperature: 0.5, topP: 0.25, seed: 7, stop: ["a", "b"])
        description.features = .tower
        description.trace = .indices
        description.queue = QueueOptions(
            priority: -3, labels: ["a": "b"], maxFails: .percent(3), retries: 4, crashLimit: 2,
            timeout: .seconds(90), secondRuns: true)
        description.run = BatchDescription.Run(workers: 2, threads: 3)
        #expect(try description.yaml() == yaml)
        #expect(
            try description.json() == """
                {"features":"tower","generation":{"maxTokens":9,"seed":7,"stop":["a","b"],"temperature":0.5,"topP":0.25},\
                "imageMode":"pad","imageTag":"place","images":"/p","items":"/i","method":{"fromLayer":3,"keep":64,\
                "name":"ficoco-v","options":{"axis":"row"}},"model":"/m","name":"n","orientation":"as-stored","precision":"bf16",\
                "prompt":"What?","queue":{"crashLimit":2,"labels":{"a":"b"},"maxFails":"3%","priority":-3,"retries":4,"secondRuns":true,\
                "timeout":"90s"},"results":"/r","run":{"threads":3,"workers":2},"template":"hf","trace":"indices","visionTower":"/t","weights":"int8"}
                """)
    }

    /// Earlier versions read every picture as it is stored, and their descriptions do not say so.
    @Test func aDescriptionThatDoesNotSayWhichWayUpReadsPicturesAsStored() throws {
        let description = BatchDescription(name: "b", model: "/m", items: "/i", images: "/", results: "/r")
        #expect(description.orientation == .exif)
        let old = try description.json().replacing(#""orientation":"exif","#, with: "")
        let read = try BatchDescription(json: old)
        #expect(read.orientation == .asStored)
        #expect(description.differences(from: read) == ["orientation: as-stored → exif"])
    }

    @Test func whatADescriptionDoesNotSayHasItsDefaultAtEveryDepth() throws {
        let read = try BatchDescription(
            json: """
                {"name":"b","model":"/m","items":"/i","images":"/","results":"/r","orientation":"exif","new":{"x":1},
                 "generation":{"seed":18446744073709551615,"new":2},"method":{"name":"ficoco-v","keep":64},"queue":{"retries":2}}
                """)
        var expected = BatchDescription(name: "b", model: "/m", items: "/i", images: "/", results: "/r")
        expected.generation.seed = .max
        expected.method = BatchDescription.Method(name: "ficoco-v", keep: 64)
        expected.queue.retries = 2
        #expect(read == expected)
    }

    @Test(arguments: ["name", "model", "items", "images", "results"])
    func aDescriptionWithoutWhatItIsAboutIsRefused(key: String) throws {
        let whole = BatchDescription(name: "v", model: "v", items: "v", images: "v", results: "v")
        let json = try whole.json().replacing("\"\(key)\":\"v\"", with: "\"\(key)2\":\"v\"")
        #expect {
            try BatchDescription(json: json)
        } throws: { "\($0)".contains("'\(key)' is missing") }
    }

    @Test func whatMakesResultsDifferIsNamedKeyByKey() {
        let old = BatchDescription(name: "b", model: "/m", items: "/i", images: "/", results: "/r")
        var new = BatchDescription(name: "c", model: "/n", items: "/j", images: "/", results: "/s")
        new.prompt = "What?"
        new.queue.priority = 3
        new.visionTower = "/t"
        new.imageMode = .pad
        new.method = BatchDescription.Method(name: "ficoco-v", keep: 64, options: ["axis": "row"])
        new.generation.stop = ["a", "b"]
        new.precision = .bf16
        #expect(
            new.differences(from: old) == [
                "model: /m → /n", "vision_tower: none → /t", "method.name: none → ficoco-v", "method.keep: none → 64",
                "method.axis: none → row", "image_mode: none → pad", "precision: auto → bf16",
                "generation.stop: [] → [a, b]",
            ])
        #expect(old.differences(from: old) == [])
    }

    /// The table of keys in `Jobs/README.md` has those that a batch file may have, in the order in which one is written.
    @Test func theDocumentedKeysAreThoseThatAreRead() throws {
        func known(_ yaml: String) throws -> [String] {
            let folder = try BatchFolder(yaml: "model: model\nitems: items.jsonl\n" + yaml)
            let problems = #expect(throws: ManifestProblems.self) { try BatchFile.load(folder.batchFile) }
            let list = try #require("\(problems!)".split(separator: "known are ").last)
            return list.split(whereSeparator: \.isNewline)[0].components(separatedBy: ", ")
        }
        let groups = try ["generation", "queue", "run"].map { (name: $0, keys: try known("\($0): {x: 1}\n")) }
        let keys = try known("x: 1\n").flatMap { key in
            if key == "method" {
                return ["method", "method.name", "method.keep", "method.from_layer", "method.<option>"]
            }
            return groups.first { $0.name == key }?.keys.map { "\(key).\($0)" } ?? [key]
        }
        let page = try String(contentsOf: Repository.root.appendingPathComponent("Jobs/README.md"), encoding: .utf8)
        let documented = page.matches(of: /(?m)^\| `([a-z_.<>]+)` \| [^|]+ \| [^|]+ \|$/).map { String($0.output.1) }
        let table = documented.prefix { $0 != "run.threads" } + ["run.threads"]
        #expect(Array(table) == keys)
    }
}
