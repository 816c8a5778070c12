import FileLocks
import Foundation
import Glibc
import Testing

@Suite struct FileSystemKindTests {
    @Test func knownNumbersHaveNames() {
        #expect(FileSystemKind(type: 0x6969).name == "NFS" && FileSystemKind(type: 0x6969).reach == .network)
        #expect(FileSystemKind(type: 0x6573_5546).name == "FUSE" && FileSystemKind(type: 0x6573_5546).reach == .unknown)
        #expect(FileSystemKind(type: 0xEF53).reach == .machine)
        let other = FileSystemKind(type: 0x1234)
        #expect(other.name == "a file system of type 0x1234" && other.reach == .machine)
    }

    @Test(.enabled(if: FileManager.default.fileExists(atPath: "/dev/shm"), "there is no /dev/shm"))
    func aPathIsLookedUpAlsoBeforeItIsThere() {
        for path in ["/dev/shm", "/dev/shm/nothing-of-this-name"] {
            #expect(FileSystemKind(of: path)?.name == "tmpfs", "\(path)")
        }
        #expect(FileSystemKind(of: "/nothing/of/this/name") == nil)
        #expect(FileSystemKind(of: "nothing-of-this-name") == FileSystemKind(of: "."))
    }

    @Test func aLockThatAnotherHoldsIsToldFromLocksThatAreNotThere() {
        let kind = FileSystemKind(type: 0x6969)
        #expect(FileLock.Failure(EWOULDBLOCK, on: kind) == .refused)
        for number in [ENOLCK, ENOSYS, EOPNOTSUPP, EIO] {
            let reason = String(cString: strerror(number))
            #expect(FileLock.Failure(number, on: kind) == .noLocks(reason: "NFS: \(reason)"))
            #expect(FileLock.Failure(number, on: nil) == .noLocks(reason: reason))
        }
    }
}
