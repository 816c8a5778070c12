/// How far one answer agrees with those that ten people gave.
///
/// Leaving out each person in turn, min(1, matches among the others / 3), and the mean of that: 0, 0.3, 0.6, 0.9 and 1 for
/// 0, 1, 2, 3 and more of ten.
public enum VQAAccuracy {
    /// TextVQA's: everything normalised by EvalAI's rules (LLaVA's `eval_textvqa.py`).
    public static func textVQA(_ prediction: String, answers: [String]) -> Double {
        leavingOneOut(AnswerNormaliser.evalAI(prediction), answers.map { AnswerNormaliser.evalAI($0) })
    }

    /// VizWiz's, applied to what would have been uploaded, which is normalised by EvalAI's rules.
    ///
    /// Its evaluation descends from that of VQAv2, but normalises the prediction always and the people's answers never:
    /// nobody who writes "the cat" can be agreed with.
    public static func vizWiz(_ prediction: String, answers: [String]) -> Double {
        leavingOneOut(AnswerNormaliser.vqa(AnswerNormaliser.evalAI(prediction)), answers)
    }

    /// The VQA evaluation's, for VQAv2, applied to what would have been uploaded.
    ///
    /// The upload is normalised by EvalAI's rules. The evaluation then normalises prediction and answers by its own, but
    /// only where people differ in at least one character.
    public static func official(_ prediction: String, answers: [String]) -> Double {
        let prediction = AnswerNormaliser.tidy(AnswerNormaliser.evalAI(prediction))
        let answers = answers.map { AnswerNormaliser.tidy($0) }
        guard let first = answers.first, answers.contains(where: { !$0.isIdentical(to: first) }) else {
            return leavingOneOut(prediction, answers)
        }
        return leavingOneOut(AnswerNormaliser.vqa(prediction), answers.map { AnswerNormaliser.vqa($0) })
    }

    private static func leavingOneOut(_ prediction: String, _ answers: [String]) -> Double {
        guard !answers.isEmpty else { return 0 }
        let agrees = answers.map { $0.isIdentical(to: prediction) }
        let matches = agrees.count { $0 }
        let scores = agrees.map { min(1, Double($0 ? matches - 1 : matches) / 3) }
        return scores.reduce(0, +) / Double(scores.count)
    }
}
