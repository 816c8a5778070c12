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
        preprocessing = try PicturePreprocessing(
            directories: [directory, visionTower].compactMap { $0 }, imageSize: configuration.vision.imageSize)
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

    /// The ids of an instruction under `template`, cut where the picture goes, if it is about one.
    ///
    /// - Parameter tag: What `<image>` in the instruction is; an error where nobody says and a template leaves it open.
    public func prompt(
        _ instruction: String, template: PromptTemplate, tag: ImageTag? = nil, hasPicture: Bool = true
    ) throws -> MultimodalPrompt {
        guard template == .none || tag != nil || !instruction.contains(PromptTemplate.imageTag) else {
            throw ModelError(
                .malformedPrompt,
                "the prompt holds <image>: say with image_tag, or --image-tag, whether it is where the picture goes ('place') or "
                    + "text like any other ('text')")
        }
        let rendered = template.render(instruction, hasPicture: hasPicture, tag: tag)
        let ids = try tokenizer.encode(rendered.text, pictures: rendered.pictures)
        guard hasPicture else { return try MultimodalPrompt(textIDs: ids, imageToken: configuration.imageToken) }
        return try MultimodalPrompt(
            ids: ids, imageToken: configuration.imageToken, visualTokens: configuration.visualTokens,
            question: MultimodalPrompt.question(
                of: instruction, without: template != .none && tag == .text ? nil : tokenizer.imageText))
    }
}

extension PicturePreprocessing {
    /// The settings of the first of `directories` that has any; the defaults of CLIP for `imageSize` elsewhere.
    fileprivate init(directories: [String], imageSize: Int) throws {
        for directory in directories {
            for (name, section) in [("preprocessor_config.json", nil), ("processor_config.json", "image_processor")] {
                let path = directory + "/" + name
                guard FileManager.default.fileExists(atPath: path) else { continue }
                let file = try ConfigurationFile(path: path)
                guard let settings = section.map({ file.section($0) }) ?? file else { continue }
                try self.init(settings, imageSize: imageSize)
                return
            }
        }
        self.init(shortestEdge: imageSize, cropSize: imageSize)
    }

    private init(_ file: ConfigurationFile, imageSize: Int) throws {
        let standard = PicturePreprocessing()
        let edge = try file.section("size")?.integer("shortest_edge", default: imageSize, in: 1...8192)
        let crop = try file.section("crop_size")?.integer("height", default: imageSize, in: 1...8192)
        try self.init(
            shortestEdge: edge ?? file.integer("size", default: imageSize, in: 1...8192),
            cropSize: crop ?? file.integer("crop_size", default: imageSize, in: 1...8192),
            rescaleFactor: file.positive("rescale_factor", default: standard.rescaleFactor),
            mean: file.numbers("image_mean", default: standard.mean),
            standardDeviation: file.numbers("image_std", default: standard.standardDeviation))
        do { try check() } catch { throw error.naming(file.path) }
        _ = try file.integer("resample", default: 3, in: 3...3)  // bicubic
        for key in ["do_resize", "do_center_crop", "do_rescale", "do_normalize"]
        where try !file.flag(key, default: true) {
            throw ModelError(.malformedConfiguration, "\(file.path): \(key) is false; LLaVA-1.5 needs it")
        }
        guard cropSize == imageSize else {
            throw ModelError(
                .malformedConfiguration,
                "\(file.path) crops pictures to \(cropSize) pixels, the vision tower takes \(imageSize); "
                    + "do the files belong together?")
        }
    }
}
