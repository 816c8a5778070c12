import Foundation
import Glibc
import TestSupport

/// A file system in memory with room for a few megabytes; it takes root to mount one.
final class SmallDisk {
    let folder: TemporaryDirectory
    var path: String { folder.url.path }

    static let isPossible: Bool = (try? SmallDisk(megabytes: 1)) != nil

    init(megabytes: Int) throws {
        folder = try TemporaryDirectory()
        try mount(0, megabytes)
    }

    deinit { umount2(path, Int32(MNT_DETACH)) }

    /// Makes room.
    func grow(to megabytes: Int) throws { try mount(UInt(MS_REMOUNT), megabytes) }

    /// Lets nobody write to it any more, as in an archive.
    func closeForWriting(_ megabytes: Int) throws { try mount(UInt(MS_REMOUNT) | UInt(MS_RDONLY), megabytes) }

    private func mount(_ flags: UInt, _ megabytes: Int) throws {
        guard Glibc.mount("tmpfs", path, "tmpfs", flags, "size=\(megabytes)m") == 0 else {
            throw RunningWinnow.Trouble(description: "cannot mount: \(String(cString: strerror(errno)))")
        }
    }
}
