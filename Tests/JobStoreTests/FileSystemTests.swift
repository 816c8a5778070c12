import FileLocks
import Foundation
import JobStore
import TestSupport
import Testing

/// What is said of file systems on which a store is not safe.
@Suite struct FileSystemTests {
    @Test func onlyFileSystemsThatOthersShareOrServeAreAHazard() throws {
        for (type, name) in [(0x6969, "NFS"), (0x0BD0_0BD0, "Lustre"), (0xFF53_4D42, "SMB")] as [(UInt32, String)] {
            let hazard = try #require(StoreHazard(store: "/s/jobs.sqlite", on: FileSystemKind(type: type)))
            #expect("\(hazard)".contains("/s/jobs.sqlite is on \(name), which other machines share"), "\(hazard)")
        }
        for (type, name) in [(0x0102_1997, "9p"), (0x6573_5546, "FUSE")] as [(UInt32, String)] {
            let hazard = try #require(StoreHazard(store: "/s/jobs.sqlite", on: FileSystemKind(type: type)))
            #expect("\(hazard)".contains("on \(name): whoever serves"), "\(hazard)")
        }
        #expect(StoreHazard(store: "/s", on: FileSystemKind(type: 0xEF53)) == nil)
        #expect(StoreHazard(store: "/s", on: FileSystemKind(type: 0x1234)) == nil)
    }

    @Test(arguments: ["ENOLCK", "ENOSYS"])
    func missingLocksAreNotAnotherCoordinator(number: String) async throws {
        let folder = try Folder()
        await #expect(processExitsWith: .success) { [store = folder.url as URL, number = number as String] in
            setenv("WINNOW_FAILPOINTS", "store.lock=error:\(number)", 1)
            do throws(JobStoreError) {
                _ = try JobStore(at: store)
                fatalError("the store was opened")
            } catch {
                precondition(error.code == .cannotOpen && error.message.contains("gives no locks"), "\(error)")
            }
        }
    }
}
