private import Crypto
import Foundation
public import ImageDecoding
public import Tensors
public import Tokenization

/// What turns a job's text and picture file into the model's input, and token ids back into text.
///
/// Never changes once read, so that pictures can be prepared on other threads while the model runs.
public struct LLaVAProcessor: Sendable {
    /// The sizes of the model that the inputs are for.
    public let configuration: LLaVAConfiguration
    /// Text to ids and back.
    public let tokenizer: Tokenizer
    private let preprocessing: PicturePreprocessing
    private let normalisation: PixelNormalisation

    /// Reads tokenizer and preprocessing settings of the checkpoint in `directory`.
    public init(directory: String, visionTower: String? = nil, configuration: LLaVAConfiguration) throws {
        self.configuration = configuration
        tokenizer = try Tokenizer(
            directory: URL(fileURLWithPath: directory, isDirectory: true), imageID: configuration.imageToken)
        guard tokenizer.pieceCount <= configuration.text.vocabulary else {
            throw ModelError(
                .vocabularyMismatch,
                "\(tokenizer.file) has \(tokenizer.pieceCount) pieces, the model embeds \(configuration.text.vocabulary); "
                    + "take tokenizer and weights from one checkpoint")
        }
        preprocessing = try PictureSettings.preprocessing(
            of: [directory, LLaVAConfiguration.towerDirectory(of: directory, given: visionTower)],
            imageSize: configuration.vision.imageSize)
        normalisation = try PixelNormalisation(preprocessing)
    }

    /// A picture ready for the tower.
    public struct PreparedInput: Sendable {
        /// `(patches, 3·patch²)` f32.
        public let patches: Tensor
        /// Where the model's square lies on the picture.
        public let geometry: PictureGeometry
        /// SHA-256 of the picture file, in hexadecimal.
        public let sha256: String
        /// What was wrong with the picture file though every pixel was there.
        public let notes: [PictureNote]
    }

    /// Decodes, frames, resizes and normalises a picture file.
    ///
    /// - Parameter name: what errors call the file; its path unless told otherwise.
    public func prepare(
        path: String, name: String? = nil, framing: PicturePreprocessing.Framing
    ) throws -> PreparedInput {
        try configuration.check(framing)
        let bytes: [UInt8]
        let picture: Picture
        do {
            bytes = try Picture.bytes(of: URL(fileURLWithPath: path))
            picture = try Picture(decoding: bytes)
        } catch {
            throw error.naming(name ?? path)
        }
        var settings = preprocessing
        settings.framing = framing
        let prepared = try PreparedPicture(picture, settings: settings)
        let side = configuration.vision.patchSize
        return PreparedInput(
            patches: Tensor(
                normalisation.patches(prepared, side: side), shape: [configuration.vision.patches, 3 * side * side]),
            geometry: prepared.geometry, sha256: SHA256.hash(data: bytes).hexadecimal,
            notes: picture.notes)
    }

    /// The ids of an instruction under `template`, cut where its pictures go, if it is about any.
    ///
    /// - Parameter tag: What `<image>` in the instruction is; an error where nobody says and a template leaves it open.
    public func prompt(
        _ instruction: String, template: PromptTemplate, tag: ImageTag? = nil, pictures: Int = 1
    ) throws -> MultimodalPrompt {
        guard template == .none || tag != nil || !instruction.contains(PromptTemplate.imageTag) else {
            throw ModelError(
                .malformedPrompt,
                "the prompt holds <image>: say with image_tag, or --image-tag, whether it is where a picture goes ('place') or "
                    + "text like any other ('text')")
        }
        let rendered = template.render(instruction, pictures: pictures, tag: tag)
        let ids = try tokenizer.encode(rendered.text, pictures: rendered.pictures)
        return try MultimodalPrompt(
            ids: ids, imageToken: configuration.imageToken, pictures: pictures,
            visualTokens: configuration.visualTokens,
            question: MultimodalPrompt.question(
                of: instruction, without: template != .none && tag == .text ? nil : tokenizer.imageText))
    }
}
