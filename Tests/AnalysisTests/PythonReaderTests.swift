import Analysis
import Foundation
import JobVocabulary
import ResultFiles
import TestSupport
import Testing

/// Results as an analyst without winnow sees them.
@Suite(.enabled(if: SystemPython.hasH5py, "needs Debian's python3-h5py"))
struct PythonReaderTests {
    let tree: ResultsTree
    /// Where `results/demo` and the reader are.
    private let home: URL
    /// The first row of the first file.
    private let first: ResultRow

    init() throws {
        tree = try ResultsTree()
        let one = [
            ResultsTree.row("scene-000/q0"), ResultsTree.failure("scene-000/q1"), ResultsTree.row("scene-001/q0"),
        ]
        let two = [ResultsTree.row("scene-001/q0", attempt: 2), ResultsTree.row("scene-002/q0")]
        first = try tree.seal(one, as: 1).path < tree.seal(two, as: 2).path ? one[0] : two[0]
        home = tree.directory.url.appendingPathComponent("home")
        try FileManager.default.createDirectory(
            at: home.appendingPathComponent("results"), withIntermediateDirectories: true)
        try FileManager.default.createSymbolicLink(
            at: home.appendingPathComponent("results/demo"), withDestinationURL: URL(fileURLWithPath: tree.folder.path))
        try Data(PythonReader.source.utf8).write(to: home.appendingPathComponent("winnow_results.py"))
    }

    private func run(_ script: String) throws -> String {
        try SystemPython.run(
            "import os, sys\nos.chdir(sys.argv[1])\nsys.path.insert(0, '')\n" + script, home.path)
    }

    /// The blocks of a language in the documentation.
    private func documented(_ language: String, in file: String = "Jobs/RESULTS.md") throws -> [String] {
        let text = try String(contentsOf: Repository.root.appendingPathComponent(file), encoding: .utf8)
        return text.components(separatedBy: "```\(language)\n").dropFirst().compactMap {
            $0.components(separatedBy: "\n```").first
        }
    }

    @Test(
        .enabled(if: SystemPython.has("setuptools") && SystemPython.has("wheel"), "needs setuptools and wheel"))
    func theFolderPythonIsAPackageOfIt() throws {
        let folder = try TemporaryDirectory()
        let printed = try SystemPython.run(
            """
            import io, os, contextlib, shutil, sys, zipfile
            source, build = sys.argv[1:]
            shutil.copytree(source, build + "/python", ignore=shutil.ignore_patterns("build", "*.egg-info"))
            os.chdir(build + "/python")
            from setuptools import build_meta
            with contextlib.redirect_stdout(io.StringIO()):
                name = build_meta.build_wheel(build)
            wheel = zipfile.ZipFile(build + "/" + name)
            text = lambda end: next(wheel.read(n).decode() for n in wheel.namelist() if n.endswith(end))
            print(name)
            print(text("METADATA"))
            assert text("winnow_results/__init__.py") == open(source + "/winnow_results/__init__.py").read()
            assert text("winnow_results/py.typed") == ""
            """, Repository.root.appendingPathComponent("python").path, folder.url.path)
        #expect(printed.hasPrefix("winnow_results-0.1.0-py3-none-any.whl\n"))
        #expect(printed.contains("Requires-Dist: h5py") && printed.contains("Requires-Dist: numpy"))
        // One file is all of it: the package's module is the one that the program prints.
        let module = try String(
            contentsOf: Repository.root.appendingPathComponent("python/winnow_results/__init__.py"), encoding: .utf8)
        #expect(module == PythonReader.source && module.contains("\n__version__ = \"0.1.0\"\n"))
    }

    @Test(.enabled(if: SystemPython.has("pandas"), "needs pandas")) func everyDocumentedLineOfPythonRuns() throws {
        // A text-only job must not spoil the mean over features; the last lines read a file's first row.
        let mixed = [ResultsTree.row("scene-003/q0"), ResultsTree.textAlone("scene-003/q1")]
        let sealed = try tree.seal(mixed, as: 3)
        let first = try tree.folder.shards().first == sealed.path ? mixed[0] : self.first
        _ = try Catalogue.rebuild(tree.folder)
        let blocks = try documented("python")
        #expect(blocks.count == 4)
        let printed = try run(blocks.joined(separator: "\n"))
        let job = ResultsTree.row("scene-000/q0")
        #expect(printed.contains("6 jobs") && printed.contains("('FLOP', 'decoder over the prompt')"))
        #expect(printed.contains("(\(job.kept.count), 8) float16"))
        #expect(printed.contains("\(job.kept.count) tokens are left of the grid (4, 6)"))
        #expect(printed.contains("after layer 12 \(job.kept.count) tokens"))
        #expect(printed.contains("\(job.merges.source.count) merges; {\"keep\":192,"))
        #expect(printed.contains("(4, 8) 6"))
        #expect(printed.contains("\(first.id) \(first.kept.count) \(first.kept.count)\n"))
    }

    /// A disk that gives no locks answers like one on which somebody else has them.
    @Test func shardsAreReadWithoutLocks() throws {
        let descriptors = try tree.folder.shards().map { open("\(tree.folder.path)/\($0)", O_RDONLY) }
        defer { for descriptor in descriptors { close(descriptor) } }
        #expect(descriptors.count == 2 && descriptors.allSatisfy { flock($0, LOCK_EX) == 0 })
        let printed = try run(
            """
            import winnow_results
            results = winnow_results.open_results("results/demo")
            print(len(results), results["scene-002/q0"].features.shape[1])
            """)
        #expect(printed == "4 8\n")
    }

    @Test func theFirstLinesThatAnybodyReadsRun() throws {
        let blocks = try documented("python", in: "README.md")
        #expect(blocks.count == 1)
        let other = try ResultsTree()
        let rows = (0..<6).map { ResultsTree.row("scene-00\($0)/q0") }
        try other.seal(rows, as: 1)
        let results = other.directory.url.appendingPathComponent("results")
        try FileManager.default.createDirectory(at: results, withIntermediateDirectories: true)
        try FileManager.default.createSymbolicLink(
            at: results.appendingPathComponent("demo"), withDestinationURL: URL(fileURLWithPath: other.folder.path))
        let printed = try SystemPython.run(
            "import os, sys\nos.chdir(sys.argv[1])\n" + blocks.joined(separator: "\n")
                + "\nprint(kept.tolist(), features.shape, features.dtype, survived.sum())", other.directory.url.path)
        #expect(printed.contains("scene-000/q0 | \(rows[0].prompt) | "))
        let count = rows[0].kept.count
        #expect(printed.contains("\(rows[0].kept) (\(count), 8) float16 \(count)\n"))
    }

    @Test func theFirstLinesThatAnybodyReadsShowTheLastAttemptOnly() throws {
        let other = try ResultsTree()
        let again = ResultsTree.row("b", attempt: 3)
        try other.seal([ResultsTree.row("a"), ResultsTree.failure("b"), ResultsTree.row("c")], as: 1)
        try other.seal([again] + (0..<5).map { ResultsTree.row("more-\($0)") }, as: 2)
        let results = other.directory.url.appendingPathComponent("results")
        try FileManager.default.createDirectory(at: results, withIntermediateDirectories: true)
        try FileManager.default.createSymbolicLink(
            at: results.appendingPathComponent("demo"), withDestinationURL: URL(fileURLWithPath: other.folder.path))
        let lines = try #require(try documented("python", in: "README.md").first).components(separatedBy: "\n\n")
        let printed = try SystemPython.run(
            "import os, sys\nos.chdir(sys.argv[1])\n" + lines.prefix(2).joined(separator: "\n"),
            other.directory.url.path)
        let names = printed.split(separator: "\n").filter { $0.contains(" | ") }.map { $0.prefix { $0 != " " } }
        #expect(names.sorted() == ["a", "b", "c", "more-0", "more-1", "more-2", "more-3", "more-4"])
        #expect(printed.contains("b | \(again.prompt) | It is"))
    }

    @Test(.enabled(if: Tools.has("h5dump") && Tools.has("sqlite3"), "needs hdf5-tools and sqlite3"))
    func everyDocumentedLineOfTheShellRuns() throws {
        _ = try Catalogue.rebuild(tree.folder)
        let blocks = try documented("sh")
        #expect(blocks.count == 1)
        let printed = try SystemPython.run(
            "import subprocess, sys; print(subprocess.check_output(['sh', '-e', '-c', sys.argv[2]], cwd=sys.argv[1], text=True))",
            home.path, blocks.joined(separator: "\n"))
        #expect(printed.contains("DATASET \"/jobs/answer\"") && printed.contains("\"\(first.id)\""))
        #expect(printed.contains("ATTRIBUTE \"method_json\"") && printed.contains("ficoco-v|4|"))
    }

    @Test(arguments: [true, false]) func theReaderSeesEveryVisibleRowOnce(withCatalogue: Bool) throws {
        if withCatalogue { _ = try Catalogue.rebuild(tree.folder) }
        let printed = try run(
            """
            import json, winnow_results
            winnow_results.pandas = None
            results = winnow_results.open_results("results/demo", max_open=1)
            table = results.table
            print(json.dumps({
                "ids": list(table["id"]), "attempts": [int(n) for n in table["attempt"]],
                "status": list(table["status"]), "length": len(results),
                "answers": [job.answer for job in results],
                "features": [array.astype(float).ravel().tolist() for array in results.features(list(table["id"]))],
                "kept": [job.kept.tolist() for job in results],
                "scores": [job.score.astype(float).tolist() for job in results],
                "masks": [int(job.mask(0).sum()) if job.status == "ok" else 0 for job in results],
                "units": results.columns["peak_bytes"], "open": len(results._files),
            }))
            """)
        struct Seen: Decodable {
            let ids, status, answers, units: [String]
            let attempts, masks: [Int]
            let features, scores: [[Double]]
            let kept: [[Int]]
            let length, open: Int
        }
        let seen = try JSONDecoder().decode(Seen.self, from: Data(printed.utf8))
        #expect(seen.ids.sorted() == ["scene-000/q0", "scene-000/q1", "scene-001/q0", "scene-002/q0"])
        #expect(seen.length == 4 && seen.open == 1)
        #expect(seen.units == ["B", "largest resident memory of the worker so far"])
        for (place, id) in seen.ids.enumerated() {
            let row =
                id == "scene-000/q1"
                ? ResultsTree.failure(id) : ResultsTree.row(id, attempt: UInt64(seen.attempts[place]))
            #expect(seen.attempts[place] == (id == "scene-001/q0" ? 2 : 1))
            #expect(seen.status[place] == row.status.rawValue && seen.answers[place] == row.answer)
            #expect(seen.features[place] == row.features.map { Double($0) })
            #expect(seen.kept[place] == row.kept.map { Int($0) })
            #expect(seen.scores[place] == row.tokens.score.map { Double($0) })
            #expect(seen.masks[place] == (row.steps.tokensOut.first ?? 0))
        }
    }

    /// Features are of what entered the decoder: more than is kept where tokens leave in the decoder.
    @Test func rowsOfFeaturesAreTokens() throws {
        var row = ResultsTree.row("late")
        let steps = row.steps
        row.steps = ResultRow.Steps()
        for (step, place) in [ReductionPlace.visionEncoder, .languageModel].enumerated() {
            row.steps.append(
                layer: steps.layer[step], place: place, tokensIn: steps.tokensIn[step],
                tokensOut: steps.tokensOut[step], seconds: 0.001)
        }
        let entered = row.tokens.leftAt.indices.filter { row.tokens.leftAt[$0] >= 1 }
        row.features = (0..<entered.count * ResultsTree.width).map { Float16($0) }
        try tree.seal([row], as: 3)
        let printed = try run(
            """
            from winnow_results import open_results
            results = open_results("results/demo")
            for name in ["late", "scene-002/q0"]:
                job = results[name]
                print(len(job.feature_index) == len(job.features), job.feature_index.tolist())
            """)
        #expect(printed == "True \(entered)\nTrue \(ResultsTree.row("scene-002/q0").kept)\n")
    }

    @Test func mergedRowsAreReadFromWhereTheyAre() throws {
        _ = try Merging(tree.folder, committed: nil, host: "", software: "").run()
        for catalogue in ["True", "False"] {
            let printed = try run(
                """
                from winnow_results import open_results
                results = open_results("results/demo", use_catalogue=\(catalogue))
                print(len(results), results["scene-001/q0"].attempt, results["scene-001/q0"].kept.tolist())
                """)
            let kept = ResultsTree.row("scene-001/q0", attempt: 2).kept
            #expect(printed == "4 2 \(kept)\n")
        }
    }

    @Test(arguments: [
        "f.move('kept', 'there'); f['kept'] = h5py.SoftLink('/there')",
        "del f['kept']; f['kept'] = h5py.ExternalLink('other.h5', '/kept')",
        "del f['kept/data']; f.create_dataset('kept/data', (6,), 'u2', external=[('/etc/passwd', 0, 12)])",
        "del f['kept/data']; f.create_dataset('kept/data', (1 << 40,), 'u2', chunks=(1 << 20,))",
        "f['kept/indptr'][1] = 1 << 40", "f['kept/indptr'][1] = -3", "f.attrs['format'] = 'else'",
        "f.attrs['format_version'] = '3.0'", "del f['kept']", "del f['kept/data']", "del f['kept/indptr']",
        "del f['kept']; f['kept'] = np.arange(3)", "del f['kept/data']; f['kept/data'] = 3",
        "del f['kept/indptr']; f['kept/indptr'] = np.zeros((9, 9), 'i8')", "f.attrs['format'] = np.zeros(4)",
        """
        l = h5py.VirtualLayout((6,), 'u2'); l[:] = h5py.VirtualSource('/etc/passwd', 'x', (6,))
        del f['kept/data']; f.create_virtual_dataset('kept/data', l)
        """,
    ])
    func hostileFilesAreRefused(edit: String) throws {
        let shard = try #require(try tree.folder.shards().first)
        let path = "\(tree.folder.path)/\(shard)"
        _ = try SystemPython.run(
            "import h5py, numpy as np, sys\nwith h5py.File(sys.argv[1], 'r+') as f: exec(sys.argv[2])", path, edit)
        let printed = try run(
            """
            from winnow_results import open_results, BadFile
            try:
                print([job.kept for job in open_results("results/demo/\(shard)")])
            except BadFile as error:
                print("refused:", error)
            """)
        #expect(printed.hasPrefix("refused: "), "\(printed)")
    }

    /// A shard of jobs that failed before any model was there stores no features; the others' are not lost for it.
    @Test func whatOneShardLacksIsEmptyThere() throws {
        try tree.seal([ResultsTree.failure("early")], as: 3, header: ResultsTree.header(features: false))
        let printed = try run(
            """
            from winnow_results import open_results, BadFile, NotStored
            results = open_results("results/demo")
            early, late = results.arrays("features", "data", ["early", "scene-002/q0"])
            print(early.shape, early.dtype, late.shape)
            try:
                results.arrays("nothing")
            except NotStored:
                print("nothing")
            """)
        let kept = ResultsTree.row("scene-002/q0").kept.count
        #expect(printed == "(0, 8) float16 (\(kept), 8)\nnothing\n")
        let target = tree.directory.file("all.npz").path
        try PythonReader.export("npz", of: tree.folder, to: target, python: "/usr/bin/python3")
        let names = try SystemPython.run("import numpy, sys; print(sorted(numpy.load(sys.argv[1])))", target)
        #expect(names.contains("'features'") && names.contains("'features_indptr'"))
        // Damage is no reason to leave anything out.
        let shard = try #require(try tree.folder.shards().first)
        _ = try SystemPython.run(
            "import h5py, sys\nwith h5py.File(sys.argv[1], 'r+') as f: del f['kept/data']",
            "\(tree.folder.path)/\(shard)")
        #expect { try PythonReader.export("npz", of: tree.folder, to: target, python: "/usr/bin/python3") } throws: {
            ($0 as? AnalysisError)?.message.contains("kept/data") == true
        }
    }

    @Test func aTraceOfIndicesIsExportedWithoutScores() throws {
        let other = try ResultsTree()
        var header = ResultsTree.header()
        header.trace = .indices
        var row = ResultsTree.row("a")
        row.tokens.score = []
        row.merges = ResultRow.Merges()
        try other.seal([row], as: 1, header: header)
        let target = other.directory.file("all.npz").path
        try PythonReader.export("npz", of: other.folder, to: target, python: "/usr/bin/python3")
        let names = try SystemPython.run("import numpy, sys; print(sorted(numpy.load(sys.argv[1])))", target)
        #expect(names.contains("'left_at'") && !names.contains("'score'"))
    }

    /// A folder with text-only jobs, beside another and alone in their shard, or one of them alone.
    private func withoutPictures(trace: StoredTrace, alone: Bool) throws -> ResultsTree {
        let other = try ResultsTree()
        var header = ResultsTree.header()
        header.trace = trace
        var row = ResultsTree.row("a")
        row.reduceTrace(to: trace)
        let rows = [ResultsTree.textAlone("b"), row, ResultsTree.textAlone("c")]
        if !alone { try other.seal(rows, as: 1, header: header) }
        try other.seal([ResultsTree.textAlone("d")], as: 2, header: header)
        return other
    }

    @Test(arguments: StoredTrace.allCases, [false, true])
    func jobsAboutNoPictureAreInNumpyArchives(trace: StoredTrace, alone: Bool) throws {
        let other = try withoutPictures(trace: trace, alone: alone)
        let target = other.directory.file("all.npz").path
        try PythonReader.export("npz", of: other.folder, to: target, python: "/usr/bin/python3")
        let printed = try SystemPython.run(
            """
            import json, numpy as np, sys
            f = np.load(sys.argv[1], allow_pickle=False)
            ids = f["id"].tolist()
            assert [ids[i] for i in np.flatnonzero(f["image"] != "")] == [i for i in ids if i == "a"], f["image"]
            order = [ids.index(i) for i in sorted(ids)]
            print(json.dumps({name.removesuffix("_indptr"): np.diff(f[name])[order].tolist()
                              for name in f if name.endswith("_indptr")}))
            assert f["features"].shape[1] == 8 and f["features"].dtype == "f2", f["features"]
            """, target)
        let lengths = try JSONDecoder().decode([String: [Int]].self, from: Data(printed.utf8))
        func expected(_ count: Int) -> [Int] { alone ? [0] : [count, 0, 0, 0] }
        let kept = expected(ResultsTree.row("a").kept.count)
        let ids = alone ? [3] : [3, 3, 3, 3]
        var all: [String: [Int]] = ["features": kept, "token_ids": ids, "token_logprobs": ids]
        if trace != .none { all["kept"] = kept }
        for name in ["left_at", "went_to"] where trace != .none { all[name] = expected(24) }
        if trace == .full { all["score"] = expected(24) }
        #expect(lengths == all)
    }

    @Test(
        .enabled(if: Tools.python(with: "h5py, pyarrow") != nil, "needs a python3 with h5py and pyarrow"),
        arguments: StoredTrace.allCases, [false, true])
    func jobsAboutNoPictureAreInParquetFiles(trace: StoredTrace, alone: Bool) throws {
        let python = try #require(Tools.python(with: "h5py, pyarrow"))
        let other = try withoutPictures(trace: trace, alone: alone)
        let target = other.directory.file("all.parquet").path
        try PythonReader.export("parquet", of: other.folder, to: target, python: python)
        let printed = try SystemPython.run(
            """
            import pyarrow.parquet, sys
            rows = {row["id"]: row for row in pyarrow.parquet.read_table(sys.argv[1]).to_pylist()}
            print(sorted(rows), rows["d"]["image"] == "", rows["d"].get("kept"), rows["d"].get("left_at"))
            print(rows["d"]["token_ids"], rows["a"].get("kept") if "a" in rows else None)
            """, target, python: python)
        let list = trace == .none ? "None" : "[]"
        let kept = alone || trace == .none ? "None" : "\(ResultsTree.row("a").kept)"
        let ids = alone ? "['d']" : "['a', 'b', 'c', 'd']"
        #expect(printed == "\(ids) True \(list) \(list)\n[1, 2, 3] \(kept)\n")
    }

    @Test(arguments: StoredTrace.allCases) func theMaskOfNoPictureIsEmptyWhereThereAreMasks(trace: StoredTrace) throws {
        let other = try withoutPictures(trace: trace, alone: false)
        let printed = try run(
            """
            from winnow_results import open_results, NotStored
            job = open_results("\(other.folder.path)")["d"]
            try:
                print(job.mask().shape, job.mask().any())
            except NotStored:
                print("not stored")
            """)
        #expect(printed == (trace == .none ? "not stored\n" : "(0, 0) False\n"))
    }

    @Test func aCatalogueThatIsBehindIsSaid() throws {
        _ = try Catalogue.rebuild(tree.folder)
        let script = """
            import warnings
            from winnow_results import open_results
            with warnings.catch_warnings(record=True) as said:
                warnings.simplefilter("always")
                open_results("results/demo")
            print(*[warning.message for warning in said])
            """
        #expect(try run(script) == "\n")
        try tree.seal([ResultsTree.row("new")], as: 3)
        let printed = try run(script)
        #expect(
            printed.hasPrefix("1 shards ") && printed.contains("winnow results catalogue results/demo"), "\(printed)")
    }

    @Test func whatIsNoResultsFolderSaysSo() throws {
        let printed = try run(
            """
            from winnow_results import open_results, BadFile
            for path in ["nowhere", ".", "winnow_results.py"]:
                try:
                    open_results(path).table
                except BadFile as error:
                    print("refused:", error)
            open("results/demo/catalogue.sqlite", "w").write("no database, however one looks at it")
            try:
                open_results("results/demo")
            except BadFile as error:
                print("refused:", error)
            """)
        #expect(printed.split(separator: "\n").count == 4, "\(printed)")
    }

    @Test func numpyArchives() throws {
        let target = tree.directory.file("all.npz").path
        try PythonReader.export("npz", of: tree.folder, to: target, python: "/usr/bin/python3")
        let printed = try SystemPython.run(
            """
            import numpy as np, sys
            f = np.load(sys.argv[1], allow_pickle=False)
            i = list(f["id"]).index("scene-002/q0")
            print(f["features"][f["features_indptr"][i]:f["features_indptr"][i + 1]].astype(float).ravel().tolist())
            print(len(f["id"]), f["flops_prefill"].dtype, f["kept"].dtype, f["answer"][i])
            """, target)
        let row = ResultsTree.row("scene-002/q0")
        let lines = printed.split(separator: "\n", maxSplits: 1)
        #expect(lines[0] == "\(row.features.map { Double($0) })")
        #expect(lines[1].hasPrefix("4 float64 uint16 It is,"))
        #expect { try PythonReader.export("npz", of: tree.folder, to: target, python: "/nowhere/python") } throws: {
            ($0 as? AnalysisError)?.code == .program
        }
    }

    @Test(.enabled(if: Tools.python(with: "h5py, pyarrow") != nil, "needs a python3 with h5py and pyarrow"))
    func parquetFiles() throws {
        let python = try #require(Tools.python(with: "h5py, pyarrow"))
        let target = tree.directory.file("all.parquet").path
        try PythonReader.export("parquet", of: tree.folder, to: target, python: python)
        let printed = try SystemPython.run(
            """
            import pyarrow.parquet, sys
            table = pyarrow.parquet.read_table(sys.argv[1])
            rows = {row["id"]: row for row in table.to_pylist()}
            print(len(rows), rows["scene-002/q0"]["kept"], rows["scene-002/q0"]["visual_tokens_out"])
            """, target, python: python)
        let kept = ResultsTree.row("scene-002/q0").kept
        #expect(printed == "4 \(kept) \(kept.count)\n")
    }
}
