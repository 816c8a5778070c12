import ArgumentParser
import Foundation
import JobVocabulary

/// Options that a command does not have, and words that an option does not take.
///
/// The parser names such options only where nothing else is amiss: for `--kep 64` it says that `--keep` is missing. And it does
/// not say which of an option's words was meant.
enum UnknownOption {
    /// Refuses the first option of `arguments` that the command which they name does not have, or that has a word which it does
    /// not take.
    static func refuse(_ arguments: some Collection<String>, of root: any ParsableCommand.Type) throws {
        var command = root, path = [root._commandName], rest = Array(arguments)[...]
        while let next = command.configuration.subcommands.first(where: { $0._commandName == rest.first }) {
            (command, rest) = (next, rest.dropFirst())
            path.append(next._commandName)
        }
        let options = try options(of: command) + (command.configuration.defaultSubcommand.map(options) ?? [])
        let known = ["-h", "--help", "--help-hidden", "--version"] + options.flatMap(\.typed)
        let words = Array(rest.prefix { $0 != "--" })
        for (place, word) in words.enumerated() where word.hasPrefix("--") || word.isDashAndLetter {
            // The value of this option consists of options of another command.
            guard place == 0 || words[place - 1] != "--worker-options" else { continue }
            let option = String(word.prefix { $0 != "=" })
            if known.contains(option) {
                let next = words.dropFirst(place + 1).first
                let value = option.count < word.count ? String(word.dropFirst(option.count + 1)) : next
                if option.count == word.count, let next, next.isNegativeNumber {
                    throw CommandFailure(
                        ExitCodes.usage, "'\(next)' behind \(option) is read as an option: write \(option)=\(next)")
                }
                let possible = options.first { $0.typed.contains(option) }?.allValues ?? []
                // The parser refuses words that are nowhere near as well.
                guard let value, !possible.contains(value), let meant = value.meant(among: possible) else { continue }
                throw CommandFailure(
                    ExitCodes.usage,
                    "\(option) takes \(possible.joined(separator: ", ")), not '\(value)' (did you mean \(meant)?)")
            }
            let bare = String(option.drop { $0 == "-" })
            let guess = bare.meant(among: known.map { String($0.drop { $0 == "-" }) })
            let name = path.joined(separator: " ")
            throw CommandFailure(
                ExitCodes.usage,
                "'\(name)' has no option \(option)\(guess.map { " (did you mean --\($0)?)" } ?? ""); '\(name) --help' lists those "
                    + "it has")
        }
    }

    /// The options of a command, from the parser's own description of it.
    private static func options(of command: any ParsableCommand.Type) throws -> [Tool.Argument] {
        try JSONDecoder().decode(Tool.self, from: Data(command._dumpHelp().utf8)).command.arguments ?? []
    }

    private struct Tool: Decodable {
        struct Command: Decodable { let arguments: [Argument]? }
        struct Argument: Decodable {
            let names: [Name]?
            /// The words that it takes; nil where it takes anything.
            let allValues: [String]?

            /// Its names as they are typed.
            var typed: [String] { (names ?? []).map { ($0.kind == "long" ? "--" : "-") + $0.name } }
        }
        struct Name: Decodable { let kind, name: String }

        let command: Command
    }
}

extension String {
    /// Whether this is a number below 0.
    fileprivate var isNegativeNumber: Bool { first == "-" && Double(self) != nil }

    /// Whether this is a dash before a letter, as in `-k`, and not a number such as `-5`.
    fileprivate var isDashAndLetter: Bool { first == "-" && dropFirst().first?.isLetter == true }
}
