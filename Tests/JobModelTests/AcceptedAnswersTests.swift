import JobModel
import Testing

struct AcceptedAnswersTests {
    @Test(
        "case, articles and punctuation around words do not count",
        arguments: [
            ("Yes", ["yes"]), ("yes.", ["no", "Yes"]), ("The red  bar", ["red bar"]), ("\"a cat\"", ["cat"]),
            ("It is (a) dog!", ["it is dog"]), ("-5", ["-5"]), ("3.5", ["3.5"]), ("3.5.", ["3.5"]), ("?", ["?"]),
            ("the", ["The"]), ("日本。", ["日本"]), ("A.", ["A"]), ("(A)", ["A"]), ("A", ["(a)"]), ("a.", ["A"]),
        ])
    func right(answer: String, accepted: [String]) { #expect(AcceptedAnswers.contain(answer, accepted) == true) }

    @Test(
        "signs, points and words do",
        arguments: [
            ("5", ["-5"]), ("3 5", ["3.5"]), ("35", ["3.5"]), ("bottom-left", ["bottom left"]), ("", ["yes"]),
            ("?", ["!"]), ("B.", ["A"]), ("A.", ["?"]),
            ("a", ["the"]), ("yes no", ["yes", "no"]), ("yes", [""]),
        ])
    func wrong(answer: String, accepted: [String]) { #expect(AcceptedAnswers.contain(answer, accepted) == false) }

    /// Each point that is taken off must not cost as much as all that are left.
    @Test func manyPointsAreTakenOff() {
        let points = String(repeating: ".", count: 1_000_000)
        #expect(AcceptedAnswers.contain("yes" + points, ["Yes"]) == true)
        #expect(AcceptedAnswers.contain(points, ["yes"]) == false)
    }

    @Test func nothingIsKnownWhereNoneIsNamed() { #expect(AcceptedAnswers.contain("yes", []) == nil) }
}
