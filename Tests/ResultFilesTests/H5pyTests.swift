import Foundation
import ResultFiles
import TestSupport
import Testing

/// The files as an analyst sees them.
@Suite(.enabled(if: SystemPython.hasH5py, "needs Debian's python3-h5py"))
struct H5pyTests {
    @Test func theDocumentedSnippetReadsAShard() throws {
        let results = try ResultsFixture()
        var sample = SampleRows(seed: 11)
        let rows = sample.rows(8)
        let shard = try results.seal(rows)
        let printed = try SystemPython.run(
            """
            import h5py, json, sys
            f = h5py.File(sys.argv[1])
            jobs = {k: d.asstr()[:] if h5py.check_string_dtype(d.dtype) else d[:] for k, d in f["jobs"].items()}
            row = lambda group, i, column="data": f[group][column][f[group]["indptr"][i]:f[group]["indptr"][i + 1]]
            features = row("features", 5)
            mask = (row("tokens", 5, "left_at") == 255).reshape(row("segments", 5, "rows")[0], row("segments", 5, "columns")[0])
            codes = lambda path: {v: k for k, v in h5py.check_enum_dtype(f[path].dtype).items()}
            print(json.dumps({
                "dtype": str(features.dtype), "features": features.astype(float).ravel().tolist(),
                "shape": features.shape, "mask": mask.astype(int).ravel().tolist(), "maskShape": mask.shape,
                "id": jobs["id"].tolist(), "prompt": jobs["prompt"].tolist(), "answer": jobs["answer"].tolist(),
                "status": [codes("jobs/status")[c] for c in jobs["status"]],
                "method": [codes("jobs/method")[c] for c in jobs["method"]],
                "visual_tokens_out": jobs["visual_tokens_out"].tolist(),
                "weights": row("merges", 5, "weight").astype(float).tolist(),
                "place": [codes("steps/place")[c] for c in row("steps", 5, "place")],
                "format": f.attrs["format"], "version": f.attrs["format_version"], "rows": int(f.attrs["rows"]),
                "names": [name.decode() for name in row("pictures", 2, "image")],
                "first": row("segments", 2, "first_token").tolist(), "left": row("segments", 2, "left").tolist(),
                "created": f.attrs["created_utc"], "flops": f.attrs["flops_convention"],
                "columns": sorted(f["jobs"]), "groups": sorted(f),
                "unchecked": [n for g in f for n in f[g] if not f[g][n].fletcher32],
                "packed": sorted(f"{g}/{n}" for g in f for n in f[g] if f[g][n].compression == "gzip" and g != "jobs"),
                "chunk": f["features/data"].chunks,
            }))
            """, results.path(shard))
        let seen = try JSONDecoder().decode(Seen.self, from: Data(printed.utf8))
        let row = rows[5]
        #expect(seen.dtype == "float16")
        #expect(seen.shape == [row.kept.count, SampleRows.width])
        #expect(seen.features == row.features.map { Double($0) })
        #expect(seen.maskShape == SampleRows.grid)
        #expect(seen.mask == (0..<24).map { row.kept.contains(UInt16($0)) ? 1 : 0 })
        #expect(seen.id == rows.map(\.id))
        #expect(seen.prompt == rows.map(\.prompt))
        #expect(seen.answer == rows.map(\.answer))
        #expect(seen.status == rows.map { $0.status == .ok ? "ok" : "failed" })
        #expect(seen.method == rows.map(\.method))
        #expect(seen.visualTokensOut == rows.map(\.visualTokensOut))
        #expect(seen.weights == row.merges.weight.map { Double($0) })
        #expect(seen.place == ["encoder", "decoder"])
        #expect(seen.format == "winnow-results" && seen.version == "2.1" && seen.rows == 8)
        #expect(seen.created == "2023-11-14T22:13:20Z" && seen.flops == "one multiply-add = 2")
        #expect(seen.unchecked == [])
        #expect(
            seen.groups == [
                "features", "jobs", "kept", "merges", "pictures", "segments", "steps", "token_ids", "token_logprobs",
                "tokens",
            ])
        #expect(seen.names == ["images/2.jpg", "images/猫.webp"])
        #expect(seen.first == [0, 12, 18] && seen.left == [80.5, 0, 1])
        #expect(seen.columns == Self.columns)
        #expect(seen.packed == Self.packed)
        #expect(seen.chunk.last == SampleRows.width && (seen.chunk.first ?? 0) <= 64)
    }

    private static let columns = [
        "answer", "answer_tokens", "attempt", "correct", "error",
        "expected_answers", "finish_reason", "finished_at", "flops_decode", "flops_prefill", "flops_projector",
        "flops_vision", "id", "labels", "method", "peak_bytes", "prompt", "prompt_tokens", "reused_features",
        "reused_prefix", "seconds_decode", "seconds_load", "seconds_prefill", "seconds_queue", "seconds_reduce",
        "seconds_vision", "status", "visual_tokens_in", "visual_tokens_out",
    ]

    private static let packed = [
        "features/indptr", "kept/data", "kept/indptr", "merges/indptr", "merges/source", "merges/step", "merges/target",
        "pictures/image", "pictures/indptr", "pictures/notes", "pictures/sha256", "segments/indptr", "steps/indptr",
        "token_ids/indptr", "token_logprobs/indptr", "tokens/indptr", "tokens/left_at",
        "tokens/went_to",
    ]

    private struct Seen: Decodable {
        let dtype, format, version, created, flops: String
        let features, weights, left: [Double]
        let first, shape, mask, maskShape, visualTokensOut, chunk: [Int]
        let id, prompt, answer, status, method, place, columns, groups, unchecked, packed, names: [String]
        let rows: Int

        enum CodingKeys: String, CodingKey {
            case dtype, format, version, created, flops, features, weights, shape, mask, maskShape, chunk
            case id, prompt, answer, status, method, place, columns, groups, unchecked, packed, rows, names, first, left
            case visualTokensOut = "visual_tokens_out"
        }
    }
}
