import Foundation
import JobModel
import TestSupport
import Testing

@Suite struct ModelPathTests {
    @Test func whatIsNoFolderIsExplained() throws {
        let folder = try TemporaryDirectory()
        #expect(ModelPath.trouble(with: folder.url.path) == nil)
        let file = folder.file("config.json").path
        try Data("{}".utf8).write(to: URL(fileURLWithPath: file))
        #expect(ModelPath.trouble(with: file) == "\(file) is a file; name the folder of the checkpoint that holds it")
        // Beside what is there: a mistyped name, and no repository.
        let slip = folder.file("modle").path
        #expect(ModelPath.trouble(with: slip) == "there is no folder \(slip)")
        let hub = folder.file("llava-hf/llava-1.5-7b-hf").path
        #expect(ModelPath.trouble(with: hub) == "there is no folder \(hub)")
        #expect(ModelPath.trouble(with: "/data/models/llava", from: folder.url.path)?.contains("hf") == false)
        #expect(ModelPath.trouble(with: "llava-hf/llava-1.5-7b-hf")?.contains("'hf download llava-hf/") == true)
        #expect(
            ModelPath.trouble(with: hub, from: folder.url.path)?.contains(
                "'hf download llava-hf/llava-1.5-7b-hf --local-dir models/llava-1.5-7b-hf'") == true)
    }
}
