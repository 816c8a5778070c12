import Evaluation
import Foundation
import Testing

/// The scorers against an independent transcription of the official rules, case by case.
struct ScoringRulesTests {
    let goldens: ScoringGoldens

    init() throws { goldens = try .load() }

    private func same(_ a: String, _ b: String) -> Bool { a.utf8.elementsEqual(b.utf8) }

    @Test func normalisers() {
        #expect(goldens.normalised.count >= 300)
        for golden in goldens.normalised {
            let (evalAI, vqa) = (AnswerNormaliser.evalAI(golden.text), AnswerNormaliser.vqa(golden.text))
            #expect(same(evalAI, golden.evalai), "\(golden.text.debugDescription) became \(evalAI.debugDescription)")
            #expect(same(vqa, golden.vqa), "\(golden.text.debugDescription) became \(vqa.debugDescription)")
        }
    }

    @Test func agreementWithPeople() {
        #expect(goldens.accuracy.count >= 15)
        #expect(Set(goldens.accuracy.map { ($0.textvqa * 10).rounded() }) == [0, 3, 6, 9, 10], "every step occurs")
        for golden in goldens.accuracy {
            let textVQA = VQAAccuracy.textVQA(golden.prediction, answers: golden.answers)
            let official = VQAAccuracy.official(golden.prediction, answers: golden.answers)
            #expect(abs(textVQA - golden.textvqa) < 1e-12, "\(golden)")
            #expect(abs(official - golden.vqa) < 1e-12, "\(golden)")
        }
    }

    @Test func yesOrNoOfPOPE() throws {
        #expect(goldens.pope_texts.count >= 15)
        for golden in goldens.pope_texts {
            #expect(YesNoScore.saysYes(golden.text) == golden.yes, "\(golden.text.debugDescription)")
        }
        for golden in goldens.pope_sets {
            var score = YesNoScore()
            for (text, label) in zip(golden.texts, golden.labels) { score.count(text, label: label) }
            let values = [
                "f1": score.f1, "precision": score.precision, "recall": score.recall, "accuracy": score.accuracy,
                "yes": score.yesShare,
            ]
            for (name, value) in values { #expect(abs(value - (try #require(golden.scores[name]))) < 1e-12, "\(name)") }
        }
    }

    @Test func lettersOfScienceQA() {
        #expect(goldens.scienceqa.count >= 15)
        for golden in goldens.scienceqa {
            let choice = ChoiceLetter.choice(in: golden.text, of: golden.choices)
            #expect(choice ?? -1 == golden.choice, "\(golden.text.debugDescription)")
        }
    }

    @Test func repliesAndScoresOfMME() {
        #expect(goldens.mme_texts.count >= 15)
        for golden in goldens.mme_texts {
            #expect(MMEScore.Reply(golden.text).rawValue == golden.reply, "\(golden.text.debugDescription)")
        }
        for golden in goldens.mme_sets {
            var score = MMEScore()
            for pair in golden.pairs {
                let right = pair.map { MMEScore.Reply($0[0]).rawValue == $0[1] }
                score.count(right[0], right[1])
            }
            #expect(abs(score.score - golden.score) < 1e-9)
        }
        #expect(MMEScore.perception.count == 10 && MMEScore.cognition.count == 4)
    }

    @Test func rotationsOfMMBench() {
        #expect(goldens.mmbench.count >= 15)
        for golden in goldens.mmbench {
            var accuracy = CircularAccuracy()
            for row in golden.rows { accuracy.count(index: row.index, prediction: row.prediction, answer: row.answer) }
            #expect(abs(accuracy.value - golden.accuracy) < 1e-12, "\(golden)")
        }
    }

    @Test func predictionsOfGQA() {
        for golden in goldens.gqa { #expect(same(ExactAnswer.gqa(golden.text), golden.prediction)) }
    }
}
