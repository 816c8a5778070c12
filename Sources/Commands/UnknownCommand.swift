import ArgumentParser
import JobVocabulary

/// Words in the place of a command that are none, which the parser would call unexpected arguments.
enum UnknownCommand {
    /// Refuses arguments, or those of `help`, that begin with a word which `command` does not know as a command of its own.
    static func refuse(_ arguments: some Collection<String>, of command: any ParsableCommand.Type) throws {
        var command = command, path: [String] = []
        let words = arguments.first == "help" ? arguments.dropFirst() : arguments[...]
        for word in words {
            let known = command.configuration.subcommands.filter { $0.configuration.shouldDisplay }
            guard !known.isEmpty, !word.hasPrefix("-") else { return }
            path.append(command._commandName)
            if let next = command.configuration.subcommands.first(where: { $0._commandName == word }) {
                command = next
                continue
            }
            if word == "help" { return }
            let names = known.map { $0._commandName }, name = path.joined(separator: " ")
            // A command that takes the place of one that is not named may have arguments.
            guard command.configuration.defaultSubcommand == nil || word.meant(among: names) != nil else { return }
            throw CommandFailure(
                ExitCodes.usage,
                "there is no command '\(name) \(word)'\(word.guess(among: names)); '\(name) --help' lists those that are"
            )
        }
    }
}
