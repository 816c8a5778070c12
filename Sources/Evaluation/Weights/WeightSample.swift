import Foundation
import Generation
public import JobModel
import Tensors
public import VisionLanguage

/// Prompts with pictures on which a model is tried with different weights.
public struct WeightSample {
    /// One prompt.
    public struct Prompt {
        /// What it is called.
        public let id: String
        let prompt: MultimodalPrompt
        let pictures: [Picture]
    }

    /// What the tower sees of a picture, and how the picture lies on it.
    struct Picture {
        let tiles: [Tensor]
        let tiling: PictureTiling
    }

    /// The prompts that models are tried on, in the order of their items.
    public let prompts: [Prompt]

    /// The first `limit` items of a batch that are about a picture.
    public init(_ batch: BatchDescription, processor: any VisionLanguageProcessor, limit: Int) throws {
        prompts = try Item.all(of: batch.itemSource).filter { !$0.images.isEmpty }.prefix(limit).map { item in
            Prompt(
                id: item.id.rawValue, prompt: try processor.prompt(of: item, in: batch),
                pictures: try item.images.map { image in
                    let picture = try processor.picture(image, in: batch)
                    return Picture(tiles: picture.tiles.map(\.patches), tiling: picture.tiling)
                })
        }
        guard !prompts.isEmpty else {
            throw EvaluationError(.missingData, "\(batch.items) has no item about a picture")
        }
    }

    /// Made-up pictures of one tile each, soft shapes on a gradient that depend on nothing but their number, with everyday
    /// questions.
    public init(madeUp count: Int, processor: any VisionLanguageProcessor, configuration: LLaVAConfiguration) throws {
        let questions = [
            "What color is the largest shape?", "How many shapes are there?", "Is there anything on the left?",
            "Describe the picture.", "What is in the middle?", "Is the picture bright or dark?",
        ]
        let side = configuration.vision.side, size = configuration.vision.patchSize
        prompts = try (0..<count).map { number in
            Prompt(
                id: "made-up-\(number)",
                prompt: try processor.prompt(questions[number % questions.count], template: .vicunaV1),
                pictures: [
                    Picture(tiles: [Self.picture(number, side: side, patch: size)], tiling: PictureTiling(side: side))
                ])
        }
    }

    /// `(side², 3·patch²)`, normalised as pictures are: channel by channel within a patch.
    private static func picture(_ number: Int, side: Int, patch: Int) -> Tensor {
        let pixels = side * patch
        func value(_ channel: Int, _ x: Double, _ y: Double) -> Float {
            let seed = Double(number + 1)
            var sum = sin(seed + Double(channel)) * x + cos(seed * 1.7 + Double(channel)) * y
            for shape in 0..<3 {
                let angle = seed * 2.4 + Double(shape) * 2.1
                let dx = x - 0.5 - 0.3 * cos(angle), dy = y - 0.5 - 0.3 * sin(angle * 1.3)
                let radius = 0.08 + 0.05 * Double(shape)
                sum +=
                    1.5 * sin(seed + Double(shape * 3 + channel))
                    / (1 + exp((dx * dx + dy * dy - radius * radius) * 600))
            }
            return Float(sum)
        }
        var numbers: [Float] = []
        numbers.reserveCapacity(3 * pixels * pixels)
        for row in 0..<side {
            for column in 0..<side {
                for channel in 0..<3 {
                    for y in 0..<patch {
                        for x in 0..<patch {
                            numbers.append(
                                value(
                                    channel, Double(column * patch + x) / Double(pixels),
                                    Double(row * patch + y) / Double(pixels)))
                        }
                    }
                }
            }
        }
        return Tensor(numbers, shape: [side * side, 3 * patch * patch])
    }
}
