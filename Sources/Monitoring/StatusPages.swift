private import Foundation

/// Answers the requests: everything is read from the board, nothing can be changed from here.
struct StatusPages: Sendable {
    /// How long a request waits for a fresh snapshot.
    private static let patience = Duration.seconds(1)
    /// A coordinator that has been silent for so many seconds is not healthy.
    private static let silenceLimit = 10.0

    let board: StatusBoard
    /// Whether the server listens on loopback only.
    let isLoopback: Bool

    /// The answer to a request.
    func answer(to request: HTTPRequest) -> HTTPAnswer {
        guard isForUs(request) else { return HTTPAnswer(.badRequest, "this is not the host that was asked for\n") }
        guard request.method == "GET" || request.method == "HEAD" else {
            return HTTPAnswer(.methodNotAllowed, "only GET is answered\n")
        }
        return switch request.path {
        case "/": Self.page("text/html", StatusPage.html)
        case "/page.css": Self.page("text/css", StatusPage.style)
        case "/page.js": Self.page("text/javascript", StatusPage.script)
        case "/status.json": status(of: request.query["batch"])
        case "/metrics": metrics()
        case "/healthz": health()
        default: HTTPAnswer(.notFound, "there is /, /status.json, /metrics and /healthz\n")
        }
    }

    /// The state of everything, and more about one batch if its name is given.
    private func status(of batch: String?) -> HTTPAnswer {
        guard let (snapshot, age) = board.latest(patience: Self.patience) else { return Self.notYet }
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = .withoutEscapingSlashes
        guard let body = try? encoder.encode(StatusReport(snapshot, batch: batch, age: age)) else {
            return HTTPAnswer(.serverError, "the status cannot be encoded\n")
        }
        return HTTPAnswer(.ok, type: "application/json", Array(body))
    }

    private func metrics() -> HTTPAnswer {
        guard let (snapshot, age) = board.latest(patience: Self.patience) else { return Self.notYet }
        let text = snapshot.metrics(age: age, process: .now())
        return HTTPAnswer(.ok, type: MetricText.mediaType, Array(text.utf8))
    }

    private func health() -> HTTPAnswer {
        guard let (snapshot, age) = board.latest(patience: Self.patience) else { return Self.notYet }
        if age > Self.silenceLimit {
            return HTTPAnswer(.unavailable, "the coordinator has not answered for \(Int(age)) s\n")
        }
        switch snapshot.store {
        case .healthy: return HTTPAnswer(.ok, "ok\n")
        case .failing(let reason):
            return HTTPAnswer(.unavailable, "the job store fails, nothing is acknowledged: \(reason)\n")
        }
    }

    private static let notYet = HTTPAnswer(.unavailable, "the coordinator has not answered yet\n")

    /// On loopback, only requests that name this machine: another site's name may not be made to point here.
    private func isForUs(_ request: HTTPRequest) -> Bool {
        guard isLoopback, let host = request.host else { return true }
        let name = host.hasPrefix("[") ? host.prefix { $0 != "]" } + "]" : host.prefix { $0 != ":" }
        return name.lowercased() == "localhost" || name.hasPrefix("127.") || name == "[::1]"
    }

    private static func page(_ type: String, _ text: String) -> HTTPAnswer {
        HTTPAnswer(.ok, type: "\(type); charset=utf-8", Array(text.utf8))
    }
}
