import Foundation
import JobModel
import JobVocabulary
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
        #expect(batch.run == BatchFile.Run(workers: 1, threads: nil))
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
                features: false
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
        #expect(batch.run == BatchFile.Run(workers: 2, threads: 3))
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
        description.generation.stop = ["</s>", "null", "", "ü\t"]
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

            """
        let description = BatchDescription(
            name: "n", model: "/m", visionTower: "/t", items: "/i", images: "/p",
            prompt: "What?", results: "/r",
            method: BatchDescription.Method(name: "ficoco-v", keep: 64, fromLayer: 3, options: ["axis": "row"]),
            template: .hf, imageTag: .place, imageMode: .pad, orientation: .asStored, precision: .bf16, weights: .int8,
            generation: BatchDescription.Generation(
                maxTokens: 9, temperature: 0.5, topP: 0.25, seed: 7, stop: ["a", "b"]),
            features: .tower, trace: .indices,
            queue: QueueOptions(
                priority: -3, labels: ["a": "b"], maxFails: .percent(3), retries: 4, crashLimit: 2,
                timeout: .seconds(90), secondRuns: true))
        #expect(try description.yaml() == yaml)
        #expect(
            try description.json() == """
                {"features":"tower","generation":{"maxTokens":9,"seed":7,"stop":["a","b"],"temperature":0.5,"topP":0.25},\
                "imageMode":"pad","imageTag":"place","images":"/p","items":"/i","method":{"fromLayer":3,"keep":64,\
                "name":"ficoco-v","options":{"axis":"row"}},"model":"/m","name":"n","orientation":"as-stored","precision":"bf16",\
                "prompt":"What?","queue":{"crashLimit":2,"labels":{"a":"b"},"maxFails":"3%","priority":-3,"retries":4,"secondRuns":true,\
                "timeout":"90s"},"results":"/r","template":"hf","trace":"indices","visionTower":"/t","weights":"int8"}
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
}
