import Foundation
import JobModel
import TestSupport
import Testing

@Suite struct OpenAIItemsTests {
    private func request(_ id: String, _ content: String, _ more: String = "") -> String {
        #"{"custom_id":"\#(id)","method":"POST","url":"/v1/chat/completions","body":{"model":"gpt-4o","#
            + #""messages":[{"role":"user","content":\#(content)}]\#(more)}}"#
    }

    private func image(_ url: String) -> String {
        #"{"type":"image_url","image_url":{"url":"\#(url)","detail":"low"}}"#
    }

    @Test func textsPicturesAndLimitsAreRead() throws {
        let folder = try ItemFolder()
        let both =
            #"[{"type":"text","text":"What is"},\#(image("a.jpg")),{"type":"text","text":"this?"},\#(image("b.jpg"))]"#
        try folder.write(
            [
                request("r-1", both, #","max_tokens":7,"temperature":0.5,"n":1,"stream":false,"seed":null"#),
                request("r-2", #""Just text""#, #","max_completion_tokens":3"#),
                request("r-3", "[\(image("c.jpg"))]"),
            ].joined(separator: "\n"), to: "q.jsonl")
        #expect(
            try folder.items("q.jsonl", prompt: "Describe.") == [
                Item(
                    id: ItemID("r-1"), images: ["a.jpg", "b.jpg"], prompt: "What is\nthis?", maxTokens: 7,
                    temperature: 0.5),
                Item(id: ItemID("r-2"), images: [], prompt: "Just text", maxTokens: 3),
                Item(id: ItemID("r-3"), images: ["c.jpg"], prompt: "Describe."),
            ])
    }

    @Test func whatCannotBeCarriedOutIsNamedWithItsLine() throws {
        let folder = try ItemFolder()
        try folder.write("x", to: "a.jpg")
        let system =
            #"{"custom_id":"s","body":{"messages":[{"role":"system","content":"Be brief"},{"role":"user","content":"Hi"}]}}"#
        try folder.write(
            [
                request("a", "[\(image("a.jpg"))]"), system, request("b", #""x""#, #","tools":[{"type":"function"}]"#),
                request("c", #""x""#, #","top_p":0.5"#), request("d", #""x""#, #","n":2,"max_tokens":0"#),
                request("e", #"[{"type":"input_audio","input_audio":{}}]"#), request("f", "7"), "[]",
                request("g", "[{\"type\":\"text\",\"text\":\"x\"},\(image("https://x/a.jpg"))]"),
                #"{"body":{"messages":[]},"url":"/v1/embeddings"}"#, request("h", #""x""#), request("h", #""y""#),
                request("i", #""x""#, #","temperature":-1"#),
            ].joined(separator: "\n"), to: "q.jsonl")
        let found = try folder.problems("q.jsonl")
        let expected = [
            "1: the message has no text", "2: 'body.messages' must be one message of the user, not system, user",
            "3: 'body.tools' cannot be carried out", "4: 'body.top_p' cannot differ from request to request",
            "5: 'body.max_tokens' must be a whole number from 1; 'body.n' cannot be carried out",
            "6: a part of type 'input_audio' cannot be carried out", "7: 'content' of the message must be a text",
            "8: it is not a JSON object", "9: image 'https://x/a.jpg' is a URL", "10: 'custom_id' is missing; 'url' is",
            "12: id 'h' is already used in line 11", "13: 'temperature' is -1.0",
        ]
        #expect(found.count == expected.count, "\(found)")
        for (text, start) in zip(found, expected) { #expect(text.hasPrefix(start)) }
    }

    /// Pictures in requests become files below the image folder, once, when the batch is checked.
    @Test func picturesInRequestsBecomeFiles() throws {
        let folder = try ItemFolder()
        let bytes = Data((0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 31) })
        let url = "data:image/png;base64," + bytes.base64EncodedString()
        let content = #"[{"type":"text","text":"What?"},\#(image(url))]"#
        // The line is longer than an item may be: its picture is not part of the item.
        let long = "data:image/jpeg;base64," + Data(repeating: 7, count: 300_000).base64EncodedString()
        let second = #"[{"type":"text","text":"What?"},\#(image(long))]"#
        try folder.write(
            request("a", content) + "\n" + request("b", second) + "\n" + request("c", content), to: "q.jsonl")
        let before = try folder.items("q.jsonl")
        #expect(!FileManager.default.fileExists(atPath: folder.path + "/.winnow-pictures"))
        #expect(try folder.problems("q.jsonl") == [])
        #expect(before[0].images == before[2].images && before[0].images != before[1].images)
        #expect(before[0].images[0].hasPrefix(".winnow-pictures/") && before[0].images[0].hasSuffix(".png"))
        #expect(before[1].images[0].hasSuffix(".jpg"))
        #expect(try Data(contentsOf: folder.directory.file(before[0].images[0])) == bytes)
        // What somebody has made of such a file since is not what the request asks about.
        try folder.write("something else", to: before[0].images[0])
        #expect(try folder.problems("q.jsonl") == [])
        #expect(try Data(contentsOf: folder.directory.file(before[0].images[0])) == bytes)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path + "/.winnow-pictures").count == 2)
        #expect(try folder.items("q.jsonl") == before)
    }

    @Test(arguments: [
        ("data:image/bmp;base64,Qk02", "'image/bmp' in a data: URL is not read"), ("data:image/png,abc", "base64"),
        ("data:image/png;base64,*", "base64"), ("data:", "without a comma"),
    ])
    func picturesInRequestsThatAreNotRead(url: String, words: String) throws {
        let folder = try ItemFolder()
        try folder.write(request("a", #"[{"type":"text","text":"What?"},\#(image(url))]"#), to: "q.jsonl")
        let found = try folder.problems("q.jsonl")
        #expect(found.first?.contains(words) == true, "\(found)")
    }

    /// The items may lie anywhere, and what is unpacked is no item of the folder that it is unpacked into.
    @Test func picturesInRequestsGoIntoTheImageFolderAndAreNoneOfItsItems() throws {
        let folder = try BatchFolder(
            yaml: "model: model\nitems: items.jsonl\nimages: images\n",
            items: request("a", #"[{"type":"text","text":"What?"},\#(image("data:image/png;base64,AAAA"))]"#))
        let file = try BatchFile.load(folder.batchFile)
        let images = file.description.images
        var lines = try ItemLines(file.description.itemSource)
        let item = try Item(json: #require(lines.next()?.text))
        #expect(images.hasSuffix("/images") && item.images.count == 1)
        #expect(try Data(contentsOf: URL(fileURLWithPath: "\(images)/\(item.images[0])")) == Data([0, 0, 0]))
        var pictures = try ItemLines(ItemSource(path: images, images: images, prompt: "What?"))
        while let line = try pictures.next() { #expect(line.text?.contains(".winnow-pictures") == false) }
        #expect(try ItemSource(path: images, images: images).leftOut().isEmpty)
    }

    @Test func picturesInRequestsNeedAnImageFolderThatIsHere() throws {
        let folder = try BatchFolder(
            yaml: "model: model\nitems: items.jsonl\nimages: elsewhere\n",
            items: request("a", #"[{"type":"text","text":"What?"},\#(image("data:image/png;base64,AAAA"))]"#))
        #expect {
            try BatchFile.load(folder.batchFile, trustsPaths: true)
        } throws: {
            "\($0)".contains("cannot be written into the image folder")
        }
        #expect(!FileManager.default.fileExists(atPath: folder.path + "/elsewhere"))
    }
}
