internal import ZeroMQ

/// A question of libzmq whether a connection may be made: the ZeroMQ Authentication Protocol (rfc.zeromq.org/spec/27).
struct AccessRequest {
    /// How the peer proves who it is.
    enum Proof: Equatable {
        /// The peer proves nothing.
        case none
        /// The peer owns the secret half of this key, as libzmq has checked.
        case key(CurvePublicKey)
    }

    /// Where libzmq asks, within its context.
    static let endpoint = "inproc://zeromq.zap.01"
    private static let version = [UInt8]("1.0".utf8)

    private let id: [UInt8]
    /// The port that the peer came to.
    let port: AccessPort
    /// The peer's network address; empty for peers of the same machine that have none.
    let address: String
    let proof: Proof

    /// Reads a request; nil if it is malformed.
    init?(frames: [[UInt8]]) {
        func text(_ frame: [UInt8]) -> String { String(decoding: frame, as: UTF8.self) }
        guard frames.count >= 6, frames[0] == Self.version, let port = AccessPort(rawValue: text(frames[2])) else {
            return nil
        }
        switch (text(frames[5]), frames.count) {
        case ("NULL", 6): proof = .none
        case ("CURVE", 7):
            guard let key = CurvePublicKey(bytes: frames[6]) else { return nil }
            proof = .key(key)
        default: return nil
        }
        id = frames[1]
        self.port = port
        address = text(frames[3])
    }

    /// The answer: yes, under the name that the peer's messages will carry, or no.
    func answer(letsInAs name: String?) -> [[UInt8]] {
        [
            Self.version, id, [UInt8]((name == nil ? "400" : "200").utf8),
            [UInt8]((name == nil ? "key not accepted" : "OK").utf8), [UInt8]((name ?? "").utf8), [],
        ]
    }

    /// The refusal of a malformed request.
    static func refusal(of frames: [[UInt8]]) -> [[UInt8]] {
        let id = frames.count > 1 ? frames[1] : []
        return [version, id, [UInt8]("400".utf8), [UInt8]("not understood".utf8), [], []]
    }
}
