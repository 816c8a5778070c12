import JobVocabulary
import Testing

@Suite struct MistypedWordTests {
    private static let known = ["submit", "status", "run", "results", "fastv", "fastervlm", "visionzip"]

    @Test(arguments: [
        ("sumbit", "submit"), ("Status", "status"), ("statu", "status"), ("rnu", "run"), ("fastvv", "fastv"),
        ("vision-zip", "visionzip"), ("fasterVLM", "fastervlm"), ("resluts", "results"),
    ])
    func slipsAreUnderstood(word: String, meant: String) { #expect(word.meant(among: Self.known) == meant) }

    @Test(arguments: ["", "x", "dance", "submission", "tome"])
    func anotherWordIsNone(word: String) {
        #expect(word.meant(among: Self.known) == nil && word.guess(among: Self.known).isEmpty)
    }

    @Test func theQuestionStandsBehindARefusal() {
        #expect("ru".guess(among: Self.known) == " (did you mean run?)")
    }
}
