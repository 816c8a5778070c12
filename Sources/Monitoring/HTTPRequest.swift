private import Foundation

/// What a request says in its head; a body is not read.
struct HTTPRequest {
    /// Most bytes of a head.
    static let maximumBytes = 8 << 10

    /// `GET`, `HEAD` or another word.
    let method: String
    /// The path without the query.
    let path: String
    /// What follows the path, by name, such as `batch=receipts`.
    let query: [String: String]
    /// The host that was asked for; nil if none is named.
    let host: String?

    /// Reads a head up to its empty line; nil for one that is none of HTTP.
    init?(head: some Collection<UInt8>) {
        let lines = String(decoding: head, as: UTF8.self).split(separator: "\r\n", omittingEmptySubsequences: false)
        let first = lines.first.map { $0.split(separator: " ", omittingEmptySubsequences: false) } ?? []
        guard first.count == 3, first[2].hasPrefix("HTTP/1."), first[1].hasPrefix("/") else { return nil }
        method = String(first[0])
        path = String(first[1].prefix { $0 != "?" })
        query = first[1].dropFirst(path.count + 1).split(separator: "&").reduce(into: [:]) { query, pair in
            let parts = pair.split(separator: "=", maxSplits: 1).map { String($0).removingPercentEncoding ?? "" }
            query[parts.first ?? ""] = parts.dropFirst().first ?? ""
        }
        var host: String?
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":"), line[..<colon].lowercased() == "host" else { continue }
            host = String(line[line.index(after: colon)...].drop { $0 == " " }.prefix { $0 != " " })
        }
        self.host = host
    }
}
