/// What a request says in its head; a body is not read.
struct HTTPRequest {
    /// Most bytes of a head.
    static let maximumBytes = 8 << 10

    /// `GET`, `HEAD` or another word.
    let method: String
    /// The path without the query.
    let path: String
    /// The host that was asked for; nil if none is named.
    let host: String?

    /// Reads a head up to its empty line; nil for one that is none of HTTP.
    init?(head: some Collection<UInt8>) {
        let lines = String(decoding: head, as: UTF8.self).split(separator: "\r\n", omittingEmptySubsequences: false)
        let first = lines.first.map { $0.split(separator: " ", omittingEmptySubsequences: false) } ?? []
        guard first.count == 3, first[2].hasPrefix("HTTP/1."), first[1].hasPrefix("/") else { return nil }
        method = String(first[0])
        path = String(first[1].prefix { $0 != "?" })
        var host: String?
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":"), line[..<colon].lowercased() == "host" else { continue }
            host = String(line[line.index(after: colon)...].drop { $0 == " " }.prefix { $0 != " " })
        }
        self.host = host
    }
}
