internal import FlyingFox
private import Foundation

/// Answers the requests: everything is read from the board, nothing can be changed from here.
struct StatusPages: HTTPHandler {
    /// How long a request waits for a fresh snapshot.
    private static let patience = Duration.seconds(1)
    /// A coordinator that has been silent for so many seconds is not healthy.
    private static let silenceLimit = 10.0

    let board: StatusBoard
    /// Whether the server listens on loopback only.
    let isLoopback: Bool

    func handleRequest(_ request: HTTPRequest) async throws -> HTTPResponse {
        guard isForUs(request) else { return Self.text(.badRequest, "this is not the host that was asked for\n") }
        guard request.method == .GET || request.method == .HEAD else {
            return Self.text(.methodNotAllowed, "only GET is answered\n")
        }
        var response: HTTPResponse
        switch request.path {
        case "/": response = Self.page("text/html; charset=utf-8", StatusPage.html)
        case "/page.css": response = Self.page("text/css; charset=utf-8", StatusPage.style)
        case "/page.js": response = Self.page("text/javascript; charset=utf-8", StatusPage.script)
        case "/status.json": response = await status()
        case "/metrics": response = await metrics()
        case "/healthz": response = await health()
        default: response = Self.text(.notFound, "there is /, /status.json, /metrics and /healthz\n")
        }
        if request.method == .HEAD { response.payload = .httpBody(HTTPBodySequence(data: Data())) }
        return response
    }

    private func status() async -> HTTPResponse {
        guard let (snapshot, age) = await board.latest(patience: Self.patience) else { return Self.notYet }
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = .withoutEscapingSlashes
        guard let body = try? encoder.encode(StatusReport(snapshot, age: age)) else {
            return Self.text(.internalServerError, "the status cannot be encoded\n")
        }
        return Self.response(.ok, "application/json", body)
    }

    private func metrics() async -> HTTPResponse {
        guard let (snapshot, age) = await board.latest(patience: Self.patience) else { return Self.notYet }
        let text = snapshot.metrics(age: age, process: .now())
        return Self.response(.ok, MetricText.mediaType, Data(text.utf8))
    }

    private func health() async -> HTTPResponse {
        guard let (snapshot, age) = await board.latest(patience: Self.patience) else { return Self.notYet }
        if age > Self.silenceLimit {
            return Self.text(.serviceUnavailable, "the coordinator has not answered for \(Int(age)) s\n")
        }
        switch snapshot.store {
        case .healthy: return Self.text(.ok, "ok\n")
        case .failing(let reason):
            return Self.text(.serviceUnavailable, "the job store fails, nothing is acknowledged: \(reason)\n")
        }
    }

    private static let notYet = text(.serviceUnavailable, "the coordinator has not answered yet\n")

    /// On loopback, only requests that name this machine: another site's name may not be made to point here.
    private func isForUs(_ request: HTTPRequest) -> Bool {
        guard isLoopback, let host = request.headers[.host] else { return true }
        let name = host.hasPrefix("[") ? host.prefix { $0 != "]" } + "]" : host.prefix { $0 != ":" }
        return name.lowercased() == "localhost" || name.hasPrefix("127.") || name == "[::1]"
    }

    private static func text(_ status: HTTPStatusCode, _ text: String) -> HTTPResponse {
        response(status, "text/plain; charset=utf-8", Data(text.utf8))
    }

    private static func page(_ type: String, _ text: String) -> HTTPResponse { response(.ok, type, Data(text.utf8)) }

    private static func response(_ status: HTTPStatusCode, _ type: String, _ body: Data) -> HTTPResponse {
        HTTPResponse(
            statusCode: status,
            headers: [
                .contentType: type, .cacheControl: "no-store",
                HTTPHeader("X-Content-Type-Options"): "nosniff", HTTPHeader("Referrer-Policy"): "no-referrer",
                HTTPHeader("Content-Security-Policy"):
                    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
                    + "frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
            ], body: body)
    }
}
