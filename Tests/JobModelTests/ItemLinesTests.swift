import Foundation
import JobModel
import TestSupport
import Testing

@Suite struct ItemLinesTests {
    private func lines(_ bytes: Data) throws -> [String] {
        let directory = try TemporaryDirectory()
        try bytes.write(to: directory.file("items"))
        var reader = try ItemLines(
            ItemSource(path: directory.file("items").path, images: directory.url.path))
        var found: [String] = []
        while let line = try reader.next() { found.append("\(line.number ?? 0):\(line.text ?? "?")") }
        return found
    }

    @Test func numbersLinesAndSkipsBlankOnes() throws {
        #expect(try lines(Data("a\n\n \t\r\nb\r\nc".utf8)) == ["1:a", "4:b\r", "5:c"])
        #expect(try lines(Data()) == [])
        #expect(try lines(Data("\n".utf8)) == [])
    }

    @Test func aByteOrderMarkIsLeftOutAtTheBeginningOnly() throws {
        let mark = Data([0xEF, 0xBB, 0xBF])
        #expect(try lines(mark + Data("a\n".utf8) + mark + Data("b".utf8)) == ["1:a", "2:\u{FEFF}b"])
        #expect(try lines(mark) == [])
    }

    @Test func readsOnAfterUnusableLines() throws {
        let long = Data(repeating: 0x61, count: Item.maximumBytes + 1)
        let exact = Data(repeating: 0x62, count: Item.maximumBytes)
        var bytes = Data("a\n".utf8) + long + Data("\n".utf8) + Data([0xFF, 0xFE, 0x0A])
        bytes += exact + Data("\nz\n".utf8) + Data(repeating: 0x63, count: 3 * Item.maximumBytes)
        let found = try lines(bytes)
        let text = String(repeating: "b", count: Item.maximumBytes)
        #expect(found == ["1:a", "2:?", "3:?", "4:" + text, "5:z", "6:?"])
    }

    @Test func keepsLinesWholeAcrossReads() throws {
        let many = (1...20_000).map { "\($0) " + String(repeating: "x", count: $0 % 50) }
        let found = try lines(Data(many.joined(separator: "\n").utf8))
        #expect(found == many.enumerated().map { "\($0.offset + 1):\($0.element)" })
    }

    @Test func absolutePathsBelowTheImageFolderAreNamedFromThere() throws {
        let folder = try ItemFolder(), place = folder.path
        for name in ["a.jpg", "x/b.jpg"] { try folder.write("x", to: name) }
        let escaped = place.replacing("/", with: "\\/")
        try folder.write(
            """
            {"id":"a","image":"\(place)/a.jpg","prompt":"/what?","max_tokens":7}
            {"id":"b","images":["a.jpg","\(place)/x/b.jpg"],"prompt":"Which?"}
            {"id":"c","image":"\(escaped)\\/x\\/b.jpg","prompt":"\(place)/a.jpg"}
            """, to: "q.jsonl")
        let items = try folder.items("q.jsonl")
        #expect(items.map(\.images) == [["a.jpg"], ["a.jpg", "x/b.jpg"], ["x/b.jpg"]])
        #expect(items.map(\.prompt) == ["/what?", "Which?", "\(place)/a.jpg"] && items[0].maxTokens == 7)
        #expect(try folder.problems("q.jsonl") == [])
        try folder.write("image,prompt\n\(place)/x/b.jpg,What?\n", to: "q.csv")
        #expect(try folder.items("q.csv").map(\.images) == [["x/b.jpg"]])
        // By way of a link to the folder, or to one above it.
        let links = try ItemFolder()
        try FileManager.default.createSymbolicLink(atPath: links.path + "/link", withDestinationPath: place)
        try folder.write(#"{"id":"a","image":"\#(links.path)/link/x/b.jpg","prompt":"What?"}"#, to: "q.jsonl")
        #expect(try folder.items("q.jsonl").map(\.images) == [["x/b.jpg"]])
        #expect(try folder.problems("q.jsonl") == [])
        try folder.write(
            #"{"id":"a","images":["a.jpg","\#(links.path)/link/a.jpg"],"prompt":"What?"}"#, to: "q.jsonl")
        #expect(try folder.items("q.jsonl").map(\.images) == [["a.jpg", "a.jpg"]])
        for outside in ["\(place)-other/a.jpg", "/etc/passwd", "\(place)/../a.jpg"] {
            try folder.write(#"{"id":"a","image":"\#(outside)","prompt":"What?"}"#, to: "q.jsonl")
            #expect(try folder.problems("q.jsonl").first?.contains("leaves the image folder") == true, "\(outside)")
        }
    }

    @Test func linesWithoutAPromptTakeTheBatchs() throws {
        let directory = try TemporaryDirectory()
        let file = directory.file("items.jsonl").path
        let text = """
            {"id":"a","image":"a.jpg"}
            { "id":"b","image":"b.jpg","prompt":"Own?"}
            {"image":"c.jpg", "labels":{"prompt":"no"} ,"id":"c"}
            {"id":"d","image":"d.jpg","prompt":""}
            {}
            [1]
            """
        try Data(text.utf8).write(to: URL(fileURLWithPath: file))
        var lines = try ItemLines(ItemSource(path: file, images: directory.url.path, prompt: "What \"is\" it?"))
        var found: [String] = []
        while let line = try lines.next() { found.append(try #require(line.text)) }
        let items = found.map { try? Item(json: $0) }
        #expect(items.map { $0?.prompt } == ["What \"is\" it?", "Own?", "What \"is\" it?", nil, nil, nil])
        #expect(items[2]?.labels == ["prompt": "no"])
        // What was wrong stays as it was written, so that its own problems are named.
        #expect(found[3] == #"{"id":"d","image":"d.jpg","prompt":""}"# && found[5] == "[1]")
    }

    @Test(arguments: [("photos.xlsx", "Excel"), ("q.parquet", "Parquet")])
    func refusesTablesOfOtherKindsByName(name: String, kind: String) throws {
        let directory = try TemporaryDirectory()
        try Data("PK".utf8).write(to: directory.file(name))
        let problems = #expect(throws: ManifestProblems.self) {
            _ = try ItemLines(ItemSource(path: directory.file(name).path, images: directory.url.path))
        }
        #expect(problems.map { "\($0)".contains(kind) && "\($0)".contains("save it as CSV") } == true)
    }
}

@Suite struct ItemTests {
    @Test func readsEveryField() throws {
        let item = try Item(
            json: #"""
                {"id":"a/1","image":"x/y.png","prompt":"Is it?\nSay.","answers":["yes","ja"],
                 "labels":{"split":"val"},"max_tokens":3,"temperature":0.5}
                """#)
        #expect(
            item
                == Item(
                    id: ItemID("a/1"), images: ["x/y.png"], prompt: "Is it?\nSay.", answers: ["yes", "ja"],
                    labels: ["split": "val"], maxTokens: 3, temperature: 0.5))
        for temperature in ["-1", "\"0\"", "true"] {
            let json = #"{"id":"a","image":"b","prompt":"c","temperature":\#(temperature)}"#
            #expect { try Item(json: json) } throws: { "\($0)".contains("'temperature'") }
        }
    }

    @Test func anItemWithoutAPictureSaysSo() throws {
        for json in [
            #"{"id":"a","image":null,"prompt":"How many?"}"#, #"{"id":"a","\u0069mage":null,"prompt":"How many?"}"#,
        ] {
            #expect(try Item(json: json) == Item(id: ItemID("a"), images: [], prompt: "How many?"))
        }
        #expect {
            try Item(json: #"{"id":"a","prompt":"How many?"}"#)
        } throws: { error in
            "\(error)".contains("'image' is missing; write null")
        }
    }

    @Test func namesAllProblemsInOneError() {
        #expect {
            try Item(json: #"{"image":"a\u0000b","prompt":"","extra":1}"#)
        } throws: { error in
            let problems = ["'id' is missing", "zero byte", "'prompt' is empty", "unknown key 'extra'"]
            return problems.allSatisfy("\(error)".contains)
        }
    }
}

@Suite struct ImagePathTests {
    @Test(arguments: [
        ("a.jpg", "/r/a.jpg"), ("x/../a.jpg", "/r/a.jpg"), ("./x//a.jpg", "/r/x/a.jpg"), ("a..b/..c", "/r/a..b/..c"),
    ])
    func staysInside(image: String, path: String) {
        #expect(ImagePath.resolve(image, under: "/r") == path)
        #expect(ImagePath.resolve(image, under: "/r/") == path)
    }

    @Test(arguments: ["../a.jpg", "x/../../a.jpg", "/r/a.jpg", "..", ".", "", "x/..", "a\u{0}b"])
    func refusesToLeave(image: String) { #expect(ImagePath.resolve(image, under: "/r") == nil) }
}
