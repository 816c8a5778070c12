/// The version of the wire contract this build speaks.
///
/// It changes when an old peer would misunderstand a message; added fields do not change it, since protobuf skips what it
/// does not know.
public enum ProtocolVersion {
    /// What both sides say in their Hello and Welcome.
    public static let current: UInt32 = 3
    /// Name and version of this software, as told to peers and written into results.
    public static let software = "winnow 0.1.0"

    /// Why a Hello cannot be accepted, or nil if it can.
    public static func refusal(of hello: WireHello) -> WireRefusal? {
        guard hello.protocolVersion != current else { return nil }
        return WireRefusal(
            code: WireRefusal.versionCode,
            message: "\(hello.software) speaks protocol \(hello.protocolVersion), this coordinator (\(software)) "
                + "speaks \(current): install the same winnow version on both machines")
    }

    /// Throws if a coordinator speaks another version than this build.
    public static func check(_ welcome: WireWelcome) throws(WireError) {
        guard welcome.protocolVersion == current else {
            throw WireError(
                .version,
                "the coordinator (\(welcome.software)) speaks protocol \(welcome.protocolVersion), this program "
                    + "(\(software)) speaks \(current): install the same winnow version on both machines")
        }
    }
}
