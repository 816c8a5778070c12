import Foundation
import JobModel
import TestSupport
import Testing

@Suite struct ConfinedImageTests {
    private let directory: TemporaryDirectory
    private let root: URL

    init() throws {
        directory = try TemporaryDirectory()
        root = directory.file("images")
        try FileManager.default.createDirectory(
            at: root.appendingPathComponent("sub"), withIntermediateDirectories: true)
        try Data("inside".utf8).write(to: root.appendingPathComponent("sub/a.png"))
        try FileManager.default.createDirectory(at: directory.file("images-2"), withIntermediateDirectories: true)
        try Data("outside".utf8).write(to: directory.file("images-2/b.png"))
    }

    private func link(_ name: String, to target: String) throws {
        try FileManager.default.createSymbolicLink(
            atPath: root.appendingPathComponent(name).path, withDestinationPath: target)
    }

    /// What a picture's path opens, or why it opens nothing.
    private func open(_ image: String, under root: URL? = nil) -> Result<String, ConfinedImage.Failure> {
        do {
            let file = try ConfinedImage(image, under: (root ?? self.root).path)
            return .success((try? String(contentsOfFile: file.path, encoding: .utf8)) ?? "unreadable")
        } catch {
            return .failure(error)
        }
    }

    private func code(_ image: String) -> ConfinedImage.Failure.Code? {
        if case .failure(let error) = open(image) { error.code } else { nil }
    }

    @Test func filesInsideAreOpened() throws {
        try link("near.png", to: "sub/a.png")
        try link("back.png", to: "../images/sub/a.png")
        try link("folder", to: "sub")
        try link("absolute.png", to: root.appendingPathComponent("sub/a.png").path)
        for image in [
            "sub/a.png", "./sub//a.png", "sub/../sub/a.png", "near.png", "back.png", "folder/a.png", "absolute.png",
        ] {
            #expect(open(image) == .success("inside"), "\(image)")
        }
    }

    @Test func linksThatLeadOutAreNot() throws {
        try link("file.png", to: "../images-2/b.png")
        try link("folder", to: "../images-2")
        try link("absolute", to: "/")
        try link("chain.png", to: "file.png")
        try link("process", to: "/proc/self")
        for image in ["file.png", "folder/b.png", "absolute/etc/passwd", "chain.png", "process/environ"] {
            #expect(code(image) == .outside, "\(image)")
        }
    }

    @Test func namesThatLeadOutAreNot() {
        for image in ["../images-2/b.png", "/etc/passwd", "sub/../../images-2/b.png", "..", ".", "", "a\0b"] {
            #expect(code(image) == .outside, "\(image)")
        }
    }

    @Test func missingFilesAndLoopsAreSaidToBeUnreadable() throws {
        try link("loop", to: "loop")
        try link("dangling", to: "nothing.png")
        for image in ["none.png", "loop", "dangling", "sub/a.png/x"] { #expect(code(image) == .unreadable, "\(image)") }
        guard case .failure(let error) = open("none.png") else { return }
        #expect(error.message.contains(root.path + "/none.png"))
    }

    @Test func theFolderItselfMayBeALink() throws {
        let alias = directory.file("alias")
        try FileManager.default.createSymbolicLink(at: alias, withDestinationURL: root)
        #expect(open("sub/a.png", under: alias) == .success("inside"))
    }

    /// Opening a pipe for reading would wait for a writer.
    @Test func pipesAreNotWaitedFor() throws {
        #expect(mkfifo(root.appendingPathComponent("pipe").path, 0o600) == 0)
        let file = try ConfinedImage("pipe", under: root.path)
        #expect(file.path.hasPrefix("/proc/self/fd/"))
    }

    @Test func replacingTheFileAfterTheCheckChangesNothing() throws {
        let file = try ConfinedImage("sub/a.png", under: root.path)
        let path = root.appendingPathComponent("sub/a.png")
        try FileManager.default.removeItem(at: path)
        try FileManager.default.createSymbolicLink(at: path, withDestinationURL: directory.file("images-2/b.png"))
        #expect(try String(contentsOfFile: file.path, encoding: .utf8) == "inside")
    }

    @Test(arguments: [
        "http://127.0.0.1:1/a.png", "https://example.org/a.png", "file:///etc/passwd", "s3://bucket/a",
        "data:image/png;base64,AAAA",
    ])
    func urlsAreRefusedBeforeAnythingRuns(_ image: String) throws {
        do {
            _ = try Item(json: #"{"id":"a","image":"\#(image)","prompt":"What?"}"#)
            Issue.record("accepted \(image)")
        } catch {
            #expect(error.message.contains("is a URL"), "\(error)")
        }
        #expect(throws: Never.self) { try Item(json: #"{"id":"a","image":"a:b/c.png","prompt":"What?"}"#) }
    }
}
