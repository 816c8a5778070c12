import Foundation
import HDF5
import JobVocabulary
import ResultFiles
import TestSupport
import Testing

@Suite struct DamagedShardTests {
    let results: ResultsFixture

    init() throws { results = try ResultsFixture() }

    private func copy(_ bytes: Data) throws -> String {
        let file = results.directory.file("damaged.h5")
        try bytes.write(to: file)
        return file.path
    }

    @Test func whatIsCutOffIsAnError() throws {
        var sample = SampleRows(seed: 1)
        let rows = sample.rows(6)
        let whole = try Data(contentsOf: URL(fileURLWithPath: results.path(try results.seal(rows))))
        // Without the forty bytes of its seal a file is whole, only unsealed.
        for length in stride(from: 0, to: whole.count - 40, by: max(1, whole.count / 60)) {
            let failure = code { _ = try ShardReader(try copy(whole.prefix(length))).rows() }
            #expect(failure == .corrupt, "cut to \(length) of \(whole.count)")
        }
        let failure = code { _ = try ShardReader("/nowhere/x.h5") }
        #expect(failure == .notFound)
    }

    @Test func otherHDF5FilesAreNotShards() throws {
        let path = results.directory.file("other.h5").path
        try File.writing(path) { file in try file.root.write([1, 2, 3], to: "x") }
        let failure = code { _ = try ShardReader(path) }
        #expect(failure == .corrupt)
    }

    @Test func aLaterFormatIsSaidSo() throws {
        let path = results.directory.file("later.h5").path
        try File.writing(path) { file in
            try file.root.set("format", to: "winnow-results")
            try file.root.set("format_version", to: "3.0")
        }
        let failure = code { _ = try ShardReader(path) }
        #expect(failure == .unknownVersion)
    }

    @Test func anyDamageIsFound() throws {
        var sample = SampleRows(seed: 2)
        let rows = sample.rows(6)
        let whole = try Data(contentsOf: URL(fileURLWithPath: results.path(try results.seal(rows))))
        for number in 0..<300 {
            var bytes = whole
            let place = Int(sample.random.next() % UInt64(whole.count - 40))
            if number % 2 == 0 {
                bytes[place] ^= 1 << UInt8(number / 2 % 8)
            } else {
                for offset in 0..<Int(1 + sample.random.next() % 40) { bytes[place + offset] = ~bytes[place + offset] }
            }
            let failure = code { _ = try ShardReader(try copy(bytes)).rows() }
            #expect(failure == .corrupt, "damage \(number) at byte \(place)")
        }
    }

    @Test func aShardWithoutItsSealIsStillRead() throws {
        var sample = SampleRows(seed: 4)
        let rows = sample.rows(6)
        let whole = try Data(contentsOf: URL(fileURLWithPath: results.path(try results.seal(rows))))
        let read = try ShardReader(try copy(whole.dropLast(40))).rows()
        #expect(read == rows)
    }

    @Test(
        .enabled(if: SystemPython.hasH5py, "needs Debian's python3-h5py"),
        arguments: [
            "f['tokens/indptr'][2] = 1 << 40", "f['tokens/indptr'][2] = -5", "f['kept/indptr'][0] = 1",
            "f['features/indptr'][-1] -= 1", "f['jobs/status'][0] = 9", "f['jobs/method'][0] = 200",
            "f['steps/place'][0] = 7", "f.attrs['rows'] = 5", "f.attrs['rows'] = 'many'", "del f.attrs['batch']",
            "del f['kept']", "del f['jobs/answer']", "f.attrs['shard'] = '../../x'",
            "del f['pictures']", "del f['segments/rows']", "f['segments/indptr'][1] = 99",
            "del f['pictures/image']; f['pictures/image'] = np.arange(6)",
            "f.attrs['rows'] = 1 << 20\nfor n in list(f['jobs']):\n  t = f['jobs'][n].dtype; del f['jobs'][n]; "
                + "f['jobs'].create_dataset(n, (1 << 20,), 'S1' if t.kind == 'S' else t, chunks=(1 << 16,))",
            "del f['jobs/error']; f['jobs/error'] = np.arange(6)",
            "del f['jobs/correct']; f['jobs/correct'] = np.arange(9)",
            "del f['merges/step']; f['merges/step'] = np.arange(3, dtype='u1')",
            "del f['features/data']; f['features/data'] = np.zeros((1, 1, 1), 'f2')",
            "f.move('kept', 'there'); f['kept'] = h5py.SoftLink('/there')",
            "del f['kept']; f['kept'] = h5py.ExternalLink('other.h5', '/kept')",
            "del f['jobs/answer']; f.create_dataset('jobs/answer', (6,), 'S8', external=[('/etc/passwd', 0, 48)])",
        ])
    func aForgedShardIsATypedError(edit: String) throws {
        var sample = SampleRows(seed: 3)
        let path = results.path(try results.seal(sample.rows(6)))
        _ = try SystemPython.run(
            "import h5py, numpy as np, sys\nwith h5py.File(sys.argv[1], 'r+') as f: exec(sys.argv[2])", path, edit)
        let failure = code { _ = try ShardReader(path).rows() }
        #expect(failure == (edit.contains("Link(") || edit.contains("external") ? .refused : .corrupt))
    }

    /// Verifying reads features apart from the rows, whose own rule therefore never sees them.
    @Test(.enabled(if: SystemPython.hasH5py, "needs Debian's python3-h5py"))
    func featuresOfNoPictureAreFound() throws {
        var sample = SampleRows(seed: 5)
        var rows = [sample.row(0), sample.row(1)]
        for index in rows.indices { rows[index].reduceTrace(to: .none) }
        var writer = ShardWriter(folder: results.folder, header: SampleRows.header(trace: .none))
        for row in rows { try writer.add(row, at: .now) }
        let path = results.path(try writer.seal(as: ResultsFixture.id(1)))
        #expect(code { _ = try ShardReader(path).verify() } == nil)
        _ = try SystemPython.run(
            """
            import h5py, sys
            with h5py.File(sys.argv[1], "r+") as f:
                for group in ["pictures", "segments"]:
                    f[group]["indptr"][2] = 1
                    for name in f[group]:
                        if name != "indptr":
                            kept = f[group][name][:1]
                            del f[group][name]
                            f[group][name] = kept
                for name in ["visual_tokens_in", "visual_tokens_out"]:
                    f["jobs"][name][1] = 0
            """, path)
        do {
            _ = try ShardReader(path).verify()
            Issue.record("a text-only job has features")
        } catch {
            #expect(error.code == .corrupt && error.message.contains("row 1"), "\(error)")
        }
    }
}
