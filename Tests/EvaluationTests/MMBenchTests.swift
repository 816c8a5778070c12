import Evaluation
import Foundation
import TestSupport
import Testing

/// MMBench's table: quoted fields, missing options, rotations, pictures inside, and the spreadsheet that is uploaded.
struct MMBenchTests {
    private let header =
        "index\tquestion\thint\tA\tB\tC\tD\tanswer\tcategory\timage\tsource\tl2-category\tcomment\tsplit"

    private func table() -> String {
        let (cat, dog) = (Data("cat".utf8).base64EncodedString(), Data("dog".utf8).base64EncodedString())
        return [
            header,
            "241\tWhich \"one\"?\t\"A hint\twith a tab\nand a \"\"line\"\"\"\tred\tblue\t\tnan\tA\tcolour\t\(cat)\ts\tl\tc\tdev",
            "1000241\tWhich \"one\"?\tnan\tblue\tred\t\t\tB\tcolour\t\(cat)\ts\tl\tc\tdev",
            "242\tWhat & why <?\t\ta\tb\tc\td\tD\tthing\t\(dog)\ts\tl\tc\tdev", "",
        ].joined(separator: "\n")
    }

    @Test func readsTheTableAsPandasDoes() throws {
        let folder = try PublishedFolder(["mmbench_dev_20230712.tsv": table()])
        let questions = try folder.questions("mmbench")
        #expect(questions.count == 3)
        #expect(
            questions[0].prompt
                == "A hint\twith a tab\nand a \"line\"\nWhich \"one\"?\nA. red\nB. blue\nAnswer with the option's letter from the given choices directly."
        )
        #expect(questions[0].recorded.hasSuffix("\nB. blue"), "the official answer file leaves the last line out")
        #expect(questions[0].options == ["red", "blue"])
        #expect(questions[1].prompt.hasPrefix("Which \"one\"?\nA. blue"))
        #expect(questions[1].image == questions[0].image, "rotations share a picture")
        try BenchmarkCatalogue.benchmark(named: "mmbench").unpackPictures(in: folder.data)
        let picture = folder.directory.file(try #require(questions[2].image))
        #expect(try Data(contentsOf: picture) == Data("dog".utf8))
        #expect(try DataCheck(BenchmarkCatalogue.benchmark(named: "mmbench"), in: folder.data).canRun)
    }

    /// Only pandas' own spellings are missing values, and any of nan and none.
    @Test func elementsAreOptions() throws {
        func options(_ cells: String) throws -> [String] {
            let row = "1\tWhich metal?\tNull\t\(cells)\tA\tthing\taaaa\ts\tl\tc\tdev"
            let folder = try PublishedFolder(["mmbench_dev_20230712.tsv": header + "\n" + row + "\n"])
            let question = try #require(try folder.questions("mmbench").first)
            #expect(question.prompt.hasPrefix("Null\nWhich metal?"))
            return question.options
        }
        #expect(try options("K\tNa\tCa\tFe") == ["K", "Na", "Ca", "Fe"])
        #expect(try options("na\tNull\t-NAN\t#n/a") == ["na", "Null", "-NAN", "#n/a"])
        for missing in [
            "", "NA", "N/A", "n/a", "NULL", "null", "NaN", "nan", "-NaN", "-nan", "None", "<NA>", "#N/A", "#N/A N/A",
            "#NA", "-1.#IND", "-1.#QNAN", "1.#IND", "1.#QNAN", "NAN", "NONE", "none",
        ] {
            #expect(try options("K\tL\t\(missing)\tFe") == ["K", "L"], "\(missing)")
        }
    }

    /// Some spreadsheets begin a file with a mark, which pandas passes over.
    @Test func aByteOrderMarkIsNoPartOfTheFirstHeading() throws {
        let folder = try PublishedFolder(["mmbench_dev_20230712.tsv": "\u{FEFF}" + table()])
        #expect(try folder.questions("mmbench").map(\.id) == [.number(241), .number(1_000_241), .number(242)])
    }

    private func references(_ images: [(index: Int, image: String)]) -> String {
        let rows = images.map { "\($0.index)\tWhich?\t\tred\tblue\t\t\tA\tthing\t\($0.image)\ts\tl\tc\tdev" }
        return ([header] + rows).joined(separator: "\n") + "\n"
    }

    /// A picture may be the index of a row, which again names another's.
    @Test func picturesOfPicturesAreFollowed() throws {
        let cat = Data("cat".utf8).base64EncodedString()
        let chain = references([(3, "2"), (2, "1"), (1, cat), (4, "3"), (5, cat)])
        let folder = try PublishedFolder(["mmbench_dev_20230712.tsv": chain])
        #expect(Set(try folder.questions("mmbench").map(\.image)) == ["pictures/1.jpg"])
        try BenchmarkCatalogue.benchmark(named: "mmbench").unpackPictures(in: folder.data)
        #expect(try Data(contentsOf: folder.directory.file("pictures/1.jpg")) == Data("cat".utf8))
        for broken in [[(1, "2"), (2, "1")], [(1, cat), (2, "7")], [(1, "1")]] {
            let folder = try PublishedFolder(["mmbench_dev_20230712.tsv": references(broken)])
            let error = #expect(throws: EvaluationError.self) { try folder.questions("mmbench") }
            #expect(error?.code == .badData && error?.message.contains("row ") == true, "\(broken)")
        }
    }

    /// LLaVA's script takes an option that reads None for missing; where it is the right one, somebody should know.
    @Test func aRightAnswerThatCountsAsMissingIsNamed() throws {
        let row = "7\tHow many?\t\tone\ttwo\tNone\t\tC\tthing\t\(Data("x".utf8).base64EncodedString())\ts\tl\tc\tdev"
        let folder = try PublishedFolder(["mmbench_dev_20230712.tsv": header + "\n" + row + "\n"])
        #expect(try folder.questions("mmbench")[0].options == ["one", "two"])
        let check = try DataCheck(BenchmarkCatalogue.benchmark(named: "mmbench"), in: folder.data)
        let remark = try #require(check.problems.first { $0.contains("None") })
        #expect(remark.contains("mmbench_dev_20230712.tsv, row 1") && remark.contains("right answer is C"))
    }

    /// The table of the test split has no answers; the server has them.
    @Test func aTableWithoutAnswersIsAskedAndUploaded() throws {
        let lines = table().replacing("\tanswer\t", with: "\t").replacing("\tA\tcolour", with: "\tcolour")
            .replacing("\tB\tcolour", with: "\tcolour").replacing("\tD\tthing", with: "\tthing")
        let folder = try PublishedFolder(["mmbench_dev_20230712.tsv": lines])
        let evaluation = try folder.evaluate("mmbench", ["A", "B", "D"])
        #expect(evaluation.result == nil)
        #expect(evaluation.files.contains { $0.path == "answers_upload/model.xlsx" })
        let holes = try PublishedFolder(["mmbench_dev_20230712.tsv": table().replacing("\tD\tthing", with: "\t\tthing")]
        )
        let error = #expect(throws: EvaluationError.self) { try holes.questions("mmbench") }
        #expect(error?.message.contains("row 3") == true)
    }

    @Test func asksInChinese() throws {
        let folder = try PublishedFolder(["mmbench_dev_cn_20231003.tsv": table()])
        #expect(try folder.questions("mmbench-cn")[2].prompt.hasSuffix("\nD. d\n请直接回答选项字母。"))
    }

    @Test func countsAQuestionOnce() throws {
        let folder = try PublishedFolder(["mmbench_dev_20230712.tsv": table()])
        let one = try folder.evaluate("mmbench", ["A", "A", "D"])
        #expect(one.result?.headline.value == 50)
        #expect(one.score("first rotation") == 100)
        #expect(one.result?.contributions == [0: 0, 2: 1])
        #expect(try folder.evaluate("mmbench", ["A", " B", "D"]).result?.headline.value == 100)
    }

    @Test(
        "the spreadsheet opens elsewhere",
        .enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/python3")))
    func spreadsheet() throws {
        let folder = try PublishedFolder(["mmbench_dev_20230712.tsv": table()])
        let evaluation = try folder.evaluate("mmbench", ["A", "B", "D & <E>"])
        _ = try evaluation.write(to: folder.directory.url)
        let printed = try SystemPython.run(
            """
            import sys, zipfile, xml.etree.ElementTree as tree
            archive = zipfile.ZipFile(sys.argv[1])
            assert archive.testzip() is None
            main = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
            for name in archive.namelist(): tree.fromstring(archive.read(name))
            for row in tree.fromstring(archive.read("xl/worksheets/sheet1.xml")).iter(main + "row"):
                print("|".join(c.get("r") + "=" + "".join(c.itertext()) for c in row))
            """, folder.directory.file("answers_upload/model.xlsx").path)
        let rows = printed.split(separator: "\n")
        #expect(rows.count == 4)
        #expect(rows[0] == "A1=index|B1=question|C1=A|D1=B|E1=C|F1=D|G1=prediction|H1=answer|I1=split")
        #expect(rows[1] == "A2=241|B2=Which \"one\"?|C2=red|D2=blue|G2=A|H2=A|I2=dev")
        #expect(rows[3] == "A4=242|B4=What & why <?|C4=a|D4=b|E4=c|F4=d|G4=D & <E>|H4=D|I4=dev")
    }

    @Test func refusesWhatIsNotATable() throws {
        for text in ["", header + "\n1\tq\n", header + "\nx" + String(repeating: "\ta", count: 13) + "\n"] {
            let folder = try PublishedFolder(["mmbench_dev_20230712.tsv": text])
            let error = #expect(throws: EvaluationError.self) { try folder.questions("mmbench") }
            #expect(error?.code == .badData)
        }
    }
}
