import Foundation
import Glibc
import JobModel
import TestSupport
import Testing

@Suite struct FolderItemsTests {
    @Test func picturesAreFoundInSubfoldersAndSorted() throws {
        let folder = try ItemFolder()
        for name in ["b.PNG", "a/z.jpeg", "a/b/c.webp", "a.jpg", ".hidden.jpg", ".git/x.jpg", "a/.b/y.jpg"] {
            try folder.write("x", to: name)
        }
        let items = try folder.items(prompt: "What is it?")
        #expect(items.map(\.id.rawValue) == ["a.jpg", "a/b/c.webp", "a/z.jpeg", "b.PNG"])
        #expect(items.allSatisfy { $0.images == [$0.id.rawValue] && $0.prompt == "What is it?" })
    }

    @Test func filesThatAreNoItemsAreCountedAndNamed() throws {
        let folder = try ItemFolder()
        let names = ["a.jpg", "b.bmp", "c.BMP", "x/d.heic", "e.tiff", "notes.txt", "README", "f.cr2"]
        for name in names { try folder.write("x", to: name) }
        var changes = BatchChanges()
        changes.model = folder.path
        changes.images = folder.path
        changes.prompt = "What?"
        let file = try BatchFile.make(of: changes, in: folder.directory.url)
        #expect(file.itemCount == 1)
        #expect(file.leftOut.pictureCounts == "2 BMP, 1 HEIC, 1 TIFF, 1 camera raw")
        #expect(file.leftOut.pictures["BMP"]?.examples == ["b.bmp", "c.BMP"])
        #expect(file.leftOut.pictures["HEIC"]?.examples == ["x/d.heic"])
        #expect(file.leftOut.others.count == 2 && file.leftOut.others.examples == ["README", "notes.txt"])
    }

    @Test func aFolderWithoutPicturesSaysWhatItLookedFor() throws {
        let folder = try ItemFolder()
        #expect(
            try folder.problems(prompt: "What?").first?.hasSuffix(
                "no file that ends in .jpg, .jpeg, .jpe, .jfif, .png, .webp, .gif") == true)
        try folder.write("x", to: "a.tif")
        try folder.write("x", to: "b.txt")
        let found = try folder.problems(prompt: "What?")
        #expect(
            found.count == 1 && found[0].hasSuffix("; there are 1 TIFF and 1 other file, which are not read"),
            "\(found)"
        )
    }

    @Test func aFolderNeedsAPrompt() throws {
        let folder = try ItemFolder()
        try folder.write("x", to: "a.jpg")
        #expect(try folder.problems().first?.contains("--prompt") == true)
        #expect(try folder.problems(prompt: " \n").first?.contains("'prompt' is empty") == true)
    }

    @Test func aNameThatIsNotUTF8IsNamed() throws {
        let folder = try ItemFolder()
        try folder.write("x", to: "a.jpg")
        let path =
            "\(folder.path)/bad".utf8.map { CChar(bitPattern: $0) } + [
                CChar(bitPattern: 0xFF), 0x2E, 0x6A, 0x70, 0x67, 0,
            ]
        let file = open(path, O_CREAT | O_WRONLY, 0o600)
        #expect(file >= 0)
        close(file)
        let found = try folder.problems(prompt: "What?")
        #expect(found.first?.contains("a name in it is not UTF-8, such as bad\u{FFFD}.jpg") == true, "\(found)")
    }

    @Test func resultsAreNoItems() throws {
        let folder = try ItemFolder()
        for name in ["a.jpg", "results/b/shards/.token", "results/b/panels.png", "results/c.png"] {
            try folder.write("x", to: name)
        }
        #expect(try folder.items(prompt: "What?").map(\.id.rawValue) == ["a.jpg", "results/c.png"])
    }

    @Test func linksStayConfined() throws {
        let folder = try ItemFolder(), outside = try ItemFolder()
        try folder.write("x", to: "a.jpg")
        try outside.write("x", to: "secret.jpg")
        let files = FileManager.default
        try files.createSymbolicLink(atPath: folder.path + "/same.jpg", withDestinationPath: "a.jpg")
        try files.createSymbolicLink(atPath: folder.path + "/circle", withDestinationPath: ".")
        #expect(try folder.items(prompt: "What?").map(\.id.rawValue) == ["a.jpg", "same.jpg"])
        #expect(try folder.problems(prompt: "What?") == [])
        try files.createSymbolicLink(
            atPath: folder.path + "/out.jpg", withDestinationPath: outside.path + "/secret.jpg")
        #expect(
            try folder.problems(prompt: "What?").first?.contains("image 'out.jpg' is a link that leads out") == true)
    }

    /// The ids are the paths below the folder of the items, wherever image paths start from.
    @Test func aBatchFileMayNameAFolder() throws {
        let folder = try BatchFolder(yaml: "model: model\nitems: images\nprompt: What is it?\n")
        let file = try BatchFile.load(folder.batchFile)
        #expect(file.itemCount == 1 && file.pictureCount == 1)
        #expect(file.description.items == folder.path + "/images" && file.description.images == file.description.items)
        // What is stored beside results is read again as the same batch.
        try Data(file.description.yaml().utf8).write(to: folder.batchFile)
        #expect(try BatchFile.load(folder.batchFile).description == file.description)
        let source = try #require(BatchFile.itemSource(in: folder.batchFile))
        #expect(source == file.description.itemSource)

        try Data("model: model\nitems: images\nimages: .\nprompt: What is it?\n".utf8).write(to: folder.batchFile)
        let wider = try BatchFile.load(folder.batchFile)
        var lines = try ItemLines(wider.description.itemSource)
        let item = try Item(json: #require(lines.next()?.text))
        #expect(item.id == ItemID("cat.jpg") && item.images == ["images/cat.jpg"])
        try Data("model: model\nitems: images\nimages: model\nprompt: What is it?\n".utf8).write(to: folder.batchFile)
        #expect { try BatchFile.load(folder.batchFile) } throws: {
            "\($0)".contains("is not inside the folder of the images")
        }
    }
}
