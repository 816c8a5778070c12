import Foundation
import Tensors
import Tokenization

/// The folder of the whole CLIP model that a LLaVA model's tower was taken from: it also holds the text tower, which the
/// LLaVA checkpoint itself never does.
public struct CLIPFolder: Sendable {
    let path: String
    let sizes: CLIPSizes
    let weights: CheckpointWeights

    /// Finds the folder for the checkpoint in `directory`: the one given as `visionTower`, or the one that an original
    /// LLaVA checkpoint names as its tower.
    ///
    /// Reads names and sizes, no weights. Throws `missingTextTower`, with what to do, where there is no such folder or it
    /// holds the picture side alone.
    public init(of directory: String, visionTower: String?) throws {
        guard let path = try LLaVAConfiguration.towerDirectory(of: directory, given: visionTower) else {
            throw Self.missing("\(directory) does not hold")
        }
        guard FileManager.default.fileExists(atPath: path + "/config.json") else {
            throw ModelError(.missingFile, "config.json cannot be read; is this the folder of a CLIP model?", at: path)
        }
        let settings = try ConfigurationFile(path: path + "/config.json")
        let weights = CheckpointWeights(checkpoint: try Checkpoint(directory: path), path: path)
        guard settings.section("text_config") != nil,
            Self.landmarks.allSatisfy({ weights.checkpoint.contains($0 + ".weight") }),
            CLIPTokenizer.files.allSatisfy({ FileManager.default.fileExists(atPath: path + "/" + $0) })
        else { throw Self.missing("\(path) does not wholly hold") }
        sizes = try CLIPSizes(settings)
        self.path = path
        self.weights = weights
    }

    private static let landmarks = [
        "text_model.embeddings.token_embedding", "text_projection", "visual_projection", "vision_model.post_layernorm",
    ]

    private static func missing(_ why: String) -> ModelError {
        ModelError(
            .missingTextTower,
            "this method weighs visual tokens by the question, for which it needs CLIP's text tower, and \(why) one: name "
                + "the folder of the CLIP model (config.json with text_config, all weights, vocab.json, merges.txt) with "
                + "vision_tower (--vision-tower), or set relevance=none")
    }
}
