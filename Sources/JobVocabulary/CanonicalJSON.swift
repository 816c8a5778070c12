public import Foundation

extension JSONEncoder {
    /// A new encoder whose texts are equal for equal values: keys in alphabetical order, and slashes as they are.
    public static var canonical: JSONEncoder {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return encoder
    }
}
