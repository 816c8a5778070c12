import Foundation

extension MultimodalPrompt {
    /// What an instruction asks, for a tower that reads the question alone: the user's own text, without the places of
    /// pictures, which `imageText` stands for.
    ///
    /// As the scripts of CDPruner's authors do, leaves out the two sentences with which benchmarks ask for short answers.
    /// Of an instruction that is a whole prompt, with a template of its own, everything else stays.
    static func question(of instruction: String, without imageText: String?) -> String {
        ([imageText].compactMap(\.self) + answerFormats.map { "\n" + $0 }).reduce(instruction) {
            $0.replacingOccurrences(of: $1, with: "")
        }
    }

    private static let answerFormats = [
        "Answer the question using a single word or phrase.",
        "Answer with the option's letter from the given choices directly.",
    ]
}
