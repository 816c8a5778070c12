import Foundation
import JobModel
import TestSupport
import Testing

@Suite struct CSVItemsTests {
    private func items(_ text: String, prompt: String? = nil) throws -> [Item] {
        let folder = try ItemFolder()
        try folder.write(text, to: "q.csv")
        return try folder.items("q.csv", prompt: prompt)
    }

    private func problems(_ text: String, prompt: String? = nil) throws -> [String] {
        let folder = try ItemFolder()
        try folder.write("x", to: "a.jpg")
        try folder.write(text, to: "q.csv")
        return try folder.problems("q.csv", prompt: prompt)
    }

    @Test func quotedCellsHoldCommasQuotesAndLineBreaks() throws {
        let found = try items(
            "\u{FEFF}image,prompt,id\r\na.jpg,\"One, \"\"two\"\"\r\nthree?\",first\r\n\r\n b.jpg , What? ,\"2\" \r\n")
        #expect(
            found == [
                Item(id: ItemID("first"), images: ["a.jpg"], prompt: "One, \"two\"\nthree?"),
                Item(id: ItemID("2"), images: [" b.jpg "], prompt: " What? "),
            ])
    }

    @Test(arguments: [",", ";", "\t"])
    func theHeaderSaysWhatSeparatesCells(separator: String) throws {
        let rows = [["image", "prompt", "kind"], ["a.jpg", "What, or; who?", "x"]]
        let text = rows.map { $0.map { "\"\($0)\"" }.joined(separator: separator) }.joined(separator: "\n")
        #expect(
            try items(text) == [
                Item(id: ItemID("row-1"), images: ["a.jpg"], prompt: "What, or; who?", labels: ["kind": "x"])
            ])
    }

    @Test func answersLimitsAndLabelsComeFromTheirColumns() throws {
        let found = try items(
            """
            ID,Image,Prompt,Answers,max_tokens,temperature,Split,
            a,a.jpg,Yes?,yes| ja |,3,0.5,val,17
            b,b.jpg,No?,"[""no"", ""a|b""]",,,,18
            c,c.jpg,So?,,,,,
            """)
        #expect(
            found == [
                Item(
                    id: ItemID("a"), images: ["a.jpg"], prompt: "Yes?", answers: ["yes", "ja"],
                    labels: ["Split": "val"], maxTokens: 3, temperature: 0.5),
                Item(id: ItemID("b"), images: ["b.jpg"], prompt: "No?", answers: ["no", "a|b"]),
                Item(id: ItemID("c"), images: ["c.jpg"], prompt: "So?"),
            ])
        let several = try items("images,prompt\na.jpg|b.jpg,Same?\n,None?\n")
        #expect(several.map(\.images) == [["a.jpg", "b.jpg"], []])
    }

    @Test func aColumnThatIsNearlyAKnownOneIsNoLabel() throws {
        #expect(
            try problems("imgae,promt\na.jpg,What?\n") == [
                "1: the column 'imgae' looks like 'image'; call it so, or, if it is a label, by a name that differs more",
                "1: the column 'promt' looks like 'prompt'; call it so, or, if it is a label, by a name that differs more",
            ])
        #expect(try problems("image,prompt,answer\na.jpg,What?,yes\n").first?.contains("looks like 'answers'") == true)
        // Beside the column itself, and in other words, it is one.
        let found = try items("image,prompt,answers,answer,page,ids\na.jpg,What?,yes,no,3,4\n")
        #expect(found.first?.labels == ["answer": "no", "page": "3", "ids": "4"] && found.first?.answers == ["yes"])
    }

    @Test func rowsWithoutAPromptTakeTheBatchs() throws {
        let found = try items("image,prompt\na.jpg,\nb.jpg,Own?\n", prompt: "All?")
        #expect(found.map(\.prompt) == ["All?", "Own?"] && found.map(\.id.rawValue) == ["row-1", "row-2"])
        #expect(try items("image\na.jpg\n", prompt: "All?").map(\.prompt) == ["All?"])
    }

    @Test func whatIsWrongIsNamedWithTheLineOnWhichItsRowBegins() throws {
        let found = try problems(
            """
            image,prompt,id,max_tokens
            a.jpg,"one
            two",x,
            a.jpg,,y,
            a.jpg,What?,x,
            a.jpg,What?
            a.jpg,What?,z,many
            b.jpg,What?,w,
            ,What?,v,
            a.jpg,"What"ever,u,
            ../a.jpg,What?,t,
            http://x/a.jpg,What?,,0
            a.jpg,"open,q,
            and so on
            """)
        let expected = [
            "4: 'prompt' is empty", "5: id 'x' is already used in line 2", "6: the row has 2 cells and the header 4",
            "7: 'max_tokens' must be a whole number, not 'many'", "8: there is no image 'b.jpg'",
            "9: 'image' is empty",
            "10: text stands behind the end of a quoted cell", "11: image '../a.jpg' leaves", "12: 'id' is empty",
            "12: 'max_tokens' is 0", "12: image 'http://x/a.jpg' is a URL", "13: a quotation mark opens a cell here",
        ]
        #expect(found.count == expected.count, "\(found)")
        for (text, start) in zip(found, expected) { #expect(text.hasPrefix(start)) }
    }

    @Test func headersThatCannotBeUsed() throws {
        #expect(
            try problems("prompt,id\nWhat?,a\n").first?.hasPrefix("1: there is no column 'image' in the header") == true
        )
        let noPrompt = try problems("image,id\na.jpg,a\n")
        #expect(noPrompt.first?.hasPrefix("1: there is no column 'prompt'") == true && noPrompt[0].contains("--prompt"))
        #expect(try problems("image,prompt,kind,kind\na.jpg,b,c,d\n") == ["1: two columns are called 'kind'"])
        #expect(try problems("image,images,prompt\na.jpg,a.jpg,b\n").first?.contains("give one of them") == true)
        #expect(try problems("").first?.contains("the file is empty") == true)
        #expect(try problems("image,prompt\n").first?.contains("there is no item") == true)
    }

    @Test func bytesThatAreNoUTF8AreNamed() throws {
        let folder = try ItemFolder()
        try folder.write("x", to: "a.jpg")
        try folder.write(
            Data("image,prompt\na.jpg,Gr".utf8) + Data([0xFC, 0xDF]) + Data("e\na.jpg,Good\n".utf8), to: "q.csv")
        #expect(try folder.problems("q.csv") == ["2: not UTF-8; save the file as CSV in UTF-8"])
    }

    /// A row that never ends takes no more memory than an item may have.
    @Test func aRowThatIsTooLongIsNamed() throws {
        let folder = try ItemFolder()
        let long = String(repeating: "x\n", count: Item.maximumBytes)
        try folder.write("image,prompt\na.jpg,\"\(long)", to: "q.csv")
        let lines = try folder.lines("q.csv")
        #expect(lines.count == 1 && lines[0].number == 2)
        #expect(lines[0].problem?.contains("a quotation mark in it may lack its end") == true)
    }
}
