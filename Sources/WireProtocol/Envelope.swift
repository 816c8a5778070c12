public import SwiftProtobuf

/// A message that travels by itself: as two frames, the protocol tag and the serialised message.
public protocol Envelope: SwiftProtobuf.Message {
    /// Whether the message says anything this version knows.
    var hasContent: Bool { get }
}

extension WireFromWorker: Envelope {
    /// Whether `kind` is set.
    public var hasContent: Bool { kind != nil }
}

extension WireToWorker: Envelope {
    /// Whether `kind` is set.
    public var hasContent: Bool { kind != nil }
}

extension WireFromClient: Envelope {
    /// Whether `kind` is set.
    public var hasContent: Bool { kind != nil }
}

extension WireToClient: Envelope {
    /// Whether `kind` is set.
    public var hasContent: Bool { kind != nil }
}

/// What surrounds a message on the wire.
public enum WireFraming {
    /// First frame of every message: "WNW1".
    public static let tag = [UInt8]("WNW1".utf8)
    /// Largest serialised message, in bytes.
    public static let maximumBodyBytes = 16 << 20
}

extension Envelope {
    /// The frames that carry this message.
    public func frames() throws(WireError) -> [[UInt8]] {
        let body: [UInt8]
        do {
            body = try serializedBytes()
        } catch {
            throw WireError(.undecodable, "a \(Self.protoMessageName) cannot be serialised: \(error)")
        }
        guard body.count <= WireFraming.maximumBodyBytes else {
            throw WireError(
                .tooLarge,
                "a \(Self.protoMessageName) of \(body.count) bytes is over the limit of \(WireFraming.maximumBodyBytes); "
                    + "send fewer items at a time")
        }
        return [WireFraming.tag, body]
    }

    /// The message that frames from a peer carry; anything else than exactly one such message is refused.
    public init(frames: some Collection<[UInt8]>) throws(WireError) {
        guard frames.count == 2, let tag = frames.first, let body = frames.dropFirst().first else {
            throw WireError(.frameCount, "a message has 2 frames, not \(frames.count): the peer is no winnow process")
        }
        guard tag == WireFraming.tag else {
            throw WireError(.tag, "a message does not start with the tag WNW1: the peer is not a winnow process")
        }
        guard body.count <= WireFraming.maximumBodyBytes else {
            throw WireError(
                .tooLarge, "a message of \(body.count) bytes is over the limit of \(WireFraming.maximumBodyBytes)")
        }
        switch FieldCount.find(in: body) {
        case .withinLimit: break
        case .tooMany:
            throw WireError(.tooLarge, "a message has more than \(FieldCount.limit) parts; nothing of it was read")
        case .broken: throw WireError(.undecodable, "a message is cut off or no \(Self.protoMessageName)")
        }
        var options = BinaryDecodingOptions()
        options.messageDepthLimit = FieldCount.depthLimit
        do {
            self = try Self(serializedBytes: body, options: options)
        } catch {
            throw WireError(.undecodable, "a message is not a \(Self.protoMessageName): \(error)")
        }
        guard hasContent else {
            throw WireError(
                .unknownKind,
                "a \(Self.protoMessageName) has no content that this version (\(ProtocolVersion.software)) knows")
        }
    }
}
