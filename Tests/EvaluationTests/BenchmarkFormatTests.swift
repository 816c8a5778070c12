import Evaluation
import Foundation
import TestSupport
import Testing

/// Question files as published, prompts as LLaVA-1.5 asks them, files as servers and official scripts take them.
struct BenchmarkFormatTests {
    let short = "\nAnswer the question using a single word or phrase."
    let letter = "\nAnswer with the option's letter from the given choices directly."

    @Test func popeIsTheMeanOfThreeSamplings() throws {
        let samplings = ["adversarial", "popular", "random"]
        var files: [String: String] = [:], rows: [(String, String, String, String?)] = []
        for (number, sampling) in samplings.enumerated() {
            for question in 0..<4 {
                rows.append(
                    (
                        "\(number * 10_000_000 + question + 1)", "COCO_val2014_\(question).jpg",
                        "Is there a cat?\(short)", sampling
                    ))
            }
            files["coco/coco_pope_\(sampling).json"] = ["yes", "no", "yes", "no"].map { "{\"label\": \"\($0)\"}\n" }
                .joined()
        }
        files["llava_pope_test.jsonl"] = llavaLines(rows.map { (id: $0.0, image: $0.1, text: $0.2, category: $0.3) })
        let folder = try PublishedFolder(files)
        let questions = try folder.questions("pope")
        #expect(questions[5].image == "val2014/COCO_val2014_1.jpg")
        #expect(questions[5].prompt == "Is there a cat?\(short)")
        #expect(questions[5].id == .number(10_000_002) && questions[5].category == "popular")
        // Perfect; one of two found (precision 1, recall ½); everything yes (precision ½, recall 1).
        let answers = ["Yes", "No", "Yes", "No"] + ["Yes", "No", "No", "No"] + ["Yes", "Yes", "Yes", "Yes"]
        let evaluation = try folder.evaluate("pope", answers)
        #expect(abs(try #require(evaluation.result).headline.value - 100 * (1 + 2.0 / 3 + 2.0 / 3) / 3) < 1e-9)
        #expect(evaluation.score("F1 popular").map { abs($0 - 200.0 / 3) < 1e-9 } == true)
        #expect(evaluation.score("yes random") == 100)
        let first = try #require(evaluation.text("answers/model.jsonl")?.split(separator: "\n").first)
        let line = try #require(JSONSerialization.jsonObject(with: Data(first.utf8)) as? [String: Any])
        #expect(Set(line.keys) == ["question_id", "prompt", "text", "answer_id", "model_id", "metadata"])
        #expect(line["question_id"] as? Int == 1 && line["text"] as? String == "Yes")
        #expect(line["prompt"] as? String == "Is there a cat?\(short)")

        // The file of another commit has more rows; the official script would pair them silently.
        try folder.write("coco/coco_pope_random.json", String(repeating: "{\"label\": \"no\"}\n", count: 5))
        let error = #expect(throws: EvaluationError.self) { try folder.evaluate("pope", answers) }
        #expect(error?.code == .mismatch)
        #expect(throws: EvaluationError.self) { try folder.evaluate("pope", answers.dropLast() + [nil]) }
    }

    @Test func gqaMatchesExactly() throws {
        let folder = try PublishedFolder([
            "llava_gqa_testdev_balanced.jsonl": llavaLines([
                ("\"201307251\"", "n161313.jpg", "Is it overcast?\(short)", "default"),
                ("\"201640614\"", "n235859.jpg", "Who is wearing the dress?\(short)", "default"),
                ("\"202225914\"", "n336443.jpg", "What color?\(short)", nil),
            ]),
            "data/testdev_balanced_questions.json":
                #"{"201307251": {"answer": "no"}, "201640614": {"answer": "woman"}, "202225914": {"answer": "red"}}"#,
        ])
        #expect(
            try folder.questions("gqa").map(\.image)
                == ["n161313", "n235859", "n336443"].map { "data/images/\($0).jpg" })
        let evaluation = try folder.evaluate("gqa", ["No.", "the woman", "Red.."])
        #expect(evaluation.result.map { abs($0.headline.value - 200.0 / 3) < 1e-9 } == true)
        #expect(evaluation.result?.contributions == [0: 1, 1: 0, 2: 1])
        let upload = try evaluation.json("testdev_balanced_predictions.json") as? [[String: String]]
        #expect(upload?[0] == ["questionId": "201307251", "prediction": "no"])
    }

    /// Whether or not the truth is there to be missed by the score.
    @Test func filesForServersHaveNoHoles() throws {
        let gqa = try PublishedFolder([
            "llava_gqa_testdev_balanced.jsonl": llavaLines([
                ("\"1\"", "n1.jpg", "Is it?", nil), ("\"2\"", "n1.jpg", "Or?", nil),
            ])
        ])
        #expect(try gqa.evaluate("gqa", ["no", "no"]).files.count == 2)
        let answers = #"{"answer": "cat"}"#
        let row = #"{"image": "a.jpg", "question": "What?", "answers": ["# + answers + "]}"
        let vizWiz = try PublishedFolder(["val.json": "[\(row), \(row)]"])
        let vqa = try PublishedFolder([
            "llava_vqav2_mscoco_test-dev2015.jsonl": llavaLines([
                ("7", "a.jpg", "What?", nil), ("8", "a.jpg", "Who?", nil),
            ]),
            "llava_vqav2_mscoco_test2015.jsonl": llavaLines([("7", "a.jpg", "What?", nil)]),
        ])
        let wild = try PublishedFolder([
            "questions.jsonl": llavaLines([("0", "001.jpg", "What?", "conv"), ("1", "001.jpg", "Who?", "conv")])
        ])
        for (name, folder) in [("gqa", gqa), ("vizwiz-val", vizWiz), ("vqav2", vqa), ("llava-bench", wild)] {
            let error = #expect(throws: EvaluationError.self) { try folder.evaluate(name, ["no", nil]) }
            #expect(error?.code == .unfinished, "\(name)")
        }
        let benchmark = try BenchmarkCatalogue.benchmark(named: "vizwiz-val")
        let holes = try BenchmarkAnswers(vizWiz.questions("vizwiz-val"), texts: [0: "cat"], model: "m")
        #expect(throws: EvaluationError.self) { try benchmark.uploads(holes, in: vizWiz.data) }
    }

    @Test func textVQAJoinsByPictureAndQuestion() throws {
        func people(_ answers: [String]) -> String {
            "[" + answers.map { "\"\($0)\"" }.joined(separator: ", ") + "]"
        }
        let nokia = people([String](repeating: "nokia", count: 9) + ["toyota"])
        let two = people([String](repeating: "two", count: 3) + [String](repeating: "four", count: 7))
        let folder = try PublishedFolder([
            "llava_textvqa_val_v051_ocr.jsonl": llavaLines([
                ("\"003a\"", "003a.jpg", "What is the brand?\nReference OCR token: NOKIA, a\(short)", "default"),
                ("\"003a\"", "003a.jpg", "How many?\nReference OCR token: \(short)", "default"),
            ]),
            "TextVQA_0.5.1_val.json": """
            {"data": [{"image_id": "003a", "question": "What is the Brand?", "answers": \(nokia)},
                      {"image_id": "003a", "question": "how many?", "answers": \(two)}]}
            """,
        ])
        #expect(try folder.questions("textvqa")[1].prompt == "How many?\nReference OCR token: \(short)")
        let evaluation = try folder.evaluate("textvqa", ["Nokia.", "2"])
        #expect(evaluation.result.map { abs($0.headline.value - 95) < 1e-9 } == true)  // 1 and 0.9
        try folder.write("TextVQA_0.5.1_val.json", #"{"data": []}"#)
        let error = #expect(throws: EvaluationError.self) { try folder.evaluate("textvqa", ["a", "b"]) }
        #expect(error?.code == .badData)
    }

    @Test func scienceQAReportsBothNumbers() throws {
        let folder = try PublishedFolder([
            "llava_test_CQM-A.json": """
            [{"id": "4", "image": "4/image.png", "conversations": [{"from": "human", "value": "Which?\\nA. x\\nB. y\\n<image>"}]},
             {"id": "5", "conversations": [{"from": "human", "value": "Context: N/A\\nWhat?\\nA. a\\nB. b\\nC. c"}]},
             {"id": "11", "image": "11/image.png", "conversations": [{"from": "human", "value": "<image>\\nQ\\nA. a\\nB. b"}]}]
            """,
            "pid_splits.json": #"{"train": ["1"], "test": ["4", "5", "11"]}"#,
            "problems.json": """
            {"4": {"choices": ["x", "y"], "answer": 1}, "5": {"choices": ["a", "b", "c"], "answer": 2},
             "11": {"choices": ["a", "b"], "answer": 0}}
            """,
        ])
        let questions = try folder.questions("scienceqa")
        #expect(questions.map(\.image) == ["images/test/4/image.png", nil, "images/test/11/image.png"])
        #expect(questions[0].prompt == "Which?\nA. x\nB. y\(letter)")
        #expect(questions[0].recorded == "<image>\nWhich?\nA. x\nB. y\(letter)")
        #expect(questions[1].recorded == questions[1].prompt)
        let all = try folder.evaluate("scienceqa", ["B", "C. c", "B"])
        #expect(all.score("IMG accuracy") == 50)
        #expect(all.score("total accuracy").map { abs($0 - 200.0 / 3) < 1e-9 } == true)
        let pictured = try folder.evaluate("scienceqa", ["B", nil, "The answer is A."])
        #expect(pictured.score("IMG accuracy") == 100 && pictured.score("total accuracy") == nil)
        let error = #expect(throws: EvaluationError.self) { try folder.evaluate("scienceqa", ["B", "C", nil]) }
        #expect(error?.code == .unfinished)
    }

    /// A file without the text-only questions scores like the answers that it was made from.
    @Test func answerFilesMayLeaveQuestionsOut() throws {
        let rows = ["4", "5", "11"].map { id in
            let image = id == "5" ? "" : "\"image\": \"\(id)/image.png\", "
            return "{\"id\": \"\(id)\", \(image)\"conversations\": [{\"value\": \"Q\\nA. a\\nB. b\"}]}"
        }
        let folder = try PublishedFolder([
            "llava_test_CQM-A.json": "[" + rows.joined(separator: ", ") + "]",
            "pid_splits.json": #"{"test": ["4", "5", "11"]}"#,
            "problems.json":
                #"{"4": {"choices": ["a", "b"], "answer": 0}, "5": {"choices": ["a", "b"], "answer": 0}, "11": {"choices": ["a", "b"], "answer": 0}}"#,
        ])
        let ours = try folder.evaluate("scienceqa", ["A", nil, "B"])
        try folder.write("ours.jsonl", try #require(ours.text("answers/model.jsonl")))
        let questions = try folder.questions("scienceqa")
        func read(_ file: String) throws -> [Int: String] {
            try BenchmarkAnswers.texts(in: folder.directory.file(file), to: questions)
        }
        #expect(try read("ours.jsonl") == [0: "A", 2: "B"])
        func lines(_ ids: [String]) -> String { ids.map { "{\"question_id\": \($0), \"text\": \"A\"}\n" }.joined() }
        for (name, ids) in [
            ("order", [#""11""#, #""4""#]), ("twice", [#""4""#, #""4""#]), ("stranger", [#""4""#, #""6""#]),
            ("number", ["4"]),
        ] {
            try folder.write(name, lines(ids))
            let error = #expect(throws: EvaluationError.self) { try read(name) }
            #expect(error?.code == .mismatch, "\(name)")
        }
        // Ids that repeat, as MME's: each line takes the next one.
        let pair = try PublishedFolder([
            "llava_mme.jsonl": llavaLines([
                ("\"a/0.jpg\"", "a/0.jpg", "Is it?", nil), ("\"a/0.jpg\"", "a/0.jpg", "Or?", nil),
            ]),
            "answers.jsonl": lines([#""a/0.jpg""#, #""a/0.jpg""#]),
        ])
        let texts = try BenchmarkAnswers.texts(in: pair.directory.file("answers.jsonl"), to: pair.questions("mme"))
        #expect(texts == [0: "A", 1: "A"])
    }

    @Test func mmeAsksInPairs() throws {
        let pictures = "MME_Benchmark_release_version"
        let folder = try PublishedFolder([
            "llava_mme.jsonl": llavaLines([
                ("\"existence/000.jpg\"", "existence/000.jpg", "Is there a cat?\(short)", nil),
                ("\"existence/000.jpg\"", "existence/000.jpg", "Is there a dog?\(short)", nil),
                ("\"existence/001.jpg\"", "existence/001.jpg", "Is it day?\(short)", nil),
                ("\"existence/001.jpg\"", "existence/001.jpg", "Is it night?\(short)", nil),
                ("\"code_reasoning/0020.png\"", "code_reasoning/0020.png", "Is it C?\(short)", nil),
                ("\"code_reasoning/0020.png\"", "code_reasoning/0020.png", "Is it Go?\(short)", nil),
            ]),
            "\(pictures)/existence/000.txt":
                "Is there a cat? Please answer yes or no.\tYes\nIs there a dog?  Please answer yes or no.\tNo\n",
            "\(pictures)/existence/001.txt":
                "Is it day? Please answer yes or no.\tYes\nIs it night? Please answer yes or no.\tNo\n",
            "\(pictures)/code_reasoning/questions_answers_YN/0020.txt":
                "Is it C? Please answer yes or no.\tYes\nIs it Go? Please answer yes or no.\tNo\n",
        ])
        let evaluation = try folder.evaluate("mme", ["Yes", "no", "Yes", "Yes", "maybe", "No"])
        #expect(evaluation.score("existence") == 75.0 + 50.0)
        #expect(evaluation.score("perception") == 125)
        #expect(evaluation.score("cognition") == 50)
        let lines = evaluation.text("eval_tool/answers/model/existence.txt")?.split(separator: "\n")
        #expect(lines?.count == 4)
        #expect(lines?[1] == "000.txt\tIs there a dog?  Please answer yes or no.\tNo\tno")
    }

    /// `calculation.py` reads lines as Python does and stops at a line that has not four fields.
    @Test func mmeAnswersAreOneFieldOfOneLine() throws {
        let odd = "Is there\u{85}a \u{B}cat\u{2028}?"
        let folder = try PublishedFolder([
            "llava_mme.jsonl": llavaLines([
                ("\"existence/0.jpg\"", "existence/0.jpg", "Is there\\u0085a \\u000bcat\\u2028?", nil),
                ("\"existence/0.jpg\"", "existence/0.jpg", "Or?", nil),
            ]),
            "MME_Benchmark_release_version/existence/0.txt":
                "\(odd) Please answer yes or no.\tYes\r\nOr? Please answer yes or no.\tNo\r\n",
        ])
        let evaluation = try folder.evaluate("mme", ["Yes,\there\nit is\r\nand\u{85}there", "No\r"])
        #expect(evaluation.score("existence") == 200)
        let file = try #require(evaluation.text("eval_tool/answers/model/existence.txt"))
        let lines = file.split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.count == 3 && lines[2].isEmpty && !file.contains("\r"))
        #expect(lines.dropLast().allSatisfy { $0.split(separator: "\t").count == 4 })
        #expect(lines[0] == "0.txt\t\(odd) Please answer yes or no.\tYes\tYes, here it is and\u{85}there")
    }

    /// The validation split has as many questions as the test split.
    @Test func scienceQAOfAnotherSplitIsTold() throws {
        let row = #"{"id": "9", "image": "9/image.png", "conversations": [{"value": "Q\nA. a\nB. b"}]}"#
        let other = row.replacing("\"9\"", with: "\"8\"")
        let folder = try PublishedFolder([
            "llava_test_CQM-A.json": "[\(row), \(other)]", "pid_splits.json": #"{"val": ["8"], "test": ["9"]}"#,
            "problems.json":
                #"{"8": {"choices": ["a", "b"], "answer": 0}, "9": {"choices": ["a", "b"], "answer": 0}}"#,
        ])
        let error = #expect(throws: EvaluationError.self) { try folder.evaluate("scienceqa", ["A", "A"]) }
        #expect(error?.code == .mismatch)
        #expect(error?.message.contains("llava_test_CQM-A.json, object 2, asks question 8") == true)
    }

    /// Ids alone do not tell whether answers belong to the problems that they are scored by.
    @Test func scienceQAOfTheRightIdsAndOtherWordsIsTold() throws {
        func result(_ words: [String]) throws -> BenchmarkResult? {
            let rows = words.enumerated().map {
                #"{"id": "\#($0)", "image": "\#($0)/image.png", "conversations": [{"value": "\#($1)\nA. oak\nB. elm"}]}"#
            }
            let problems = words.indices.map {
                #""\#($0)": {"question": "Which  tree\nis it?", "choices": ["oak", "elm "], "answer": 0}"#
            }
            let ids = words.indices.map { "\"\($0)\"" }.joined(separator: ", ")
            let folder = try PublishedFolder([
                "llava_test_CQM-A.json": "[\(rows.joined(separator: ", "))]", "pid_splits.json": "{\"test\": [\(ids)]}",
                "problems.json": "{\(problems.joined(separator: ", "))}",
            ])
            return try folder.evaluate("scienceqa", words.map { _ in "A" }).result
        }
        #expect(try result(["Which tree is it?", #"Context: a park\nWhich tree is it?"#])?.headline.value == 100)
        #expect(try result(["Which tree is it?", "Which tree is that?"])?.headline.value == 100)
        let error = #expect(throws: EvaluationError.self) {
            try result(["Which tree is it?", "Which tree is that?", "Who?"])
        }
        #expect(error?.code == .mismatch)
        #expect(error?.message.contains("object 2, does not ask what problems.json has under 1") == true)
    }

    /// Four questions about two pictures, in an order that makes pairs of different ones.
    @Test func mmePairsAreOfOnePicture() throws {
        func folder(_ order: [Int]) throws -> PublishedFolder {
            let rows = order.map { picture in
                ("\"existence/\(picture).jpg\"", "existence/\(picture).jpg", "Is there a cat?\(short)")
            }
            let answer = "Is there a cat? Please answer yes or no.\tYes\n"
            return try PublishedFolder([
                "llava_mme.jsonl": llavaLines(rows.map { (id: $0.0, image: $0.1, text: $0.2, category: nil) }),
                "MME_Benchmark_release_version/existence/0.txt": answer,
                "MME_Benchmark_release_version/existence/1.txt": answer,
            ])
        }
        let answers = ["Yes", "Yes", "Yes", "No"]
        #expect(try folder([0, 0, 1, 1]).evaluate("mme", answers).score("existence") == 75 + 50)
        let error = #expect(throws: EvaluationError.self) { try folder([0, 1, 1, 0]).evaluate("mme", answers) }
        #expect(error?.code == .badData && error?.message.contains("0.txt and 1.txt") == true)
    }

    @Test func vqaUploadsNameEveryQuestion() throws {
        let folder = try PublishedFolder([
            "llava_vqav2_mscoco_test-dev2015.jsonl": llavaLines([("7", "COCO_test2015_1.jpg", "What?\(short)", nil)]),
            "llava_vqav2_mscoco_test2015.jsonl": llavaLines([
                ("6", "COCO_test2015_1.jpg", "Who?\(short)", nil), ("7", "COCO_test2015_1.jpg", "What?\(short)", nil),
            ]),
        ])
        let evaluation = try folder.evaluate("vqav2", ["The Dog, two."])
        #expect(evaluation.result == nil)
        let upload = try evaluation.json("answers_upload/model.json") as? [[String: Any]]
        #expect(upload?.map { $0["question_id"] as? Int } == [6, 7])
        #expect(upload?.map { $0["answer"] as? String } == ["", "dog 2"])
    }

    @Test func vqav2ValidationFollowsTheEvaluation() throws {
        func people(_ answers: [String]) -> String {
            "[" + answers.map { "{\"answer\": \"\($0)\"}" }.joined(separator: ", ") + "]"
        }
        let folder = try PublishedFolder([
            "v2_OpenEnded_mscoco_val2014_questions.json":
                #"{"questions": [{"question_id": 262148000, "image_id": 262148, "question": "Where is he looking?"}, {"question_id": 262148001, "image_id": 262148, "question": "How many?"}]}"#,
            "v2_mscoco_val2014_annotations.json": """
            {"annotations": [
             {"question_id": 262148000, "answer_type": "other", "answers": \(people([String](repeating: "down", count: 8) + ["table", "at table"]))},
             {"question_id": 262148001, "answer_type": "number", "answers": \(people([String](repeating: "Two", count: 10)))}]}
            """,
        ])
        let questions = try folder.questions("vqav2-val")
        #expect(questions[0].image == "val2014/COCO_val2014_000000262148.jpg")
        #expect(questions[0].prompt == "Where is he looking?\(short)")
        // All ten say "Two": nothing is normalised there, and the upload says "2".
        let evaluation = try folder.evaluate("vqav2-val", ["Down", "two"])
        #expect(evaluation.score("VQA accuracy") == 50 && evaluation.score("number") == 0)
    }

    @Test func vizWizAsksForUnanswerable() throws {
        let ten = String(repeating: #"{"answer": "unanswerable"}, "#, count: 9) + #"{"answer": "cat"}"#
        let folder = try PublishedFolder([
            "val.json": """
            [{"image": "VizWiz_val_00000000.jpg", "question": "What is this?", "answer_type": "other", "answers": [\(ten)]}]
            """,
            "llava_test.jsonl": llavaLines([("0", "VizWiz_test_00000000.jpg", "What is this?\(short)", "default")]),
        ])
        let question = try #require(try folder.questions("vizwiz-val").first)
        #expect(
            question.prompt
                == "What is this?\nWhen the provided information is insufficient, respond with 'Unanswerable'.\(short)")
        let evaluation = try folder.evaluate("vizwiz-val", ["Unanswerable"])
        #expect(evaluation.score("VQA accuracy") == 100)
        let upload = try folder.evaluate("vizwiz", ["Unanswerable."]).json("answers_upload/model.json")
        #expect(upload as? [[String: String]] == [["image": "VizWiz_test_00000000.jpg", "answer": "unanswerable"]])
    }

    /// VizWiz's evaluation, other than VQAv2's, leaves people's answers as they are.
    @Test func vizWizNormalisesThePredictionOnly() {
        let people = [String](repeating: "the cat", count: 9) + ["dog"]
        #expect(VQAAccuracy.official("The cat.", answers: people) == 1)
        #expect(VQAAccuracy.vizWiz("The cat.", answers: people) == 0)
        #expect(
            VQAAccuracy.vizWiz("A dog", answers: people) > 0.29 && VQAAccuracy.vizWiz("A dog", answers: people) < 0.31)
        let agreed = [String](repeating: "2 cats", count: 10)
        #expect(VQAAccuracy.vizWiz("Two cats", answers: agreed) == 1)
        #expect(VQAAccuracy.vizWiz("2 cats", answers: [String](repeating: "2 Cats", count: 10)) == 0)
    }

    @Test func judgedBenchmarksWriteWhatTheJudgeReads() throws {
        let vet = try PublishedFolder([
            "llava-mm-vet.jsonl": llavaLines([("0", "v1_0.png", "What is x in the equation?", "default")])
        ])
        let evaluation = try vet.evaluate("mm-vet", ["-1 or -5"])
        #expect(evaluation.result == nil)
        #expect(try evaluation.json("results/model.json") as? [String: String] == ["v1_0": "-1 or -5"])
        let wild = try PublishedFolder([
            "questions.jsonl": llavaLines([("0", "001.jpg", "What is the name of this volcano?", "conv")])
        ])
        #expect(try wild.questions("llava-bench")[0].image == "images/001.jpg")
        #expect(try wild.evaluate("llava-bench", ["Diamond Head"]).files.map(\.path) == ["answers/model.jsonl"])
    }
}
