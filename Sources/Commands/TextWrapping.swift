import Foundation
import Glibc

extension String {
    /// The text in lines of at most `width` characters, broken at spaces where there are any; at least one line.
    ///
    /// Line feeds stay, and so does the indentation of a line, which the lines that continue it repeat.
    func wrapped(to width: Int) -> [String] {
        split(separator: "\n", omittingEmptySubsequences: false).flatMap { line -> [String] in
            guard line.count > width, width > 0 else { return [String(line)] }
            let indentation = String(line.prefix { $0 == " " }.prefix(width / 2))
            var lines: [String] = [], current = indentation
            for word in line.dropFirst(indentation.count).split(separator: " ", omittingEmptySubsequences: false) {
                var word = word
                let separated = current.count > indentation.count ? current + " " : current
                if separated.count + word.count <= width {
                    current = separated + word
                    continue
                }
                if current.count > indentation.count { lines.append(current.withoutSpacesAtEnd) }
                let room = width - indentation.count
                while word.count > room {
                    lines.append(indentation + word.prefix(room))
                    word = word.dropFirst(room)
                }
                current = indentation + word
            }
            return lines + [current]
        }
    }

    /// A message of the argument parser, which wraps all lines but that of the usage, with that one wrapped as well.
    var withUsageWrapped: String {
        let columns = ProcessInfo.processInfo.environment["COLUMNS"].flatMap { Int($0) }
        let width = max(columns ?? terminalWidth() ?? 80, 20)
        return split(separator: "\n", omittingEmptySubsequences: false).flatMap { line -> [String] in
            guard let label = ["USAGE: ", "Usage: "].first(where: line.hasPrefix), line.count > width else {
                return [String(line)]
            }
            let lines = String(line.dropFirst(label.count)).wrapped(to: width - label.count)
            let indentation = String(repeating: " ", count: label.count)
            return lines.enumerated().map { ($0 == 0 ? label : indentation) + $1 }
        }.joined(separator: "\n")
    }

    /// The text without the spaces that it ends with.
    var withoutSpacesAtEnd: String { String(reversed().drop { $0 == " " }.reversed()) }
}

/// Prints a text whose lines are wrapped to the terminal; as it is where output does not go to one.
func printWrapped(_ text: String) {
    guard let width = terminalWidth() else { return print(text) }
    print(text.wrapped(to: width).joined(separator: "\n"))
}

/// At most `length` characters of a text, with an ellipsis where something was cut.
func shortened(_ text: String, to length: Int) -> String {
    text.count <= length ? text : text.prefix(max(length - 1, 0)) + "…"
}

/// Columns of the terminal that standard output, or another stream, goes to; nil where it goes to no terminal, or the terminal
/// does not say how wide it is.
func terminalWidth(of stream: Int32 = STDOUT_FILENO) -> Int? {
    terminalSize(of: stream).flatMap { $0.ws_col > 0 ? max(Int($0.ws_col), 20) : nil }
}

/// Columns and lines of the terminal that a stream goes to, 0 where it does not say; nil if the stream goes to none.
private func terminalSize(of stream: Int32) -> winsize? {
    var size = winsize()
    return isatty(stream) == 1 && ioctl(stream, UInt(TIOCGWINSZ), &size) == 0 ? size : nil
}

/// Whether a stream is a pipe whose other end has been closed.
func isReaderGone(_ stream: Int32) -> Bool {
    var state = pollfd(fd: stream, events: 0, revents: 0)
    return poll(&state, 1, 0) > 0 && state.revents & Int16(POLLERR) != 0
}

/// Lines of the terminal that a stream goes to; nil if it goes to none, or one that does not say.
func terminalHeight(of stream: Int32 = STDOUT_FILENO) -> Int? {
    terminalSize(of: stream).flatMap { $0.ws_row > 0 ? Int($0.ws_row) : nil }
}
