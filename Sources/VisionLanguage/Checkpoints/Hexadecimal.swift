import Foundation

extension Sequence<UInt8> {
    /// Two lower-case digits for each byte, as hashes are written.
    var hexadecimal: String { map { String(format: "%02x", $0) }.joined() }
}
