private import CFileSystems

/// The kind of file system that holds a path, as far as it decides what locks and syncs are worth there.
public struct FileSystemKind: Sendable, Hashable {
    /// Who may see the same files.
    public enum Reach: Sendable, Hashable {
        /// The file system is a part of this machine.
        case machine
        /// Other machines have the same file system.
        case network
        /// Another program or machine serves the file system, which keeps what that one keeps.
        case unknown
    }

    /// Its name, such as `NFS`; its number if it is none that this program knows.
    public let name: String
    /// Who may see the same files.
    public let reach: Reach

    /// The kind that the kernel means by a number, `f_type` of statfs(2).
    public init(type: UInt32) {
        if let known = Self.known[type] {
            (name, reach) = known
        } else {
            (name, reach) = ("a file system of type 0x\(String(type, radix: 16))", .machine)
        }
    }

    /// The kind that holds a file or folder, or the folder in which a file is to be made; nil if neither can be looked at.
    public init?(of path: String) {
        var type = cfs_type_of(path)
        if type == 0 {
            let folder = path[...(path.lastIndex(of: "/") ?? path.startIndex)]
            type = cfs_type_of(folder.hasSuffix("/") ? String(folder) : ".")
        }
        guard type != 0 else { return nil }
        self.init(type: type)
    }

    /// Numbers from linux/magic.h and from the file systems' own sources.
    private static let known: [UInt32: (String, Reach)] = [
        0x6969: ("NFS", .network), 0x517B: ("SMB", .network), 0xFF53_4D42: ("SMB", .network),
        0xFE53_4D42: ("SMB", .network), 0x0BD0_0BD0: ("Lustre", .network), 0x4750_4653: ("GPFS", .network),
        0x1983_0326: ("BeeGFS", .network), 0x00C3_6400: ("Ceph", .network), 0x5346_414F: ("AFS", .network),
        0x6B41_4653: ("AFS", .network), 0x7375_7245: ("Coda", .network), 0x0116_1970: ("GFS2", .network),
        0x7461_636F: ("OCFS2", .network), 0x2003_0528: ("OrangeFS", .network), 0xAAD7_AAEA: ("PanFS", .network),
        0x0102_1997: ("9p", .unknown), 0x6573_5546: ("FUSE", .unknown), 0x786F_4256: ("vboxsf", .unknown),
        0xBACB_ACBC: ("vmhgfs", .unknown), 0x7C7C_6673: ("prl_fs", .unknown),
        0xEF53: ("ext", .machine), 0x5846_5342: ("XFS", .machine), 0x9123_683E: ("Btrfs", .machine),
        0x0102_1994: ("tmpfs", .machine), 0x794C_7630: ("overlayfs", .machine), 0x2FC1_2FC1: ("ZFS", .machine),
        0xF2F5_2010: ("F2FS", .machine), 0x4D44: ("FAT", .machine),
    ]
}
