import Foundation
import TestSupport

/// Cases with what an independent transcription of the official rules says of them; `scoring/make_scoring_goldens.py`.
struct ScoringGoldens: Decodable {
    struct Normalised: Decodable { let text, evalai, vqa: String }
    struct Accuracy: Decodable {
        let prediction: String
        let answers: [String]
        let textvqa, vqa: Double
    }
    struct YesNoText: Decodable {
        let text: String
        let yes: Bool
    }
    struct YesNoSet: Decodable {
        let texts, labels: [String]
        let scores: [String: Double]
    }
    struct Choice: Decodable {
        let text: String
        let choices, choice: Int
    }
    struct Reply: Decodable { let text, reply: String }
    struct PictureSet: Decodable {
        let pairs: [[[String]]]
        let score: Double
    }
    struct Rotations: Decodable {
        struct Row: Decodable {
            let index: Int
            let prediction, answer: String
        }
        let rows: [Row]
        let accuracy: Double
    }
    struct Prediction: Decodable { let text, prediction: String }

    let normalised: [Normalised]
    let accuracy: [Accuracy]
    let pope_texts: [YesNoText]
    let pope_sets: [YesNoSet]
    let scienceqa: [Choice]
    let mme_texts: [Reply]
    let mme_sets: [PictureSet]
    let mmbench: [Rotations]
    let gqa: [Prediction]

    static func load() throws -> ScoringGoldens {
        let data = try Data(contentsOf: Repository.fixture("scoring/scoring_goldens.json"))
        return try JSONDecoder().decode(ScoringGoldens.self, from: data)
    }
}
