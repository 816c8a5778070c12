import Analysis
import ResultFiles
import TestSupport
import Testing

@Suite struct FoundJobTests {
    @Test(
        .enabled(if: SystemPython.hasH5py, "needs Debian's python3-h5py"),
        arguments: ["f['segments/picture'][0] = 5", "f['segments/first_token'][0] = 9", "f['segments/rows'][0] = 200"])
    func aRowThatContradictsItselfIsAnError(edit: String) throws {
        let tree = try ResultsTree()
        let shard = try tree.seal([ResultsTree.row("a")], as: 1)
        let catalogue = try Catalogue(tree.folder)
        #expect(try FoundJob.find("a", in: catalogue).row.id == "a")
        _ = try SystemPython.run(
            "import h5py, sys\nwith h5py.File(sys.argv[1], 'r+') as f: exec(sys.argv[2])",
            tree.folder.path + "/" + shard.path, edit)
        let error = try #require(throws: AnalysisError.self) {
            try FoundJob.find("a", in: Catalogue(tree.folder))
        }
        #expect(error.code == .contradiction && error.message.contains("job 'a'"), "\(error)")
    }
}
