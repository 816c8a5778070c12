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
            let visualTokensDelivered: Int
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

        @Test(arguments: [
            ["--model", "llava-9"], ["--text-tokens", "4000"], ["--text-tokens", "-1"], ["--keep", "64"],
            ["--method", "ficoco-v", "--keep", "64", "--set", "colour=red"], ["--cache-bits", "5"],
        ])
        func refusesWhatCannotBeCounted(arguments: [String]) async throws {
            let end = try await winnow(["flops"] + arguments)
            #expect(end.code == 2 && end.output.isEmpty && !end.errors.isEmpty, "\(end)")
        }
    }
}
