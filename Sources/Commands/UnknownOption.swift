import ArgumentParser
import Foundation
import JobVocabulary

/// Options that a command does not have. The parser names them only where nothing else is amiss: for `--kep 64` it says that
/// `--keep` is missing.
enum UnknownOption {
    /// Refuses the first option of `arguments` that the command which they name does not have.
    static func refuse(_ arguments: some Collection<String>, of root: any ParsableCommand.Type) throws {
        var command = root, path = [root._commandName], rest = Array(arguments)[...]
        while let next = command.configuration.subcommands.first(where: { $0._commandName == rest.first }) {
            (command, rest) = (next, rest.dropFirst())
            path.append(next._commandName)
        }
        let known = try names(of: command) + (command.configuration.defaultSubcommand.map(names) ?? [])
        let words = rest.prefix { $0 != "--" }
        for (word, before) in zip(words, [""] + words) where word.hasPrefix("--") || word.isDashAndLetter {
            // The value of this option consists of options of another command.
            guard before != "--worker-options" else { continue }
            let option = String(word.prefix { $0 != "=" })
            guard !known.contains(option) else { continue }
            let bare = String(option.drop { $0 == "-" })
            let guess = bare.meant(among: known.map { String($0.drop { $0 == "-" }) })
            let name = path.joined(separator: " ")
            throw CommandFailure(
                ExitCodes.usage,
                "'\(name)' has no option \(option)\(guess.map { " (did you mean --\($0)?)" } ?? ""); '\(name) --help' lists those "
                    + "it has")
        }
    }

    /// The options of a command as they are typed, from the parser's own description of it.
    private static func names(of command: any ParsableCommand.Type) throws -> [String] {
        let tool = try JSONDecoder().decode(Tool.self, from: Data(command._dumpHelp().utf8))
        return ["-h", "--help", "--help-hidden", "--version"]
            + (tool.command.arguments ?? []).flatMap { $0.names ?? [] }.map {
                ($0.kind == "long" ? "--" : "-") + $0.name
            }
    }

    private struct Tool: Decodable {
        struct Command: Decodable { let arguments: [Argument]? }
        struct Argument: Decodable { let names: [Name]? }
        struct Name: Decodable { let kind, name: String }

        let command: Command
    }
}

extension String {
    /// Whether this is a dash before a letter, as in `-k`, and not a number such as `-5`.
    fileprivate var isDashAndLetter: Bool { first == "-" && dropFirst().first?.isLetter == true }
}
