private import CZeroMQ

/// The public half of a CURVE key pair, which anybody may see: 32 bytes, written as 40 characters of Z85.
public struct CurvePublicKey: Hashable, Sendable, CustomStringConvertible {
    /// The key in Z85, ZeroMQ's text form of binary keys (rfc.zeromq.org/spec/32).
    public let text: String

    /// A key from its text; nil where it is not 40 characters of Z85.
    public init?(_ text: String) {
        guard Z85.bytes(of: text) != nil else { return nil }
        self.text = text
    }

    /// A key from its 32 bytes, as they travel; nil if there are more or fewer.
    public init?(bytes: [UInt8]) {
        guard let text = Z85.text(of: bytes) else { return nil }
        self.text = text
    }

    var bytes: [UInt8] { Z85.bytes(of: text) ?? [] }

    /// The key in Z85.
    public var description: String { text }
}

/// The secret half of a CURVE key pair; printing it shows a placeholder.
public struct CurveSecretKey: Hashable, Sendable {
    private let text: String

    /// A key from its text; nil where it is not 40 characters of Z85.
    public init?(_ text: String) {
        guard Z85.bytes(of: text) != nil else { return nil }
        self.text = text
    }

    /// The secret itself, for nothing but a key file.
    public func revealed() -> String { text }

    var bytes: [UInt8] { Z85.bytes(of: text) ?? [] }
}

extension CurveSecretKey: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// A placeholder: a secret key is never printed.
    public var description: String { "(secret)" }
    /// A placeholder: a secret key is never printed.
    public var debugDescription: String { description }
    /// Nothing to look into, for `dump` and its like.
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}

/// A CURVE key pair: Curve25519, as CurveZMQ uses it (rfc.zeromq.org/spec/26).
public struct CurveKeyPair: Hashable, Sendable {
    /// The public half, by which peers recognise this side.
    public let publicKey: CurvePublicKey
    /// The secret half, which proves that this side owns the key.
    public let secretKey: CurveSecretKey

    /// A pair whose halves belong together; nil if they do not.
    public init?(publicKey: CurvePublicKey, secretKey: CurveSecretKey) {
        var derived = [CChar](repeating: 0, count: Z85.textCount + 1)
        guard zmq_curve_public(&derived, secretKey.revealed()) == 0, Z85.string(derived) == publicKey.text else {
            return nil
        }
        self.init(unchecked: publicKey, secretKey)
    }

    private init(unchecked publicKey: CurvePublicKey, _ secretKey: CurveSecretKey) {
        self.publicKey = publicKey
        self.secretKey = secretKey
    }

    /// A fresh pair from the system's randomness.
    public static func generate() throws(ZeroMQError) -> CurveKeyPair {
        var publicText = [CChar](repeating: 0, count: Z85.textCount + 1)
        var secretText = publicText
        guard zmq_curve_keypair(&publicText, &secretText) == 0,
            let publicKey = CurvePublicKey(Z85.string(publicText)),
            let secretKey = CurveSecretKey(Z85.string(secretText))
        else {
            throw ZeroMQError(
                code: .noEncryption, operation: "make a key pair",
                message: "this libzmq was built without CURVE; install Debian's libzmq5")
        }
        return CurveKeyPair(unchecked: publicKey, secretKey)
    }
}

/// ZeroMQ's base 85, for keys only.
private enum Z85 {
    static let byteCount = 32
    static let textCount = 40

    static func string(_ characters: [CChar]) -> String {
        String(decoding: characters.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    static func bytes(of text: String) -> [UInt8]? {
        guard text.utf8.count == textCount, text.utf8.allSatisfy({ (33...126).contains($0) }) else { return nil }
        var bytes = [UInt8](repeating: 0, count: byteCount)
        return zmq_z85_decode(&bytes, text) == nil ? nil : bytes
    }

    static func text(of bytes: [UInt8]) -> String? {
        guard bytes.count == byteCount else { return nil }
        var text = [CChar](repeating: 0, count: textCount + 1)
        return zmq_z85_encode(&text, bytes, bytes.count) == nil ? nil : string(text)
    }
}
