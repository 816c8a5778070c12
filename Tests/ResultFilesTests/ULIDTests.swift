import ResultFiles
import Testing

@Suite struct ULIDTests {
    @Test func theStandardsExampleReadsAndPrints() throws {
        let id = try #require(ULID("01ARZ3NDEKTSV4RRFFQ69G5FAV"))
        #expect(id.milliseconds == 1_469_922_850_259)
        #expect(id.description == "01ARZ3NDEKTSV4RRFFQ69G5FAV")
        #expect(id.folder == String(UInt8(truncatingIfNeeded: id.value), radix: 16))
    }

    @Test func laterIsGreaterInNumberAndText() {
        var generator = SystemRandomNumberGenerator()
        let ids = (0..<200).map { ULID(milliseconds: 1_700_000_000_000 + 7 * $0, using: &generator) }
        #expect(ids == ids.sorted())
        #expect(ids.map(\.description) == ids.map(\.description).sorted())
        #expect(Set(ids).count == ids.count)
        for id in ids {
            #expect(ULID(id.description) == id)
            #expect(id.folder.count == 2)
        }
    }

    @Test func aShardHasOnePathForEachPlace() throws {
        let name = ShardName(try #require(ULID("01ARZ3NDEKTSV4RRFFQ69G5FAV")))
        #expect(name.path == "shards/5b/01ARZ3NDEKTSV4RRFFQ69G5FAV.h5")
        #expect(name.pendingPath == "pending/01ARZ3NDEKTSV4RRFFQ69G5FAV.h5")
        #expect(name.partPath == "tmp/01ARZ3NDEKTSV4RRFFQ69G5FAV.h5.part")
        #expect(ShardName(path: name.path) == name && ShardName(file: name.file) == name)
        for path in [
            name.file, name.pendingPath, "/" + name.path, "./" + name.path, name.path + "/", "shards//" + name.file,
            "shards/5c/" + name.file, "shards/5B/" + name.file, "shards/5b/../5b/" + name.file,
            name.path.replacing("AV.h5", with: "av.h5"), name.path + ".part", "",
        ] {
            #expect(ShardName(path: path) == nil, "\(path)")
        }
    }

    @Test(arguments: [
        "", "01ARZ3NDEKTSV4RRFFQ69G5FA", "01ARZ3NDEKTSV4RRFFQ69G5FAVX", "81ARZ3NDEKTSV4RRFFQ69G5FAV",
        "01ARZ3NDEKTSV4RRFFQ69G5FAU", "01arz3ndektsv4rrffq69g5fav", "../../../../etc/passwd.h5ab",
    ])
    func othersAreNotNames(text: String) {
        #expect(ULID(text) == nil)
    }
}
