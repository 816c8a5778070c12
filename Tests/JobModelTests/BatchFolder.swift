import Foundation
import TestSupport

/// A folder with a batch file, items and everything they name.
struct BatchFolder {
    let directory: TemporaryDirectory
    var batchFile: URL { directory.file("demo.yaml") }
    var path: String { directory.url.standardizedFileURL.path }

    init(yaml: String, items: String = #"{"id":"a","image":"images/cat.jpg","prompt":"What is it?"}"#) throws {
        directory = try TemporaryDirectory()
        for folder in ["model", "images"] {
            try FileManager.default.createDirectory(at: directory.file(folder), withIntermediateDirectories: true)
        }
        try Data([0xFF, 0xD8]).write(to: directory.file("images/cat.jpg"))
        try Data(items.utf8).write(to: directory.file("items.jsonl"))
        try Data(yaml.utf8).write(to: batchFile)
    }
}
