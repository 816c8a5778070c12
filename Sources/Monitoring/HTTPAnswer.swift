/// An answer, after which the connection ends.
struct HTTPAnswer {
    /// The outcomes that there are here.
    enum Status: String {
        case ok = "200 OK"
        case badRequest = "400 Bad Request"
        case notFound = "404 Not Found"
        case methodNotAllowed = "405 Method Not Allowed"
        case headTooLarge = "431 Request Header Fields Too Large"
        case serverError = "500 Internal Server Error"
        case unavailable = "503 Service Unavailable"
    }

    let status: Status
    /// The media type of the body.
    let type: String
    let body: [UInt8]

    /// An answer of a media type.
    init(_ status: Status, type: String, _ body: [UInt8]) {
        (self.status, self.type, self.body) = (status, type, body)
    }

    /// An answer in plain words.
    init(_ status: Status, _ text: String) {
        self.init(status, type: "text/plain; charset=utf-8", Array(text.utf8))
    }

    /// The bytes to send.
    ///
    /// - Parameter withBody: false leaves the body out, as a HEAD request asks.
    func bytes(withBody: Bool) -> [UInt8] {
        let head = [
            "HTTP/1.1 \(status.rawValue)", "Content-Type: \(type)", "Content-Length: \(body.count)",
            "Connection: close", "Cache-Control: no-store", "X-Content-Type-Options: nosniff",
            "Referrer-Policy: no-referrer",
            "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
                + "img-src data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
        ]
        return Array((head.joined(separator: "\r\n") + "\r\n\r\n").utf8) + (withBody ? body : [])
    }
}
