/// Cuts one direction of a ZMTP 3.1 connection without encryption into whole messages, so that a proxy can handle them one
/// by one (RFC 37, sections "Connections" and "Framing").
struct MessageStream {
    enum Piece: Equatable {
        /// Greeting, hand-shake, ping or pong: belongs to the connection and must pass as it is.
        case connection([UInt8])
        /// A message of the application, all of its frames with their headers.
        case message(bytes: [UInt8], frames: [[UInt8]])
    }

    struct NotZMTP: Error {}

    private static let greeting = 64
    private var buffer: [UInt8] = []
    /// Bytes of the greeting that have passed.
    private var greeted = 0
    private var frames: [[UInt8]] = []
    private var messageBytes: [UInt8] = []

    /// Takes what arrived and returns what is complete with it.
    mutating func take(_ bytes: some Collection<UInt8>) throws -> [Piece] {
        buffer += bytes
        var pieces: [Piece] = []
        var position = 0
        if greeted < Self.greeting, !buffer.isEmpty {
            guard greeted > 0 || buffer[0] == 0xFF else { throw NotZMTP() }
            // Piece by piece: either side sends the rest of its greeting only once it has the beginning of the other's.
            position = min(Self.greeting - greeted, buffer.count)
            pieces.append(.connection(Array(buffer[..<position])))
            greeted += position
        }
        guard greeted == Self.greeting else {
            buffer.removeFirst(position)
            return pieces
        }
        while let frame = try nextFrame(from: position) {
            let whole = buffer[position..<frame.body.upperBound]
            position = frame.body.upperBound
            guard frame.flags & 0x04 == 0 else {
                pieces.append(.connection(Array(whole)))
                continue
            }
            messageBytes += whole
            frames.append(Array(buffer[frame.body]))
            guard frame.flags & 0x01 == 0 else { continue }
            pieces.append(.message(bytes: messageBytes, frames: frames))
            (messageBytes, frames) = ([], [])
        }
        buffer.removeFirst(position)
        return pieces
    }

    /// The frame that begins at `start`, nil where it is not there in full.
    private func nextFrame(from start: Int) throws -> (flags: UInt8, body: Range<Int>)? {
        guard start < buffer.count else { return nil }
        let flags = buffer[start]
        guard flags & 0xF8 == 0 else { throw NotZMTP() }
        let sizeBytes = flags & 0x02 == 0 ? 1 : 8
        let body = start + 1 + sizeBytes
        guard buffer.count >= body else { return nil }
        let size = buffer[start + 1..<body].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        guard size < 1 << 30 else { throw NotZMTP() }
        return buffer.count >= body + Int(size) ? (flags, body..<body + Int(size)) : nil
    }
}
