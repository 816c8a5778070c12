import Foundation
import TestSupport
import Tokenization

/// A folder with a tokenizer.json of another form, made from the demo checkpoint's.
struct TokenizerFolder {
    let folder: TemporaryDirectory

    /// The form of that name in Tests/Fixtures/tokenizer/forms.json.
    init(form name: String) throws {
        folder = try TemporaryDirectory()
        let forms = try Self.object(Repository.fixture("tokenizer/forms.json"))
        guard let form = forms[name] as? [String: Any], let top = form["top"] as? [String: Any],
            let changes = form["model"] as? [String: Any], let config = form["config"] as? [String: Any],
            let odd = form["odd"] as? [Any]
        else { throw CocoaError(.fileReadCorruptFile) }
        var settings = try Self.object(demoModel.appendingPathComponent("tokenizer_config.json"))
        settings.merge(config) { $1 }
        try write(settings, to: "tokenizer_config.json")
        var tokenizer = try Self.object(demoModel.appendingPathComponent("tokenizer.json"))
        tokenizer.merge(top) { $1 }
        tokenizer["added_tokens"] = (tokenizer["added_tokens"] as? [Any] ?? []) + odd
        var model = tokenizer["model"] as? [String: Any] ?? [:]
        model.merge(changes) { $1 }
        tokenizer["model"] = model
        try write(tokenizer, to: "tokenizer.json")
    }

    /// Changes a file.
    func edit(_ name: String = "tokenizer.json", _ change: (inout [String: Any]) -> Void) throws {
        var object = try Self.object(folder.file(name))
        change(&object)
        try write(object, to: name)
    }

    /// Changes the model of tokenizer.json.
    func editModel(_ change: (inout [String: Any]) -> Void) throws {
        try edit {
            var model = $0["model"] as? [String: Any] ?? [:]
            change(&model)
            $0["model"] = model
        }
    }

    /// Writes a text to a file of the folder.
    func write(_ text: String, to name: String = "tokenizer.json") throws {
        try Data(text.utf8).write(to: folder.file(name))
    }

    func load() throws -> Tokenizer { try Tokenizer(directory: folder.url) }

    /// The error of loading the folder; nil where it loads.
    func failure() -> TokenizerError? {
        do {
            _ = try Tokenizer(directory: folder.url)
            return nil
        } catch {
            return error
        }
    }

    private func write(_ object: [String: Any], to name: String) throws {
        try JSONSerialization.data(withJSONObject: object).write(to: folder.file(name))
    }

    private static func object(_ url: URL) throws -> [String: Any] {
        try JSONSerialization.jsonObject(with: Data(contentsOf: url)) as? [String: Any] ?? [:]
    }
}
