import Foundation

/// A reader of web pages from outside: Python's.
public enum WebClient {
    /// What a server answered.
    public struct Answer: Decodable, Sendable {
        /// The status code.
        public let code: Int
        /// The media type.
        public let type: String
        /// The body.
        public let text: String
    }

    private static let script = """
        import json, sys, urllib.error, urllib.request
        url, method, host = sys.argv[1:]
        request = urllib.request.Request(url, method=method, headers={"Host": host} if host else {})
        try:
            answer = urllib.request.urlopen(request, timeout=60)
        except urllib.error.HTTPError as error:
            answer = error
        print(json.dumps({"code": answer.status, "type": answer.headers.get("Content-Type", ""),
            "text": answer.read().decode()}))
        """

    /// Asks for a page.
    public static func get(_ url: String, method: String = "GET", host: String = "") throws -> Answer {
        let printed = try SystemPython.run(script, url, method, host)
        return try JSONDecoder().decode(Answer.self, from: Data(printed.utf8))
    }
}
