import Foundation
import TestSupport
import Testing

extension BlackBox {
    /// What `winnow model show` and `winnow model check` say of a model before it is used.
    @Suite struct ModelTests {
        private struct Model: Decodable {
            struct Need: Decodable {
                let format: String
                let weights, least, jobs: Int
                let fits: Bool
            }
            let stored: String
            let packed: Bool
            let availableBytes: Int
            let formats: [Need]
        }

        private struct Loss: Decodable {
            struct Kept: Decodable {
                let method: String
                let same: Double
                let identical: Int
            }
            let prompts, tokens, changedAnswers: Int
            let meanDivergence, worstDivergence, agreement: Double
            let kept: [Kept]
        }

        private static let formats = ["f32", "bf16", "f16", "int8", "w8a8", "int4"]

        private func show(_ arguments: String...) async throws -> String {
            let end = try await winnow(["model", "show"] + arguments)
            try #require(end.code == 0 && end.errors.isEmpty, "\(end)")
            return end.output
        }

        private func check(_ weights: String, _ arguments: String...) async throws -> String {
            let end = try await winnow(
                ["model", "check", Demo.model, "--weights", weights, "--items", Demo.folder + "/questions.jsonl"]
                    + ["--images", Demo.folder, "--limit", "4", "--threads", "1"] + arguments)
            try #require(end.code == 0, "\(end)")
            return end.output
        }

        @Test func fewerBitsNeedLessMemory() async throws {
            let model = try Model(printed: try await show(Demo.model, "--memory", "8GB", "--output", "json"))
            #expect(model.stored == "bf16" && !model.packed && model.availableBytes == 8_000_000_000)
            #expect(model.formats.map(\.format) == Self.formats)
            for size in [\Model.Need.weights, \.least] {
                let sizes = model.formats.map { $0[keyPath: size] }
                #expect(sizes[0] > sizes[1] && sizes[2] > sizes[3] && sizes[4] > sizes[5])
                #expect(sizes[1] == sizes[2] && sizes[3] == sizes[4])
            }
            #expect(model.formats.allSatisfy { $0.fits && $0.jobs >= 1 && $0.least > $0.weights })

            let table = try await show(Demo.model, "--memory", "8GB").split(separator: "\n")
            for format in Self.formats {
                #expect(table.contains { $0.hasPrefix(format) && $0.contains(" fits ") }, "\(format): \(table)")
            }
        }

        @Test func whatDoesNotFitIsToldApart() async throws {
            let model = try Model(printed: try await show(Demo.model, "--output", "json"))
            let least = try #require(model.formats.first { $0.format == "bf16" }?.least)
            // To the byte.
            let enough = try await show(Demo.model, "--memory", "\(least)", "--output", "quiet")
            #expect(enough == "bf16\nf16\nint8\nw8a8\nint4\n")
            #expect(try await show(Demo.model, "--memory", "\(least - 1)", "--output", "quiet") == "int8\nw8a8\nint4\n")
            #expect(try await show(Demo.model, "--memory", "1MB", "--output", "quiet").isEmpty)

            let table = try await show(Demo.model, "--memory", "1MB")
            #expect(table.components(separatedBy: "too much").count == Self.formats.count + 1, "\(table)")
            #expect(!table.contains("fits") && table.contains("1.0 MB"), "\(table)")
            let small = try Model(printed: try await show(Demo.model, "--memory", "1MB", "--output", "json"))
            #expect(small.formats.allSatisfy { !$0.fits && $0.jobs == 0 })
        }

        @Test func aPackedModelHasOneFormat() async throws {
            let folder = try TemporaryDirectory()
            let packed = folder.file("packed").path
            let end = try await winnow("model", "pack", Demo.model, "--weights", "int8", "--out", packed)
            try #require(end.code == 0, "\(end)")
            let model = try Model(printed: try await show(packed, "--output", "json"))
            #expect(model.packed && model.stored == "int8" && model.formats.map(\.format) == ["int8"])

            // It lacks the weights to compare with.
            let check = try await winnow("model", "check", packed, "--weights", "int4")
            #expect(check.code == 2 && check.errors.contains("is packed") && check.output.isEmpty, "\(check)")
            _ = folder
        }

        @Test func aCheckSaysWhatFewerBitsCost() async throws {
            let loss = try Loss(printed: try await check("int8", "--max-tokens", "3", "--output", "json"))
            #expect(loss.prompts == 4 && loss.tokens == 12 && (0...4).contains(loss.changedAnswers))
            #expect(loss.meanDivergence.isFinite && loss.worstDivergence.isFinite)
            #expect(loss.worstDivergence > 0 && loss.worstDivergence >= loss.meanDivergence)
            #expect((0...1).contains(loss.agreement))
            #expect(loss.kept.map(\.method) == ["ficoco-v", "fastv", "vispruner"])
            #expect(loss.kept.allSatisfy { (0...1).contains($0.same) && (0...4).contains($0.identical) })

            let table = try await check("int8", "--max-tokens", "1", "--method", "fastv", "--keep", "64")
            #expect(table.contains("KL divergence") && table.contains("int8 beside bf16"), "\(table)")
            #expect(table.contains("visual tokens kept, 64 of them") && table.contains("fastv"), "\(table)")
        }

        @Test func theStoredFormatCostsNothing() async throws {
            let loss = try Loss(printed: try await check("bf16", "--max-tokens", "2", "--output", "json"))
            #expect(loss.worstDivergence == 0 && loss.agreement == 1 && loss.changedAnswers == 0)
            #expect(loss.kept.allSatisfy { $0.same == 1 && $0.identical == 4 })
        }
    }
}
