import Foundation
import JobModel
import JobVocabulary
import TestSupport
import Testing

@Suite struct BatchChangesTests {
    private func made(
        in folder: ItemFolder, _ change: (inout BatchChanges) -> Void
    ) throws -> BatchFile {
        var changes = BatchChanges()
        changes.model = folder.path
        change(&changes)
        return try BatchFile.make(of: changes, in: folder.directory.url, methods: ["none", "ficoco-v"])
    }

    @Test func aBatchNeedsNoFile() throws {
        let folder = try ItemFolder()
        try folder.write("x", to: "My Photos (2)/a.jpg")
        let photos = folder.path + "/My Photos (2)"
        let file = try made(in: folder) {
            $0.images = photos
            $0.prompt = "What is on the sign?"
            $0.method = BatchChanges.Method(name: "ficoco-v", keep: 64, options: ["axis": "row"])
            $0.set(\.generation.maxTokens, to: 9)
        }
        var expected = BatchDescription(
            name: "My-Photos-2", model: folder.path, items: photos, images: photos,
            results: folder.path + "/results/My-Photos-2")
        expected.prompt = "What is on the sign?"
        expected.method = BatchDescription.Method(name: "ficoco-v", keep: 64, options: ["axis": "row"])
        expected.generation.maxTokens = 9
        #expect(file.description == expected)
        #expect(file.description.run == BatchDescription.Run())
        let named = try made(in: folder) {
            $0.items = photos
            $0.prompt = "What?"
            $0.name = "signs"
        }
        #expect(named.description.name == "signs" && named.description.results == folder.path + "/results/signs")
    }

    @Test func imagePathsOfAFileStartFromItsFolder() throws {
        let folder = try ItemFolder()
        try folder.write("x", to: "data/a.jpg")
        try folder.write("image,prompt\na.jpg,What?\n", to: "data/questions.csv")
        let file = try made(in: folder) { $0.items = folder.path + "/data/questions.csv" }
        #expect(file.description.images == folder.path + "/data" && file.description.name == "questions")
        #expect(file.itemCount == 1 && file.description.prompt == nil)
        try folder.write("x", to: "other/a.jpg")
        let other = try made(in: folder) {
            $0.items = folder.path + "/data/questions.csv"
            $0.images = folder.path + "/other"
        }
        #expect(other.description.images == folder.path + "/other")
    }

    @Test func optionsStandInThePlaceOfWhatTheFileSays() throws {
        let folder = try BatchFolder(
            yaml: """
                model: nowhere
                items: items.jsonl
                method: {name: ficoco-v, keep: 192, axis: row, lambda: 0.5}
                orientation: as-stored
                generation: {max_tokens: 5, seed: 3}
                """)
        var changes = BatchChanges()
        changes.model = folder.path + "/model"
        changes.method = BatchChanges.Method(keep: 64, options: ["axis": "column"])
        changes.set(\.orientation, to: .exif)
        changes.set(\.imageMode, to: .pad)
        changes.set(\.template, to: .hf)
        changes.set(\.generation.temperature, to: 0.5)
        changes.set(\.weights, to: .int8)
        changes.set(\.features, to: BatchDescription.Features.none)
        changes.set(\.trace, to: StoredTrace.none)
        let found = try BatchFile.load(folder.batchFile, changing: changes).description
        #expect(
            found.method
                == BatchDescription.Method(name: "ficoco-v", keep: 64, options: ["axis": "column", "lambda": "0.5"]))
        #expect(found.orientation == .exif && found.imageMode == .pad && found.template == .hf)
        #expect(found.generation == BatchDescription.Generation(maxTokens: 5, temperature: 0.5, seed: 3))
        #expect(found.weights == .int8 && found.features == .none && found.trace == .none && found.name == "demo")
        changes.method = BatchChanges.Method(name: "none")
        let plain = try BatchFile.load(folder.batchFile, changing: changes).description
        #expect(plain.method == BatchDescription.Method())
    }

    @Test func anOptionThatIsNotGivenLeavesTheFilesValue() throws {
        let folder = try BatchFolder(
            yaml: """
                model: model
                items: items.jsonl
                template: hf
                image_tag: text
                image_mode: pad
                orientation: as-stored
                weights: int8
                features: tower
                trace: none
                generation: {max_tokens: 5, temperature: 0.5}
                """)
        var changes = BatchChanges()
        changes.set(\.template, to: nil)
        changes.set(\.imageTag, to: nil)
        changes.set(\.imageMode, to: nil)
        changes.set(\.orientation, to: nil)
        changes.set(\.weights, to: nil)
        changes.set(\.features, to: nil)
        changes.set(\.trace, to: nil)
        changes.set(\.generation.maxTokens, to: nil)
        changes.set(\.generation.temperature, to: nil)
        let found = try BatchFile.load(folder.batchFile, changing: changes).description
        #expect(found == (try BatchFile.load(folder.batchFile).description))
        #expect(found.imageTag == .text && found.imageMode == .pad && found.weights == .int8)
    }

    @Test func aFolderOnTheCommandLineTakesThePlaceOfTheFilesFolder() throws {
        let folder = try BatchFolder(yaml: "model: model\nitems: images\nprompt: What?\n")
        let other = try ItemFolder()
        for name in ["a.jpg", "b.jpg"] { try other.write("x", to: name) }
        var changes = BatchChanges()
        changes.images = other.path
        let file = try BatchFile.load(folder.batchFile, changing: changes)
        #expect(file.itemCount == 2 && file.description.items == other.path && file.description.images == other.path)
    }

    @Test func whatCannotBeIsSaid() throws {
        let folder = try ItemFolder()
        try folder.write("x", to: "a.jpg")
        func words(_ change: (inout BatchChanges) -> Void) -> String {
            do {
                _ = try made(in: folder, change)
                return ""
            } catch { return "\(error)" }
        }
        #expect(
            words {
                $0.images = folder.path + "/nowhere"; $0.prompt = "x"
            }.contains("there is no such folder of pictures"))
        #expect(
            words {
                $0.images = folder.path + "/a.jpg"; $0.prompt = "x"
            }.contains("winnow answer"))
        #expect(
            words {
                $0.images = folder.path; $0.prompt = "x"; $0.method.keep = 64
            }.contains("--method"))
        #expect(
            words {
                $0.images = folder.path; $0.prompt = "x"; $0.method.name = "best"
            }
            .hasPrefix("the command line: there is no method 'best'"))
        #expect(
            words {
                $0.images = folder.path; $0.prompt = "x"; $0.method.name = "ficoco-v"
            }.contains("needs 'keep'"))
        #expect(
            words {
                $0.images = folder.path; $0.prompt = "x"; $0.set(\.generation.maxTokens, to: 0)
            }.contains("--max-tokens"))
        #expect(
            words {
                $0.images = folder.path; $0.prompt = "x"; $0.set(\.generation.temperature, to: .nan)
            }.contains("--temperature"))
        #expect(
            words {
                $0.images = folder.path; $0.prompt = "x"; $0.name = "../x"
            }.contains("'../x'"))
    }

    @Test(arguments: [
        ("/data/photos", "photos"), ("/data/My Photos (2)", "My-Photos-2"), ("/q/questions.v2.csv", "questions.v2"),
        ("/", "batch"), ("/data/…", "batch"), ("/data/-x", "x"), ("/data/.hidden", "hidden"), ("/data/été", "t"),
    ])
    func aNameIsMadeOfThatOfTheItems(path: String, name: String) {
        #expect(BatchName.derived(from: path) == name)
        #expect(BatchName.isUsable(BatchName.derived(from: path)))
    }
}
