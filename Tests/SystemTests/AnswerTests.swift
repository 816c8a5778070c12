import Foundation
import TestSupport
import Testing

extension BlackBox {
    /// `winnow answer`: one picture, one prompt.
    @Suite struct AnswerTests {
        struct Answer: Decodable {
            struct Timings: Decodable {
                let load, vision, reduce, prefill, decode: Double
            }

            struct FLOPs: Decodable {
                let vision, projector, prefill, decode, total: Int
            }

            let text, finishReason: String
            let promptTokenIds, tokenIds: [Int]
            let visualTokens, visualTokensDelivered: Int
            let timings: Timings
            let flops: FLOPs
        }

        struct Golden: Decodable, Sendable, CustomTestStringConvertible {
            let image, imageMode, template, question, prompt, answer: String
            let promptTokenIds, tokenIds: [Int]
            let visualTokens: Int

            var testDescription: String { "\(image) \(imageMode) \(template): \(question)" }

            static func all() throws -> [Golden] {
                struct File: Decodable { let prompts: [Golden] }
                return try File(
                    printed: String(contentsOf: Repository.fixture("model/golden.json"), encoding: .utf8)
                ).prompts
            }
        }

        private static let imageToken = 640
        private static let picture = Demo.folder + "/images/scene-000.jpg"

        /// Each prompt under its template, and as a whole prompt of one's own.
        @Test(arguments: try Golden.all())
        func greedyTokensInF32AreThoseOfTransformers(golden: Golden) async throws {
            let isOdd = golden.question.count % 2 == 1 || golden.template == "none"
            let end = try await winnow(
                "answer", "--model", Repository.fixture("model/hf").path, "--image",
                Repository.fixture("model/images/\(golden.image)").path, "--image-mode", golden.imageMode, "--template",
                isOdd ? "none" : golden.template, "--prompt", isOdd ? golden.prompt : golden.question, "--precision",
                "f32", "--max-tokens", "32", "--threads", "1", "--output", "json")
            try #require(end.code == 0, "\(end)")
            let answer = try Answer(printed: end.output)
            #expect(answer.tokenIds == golden.tokenIds)
            #expect(answer.text == golden.answer)
            #expect(answer.visualTokens == golden.visualTokens)
            let image = [Int](repeating: Self.imageToken, count: golden.visualTokens)
            let expanded = golden.promptTokenIds.flatMap { $0 == Self.imageToken ? image : [$0] }
            #expect(answer.promptTokenIds == expanded)
        }

        /// Pictures of several tiles: one, two, none, and as many tokens of each tile as a method keeps.
        @Test func picturesOfSeveralTilesAreAnsweredAsTransformersDoes() async throws {
            struct Prompt: Decodable {
                let name, prompt: String
                let pictures: [String]
                let rows: Int
                let tokenIds: [Int]
            }
            struct File: Decodable { let prompts: [Prompt] }
            let golden = try File(
                printed: String(contentsOf: Repository.fixture("model/next_golden.json"), encoding: .utf8))
            func answer(_ prompt: Prompt, _ more: String...) async throws -> RunningWinnow.End {
                try await winnow(
                    ["answer", "--model", Repository.fixture("model/next").path, "--template", "none"]
                        + ["--prompt", prompt.prompt, "--max-tokens", "32", "--threads", "1", "--output", "json"]
                        + prompt.pictures.flatMap {
                            ["--image", Repository.fixture("model/next_images/\($0).png").path]
                        } + more)
            }
            for prompt in golden.prompts where ["wide", "two_pictures", "text_only"].contains(prompt.name) {
                let end = try await answer(prompt)
                try #require(end.code == 0, "\(end)")
                let found = try Answer(printed: end.output)
                #expect(found.tokenIds == prompt.tokenIds && found.promptTokenIds.count == prompt.rows)
            }
            let both = try #require(golden.prompts.first { $0.name == "two_pictures" })
            let reduced = try Answer(
                printed: await answer(both, "--method", "ficoco-v", "--keep", "4").output)
            // 5 and 3 tiles.
            #expect(reduced.visualTokens == 8 * 4 && reduced.visualTokensDelivered == 8 * 4)
            let framed = try await answer(both, "--image-mode", "pad")
            #expect(framed.code != 0 && framed.errors.contains("--image-mode"))
        }

        @Test func theReportAddsUpAndFewerTokensTakeFewerOperations() async throws {
            var answers: [Answer] = []
            let reduction = ["--method", "ficoco-v", "--keep", "64", "--set", "axis=row", "--set", "scores=logits"]
            for method in [[], reduction] {
                let end = try await winnow(
                    ["answer", "--model", Demo.model, "--image", Self.picture, "--prompt", "What color is the ring?"]
                        + ["--max-tokens", "4", "--threads", "1", "--output", "json"] + method)
                try #require(end.code == 0, "\(end)")
                answers.append(try Answer(printed: end.output))
            }
            for answer in answers {
                let (flops, timings) = (answer.flops, answer.timings)
                #expect(flops.total == flops.vision + flops.projector + flops.prefill + flops.decode)
                #expect([timings.load, timings.vision, timings.prefill, timings.decode].allSatisfy { $0 > 0 })
                #expect(["stop", "length"].contains(answer.finishReason) && answer.tokenIds.count <= 4)
            }
            #expect(answers[0].visualTokens == 576 && answers[1].visualTokens == 64)
            #expect(answers[0].promptTokenIds == answers[1].promptTokenIds)
            #expect(answers[1].flops.prefill < answers[0].flops.prefill)
            #expect(answers[0].timings.reduce == 0 && answers[1].timings.reduce > 0)
        }

        @Test(arguments: [
            (["--image", "empty.jpg"], 2, "empty.jpg"),
            (["--image", "text.png"], 2, "text.png"),
            (["--image", "cut.jpg"], 2, "cut.jpg"),
            (["--image", "huge.png"], 2, "huge.png"),
            (["--image", "absent.png"], 2, "absent.png"),
            (["--model", "absent"], 2, "there is no folder absent"),
            (["--prompt", String(repeating: "hello ", count: 3000)], 2, "2048"),
            (["--template", "none"], 2, "<image>"),
            (["--template", "none", "--prompt", "<image> and <image>"], 2, "2 <image>"),
            (["--method", "best", "--keep", "64"], 2, "ficoco-v"),
            (["--method", "ficoco-v", "--keep", "0"], 2, "0 visual tokens"),
            (["--method", "none", "--keep", "64"], 2, "none"),
            (["--method", "ficoco-v", "--keep", "64", "--set", "axis=diagonal"], 2, "axis"),
            (["--method", "ficoco-v", "--keep", "64", "--set", "axes=row"], 2, "axes"),
            (["--method", "ficoco-v", "--keep", "64", "--from-layer", "900"], 2, "900"),
            (["--method", "ficoco-v", "--keep", "many"], 2, "--keep"),
            (["--precision", "f8"], 2, "--precision"),
            (["--image-mode", "stretch"], 2, "--image-mode"),
            (["--max-tokens", "0"], 2, "--max-tokens"),
        ])
        func badInputEndsWithAMessage(change: [String], code: Int, word: String) async throws {
            let pictures = try BadPictures()
            var options = ["--model": Demo.model, "--image": Self.picture, "--prompt": "What is this?"]
            for index in stride(from: 0, to: change.count, by: 2) where options[change[index]] != nil {
                options[change[index]] = change[index + 1]
            }
            if let image = change.first, image == "--image" { options[image] = pictures.folder.file(change[1]).path }
            var arguments = options.flatMap { [$0, $1] }
            for index in stride(from: 0, to: change.count, by: 2) where options[change[index]] == nil {
                arguments += change[index...index + 1]
            }
            let end = try await winnow(["answer"] + arguments)
            #expect(end.code == Int32(code) && end.errors.contains(word) && end.output.isEmpty, "\(end)")
        }
    }
}
