import Foundation
import TestSupport
import Testing

extension BlackBox {
    /// Counting what a method costs.
    @Suite struct FLOPsTests {
        struct Report: Decodable {
            struct Executed: Decodable { let vision, projector, prefill, decodeFirstToken: Int }
            struct Published: Decodable {
                let name: String
                let prefill, prefillConstantLength: Double
            }
            struct Cache: Decodable { let bytes, bytesConstantLength: Int }
            let tiles, visualTokens, visualTokensDelivered: Int
            let executed: Executed
            let published: [Published]
            let cache: Cache
        }

        @Test func printsFourCountsAndTheCache() async throws {
            let arguments = [
                "flops", "--model", "llava-1.5-7b", "--method", "ficoco-v", "--keep", "64", "--text-tokens", "60",
            ]
            let json = try await winnow(arguments + ["--output", "json"])
            let report = try Report(printed: json.output)
            #expect(report.visualTokensDelivered == 64)
            let prefill = Dictionary(uniqueKeysWithValues: report.published.map { ($0.name, $0.prefill) })
            #expect(Set(prefill.keys) == ["ficoco-appendix", "gated-ffn", "llm-viewer"])
            #expect(abs(prefill["llm-viewer", default: 0] / 1e12 - 1.615) < 0.001)
            #expect(report.cache.bytes == 65_011_712 && report.cache.bytesConstantLength == report.cache.bytes)

            let table = try await winnow(arguments)
            #expect(table.code == 0 && table.errors.isEmpty)
            for text in ["operations that run", "ficoco-appendix", "gated-ffn", "llm-viewer", "1.615", "65.0 MB"] {
                #expect(table.output.contains(text))
            }
        }

        @Test func countsACheckpoint() async throws {
            let model = Repository.fixture("model/hf").path
            let json = try await winnow(
                "flops", "--model", model, "--method", "ficoco-l", "--keep", "64", "--output", "json")
            let report = try Report(printed: json.output)
            #expect(report.visualTokensDelivered == 576)
            for entry in report.published { #expect(entry.prefill > entry.prefillConstantLength) }
        }

        /// FiCoCo's table has 5.0 T for 320 tokens and 60 of text, and counts a picture on five tiles.
        @Test func countsAPictureOnSeveralTiles() async throws {
            let json = try await winnow(
                "flops", "--model", "llava-v1.6-vicuna-7b", "--picture", "672x672", "--method", "ficoco-v", "--keep",
                "64",
                "--text-tokens", "60", "--output", "json")
            let report = try Report(printed: json.output)
            #expect(report.visualTokens == 2880 && report.tiles == 5 && report.visualTokensDelivered == 320)
            let published = try #require(report.published.first { $0.name == "llm-viewer" })
            #expect(abs(published.prefill / 1e12 - 5.0) < 0.01)
            let whole = try await winnow("flops", "--model", "llava-v1.6-mistral-7b", "--picture", "640x480")
            #expect(whole.code == 0 && whole.output.contains("in 5 tiles 2304 enter"), "\(whole)")
        }

        @Test(arguments: [
            ["--model", "llava-v1.6-vicuna-7b"], ["--picture", "640x480"],
            ["--model", "llava-v1.6-vicuna-7b", "--picture", "672"],
            ["--model", "llava-9"], ["--text-tokens", "4000"], ["--text-tokens", "-1"], ["--keep", "64"],
            ["--method", "ficoco-v", "--keep", "64", "--set", "colour=red"], ["--cache-bits", "5"],
        ])
        func refusesWhatCannotBeCounted(arguments: [String]) async throws {
            let end = try await winnow(["flops"] + arguments)
            #expect(end.code == 2 && end.output.isEmpty && !end.errors.isEmpty, "\(end)")
        }
    }
}
