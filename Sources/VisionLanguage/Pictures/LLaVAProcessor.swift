private import Crypto
import Foundation
import ImageDecoding
public import JobModel
public import JobVocabulary
import Tensors
public import Tokenization

/// The processor of LLaVA-1.5 and LLaVA-NeXT: a picture becomes one tile, or the tiles of a canvas.
public struct LLaVAProcessor: VisionLanguageProcessor {
    /// The sizes of the model that the inputs are for.
    public let configuration: LLaVAConfiguration
    /// Text to ids and back.
    public let tokenizer: Tokenizer
    private let preprocessing: PicturePreprocessing
    private let normalisation: PixelNormalisation

    /// Reads tokenizer and preprocessing settings of the checkpoint in `directory`.
    public init(directory: String, visionTower: String? = nil, configuration: LLaVAConfiguration) throws {
        self.configuration = configuration
        let settings = directory + "/tokenizer_config.json"
        if FileManager.default.fileExists(atPath: settings) {
            try CheckpointSettings.check(tokenizer: ConfigurationFile(path: settings))
        }
        tokenizer = try Tokenizer(
            directory: URL(fileURLWithPath: directory, isDirectory: true), imageID: configuration.imageToken)
        guard tokenizer.pieceCount <= configuration.text.vocabulary else {
            throw ModelError(
                .vocabularyMismatch,
                "the tokenizer has \(tokenizer.pieceCount) pieces, the model embeds \(configuration.text.vocabulary); "
                    + "take tokenizer and weights from one checkpoint", at: tokenizer.file)
        }
        preprocessing = try PictureSettings.preprocessing(
            of: [directory, LLaVAConfiguration.towerDirectory(of: directory, given: visionTower)],
            imageSize: configuration.vision.imageSize, isTiled: configuration.anyResolution != nil)
        normalisation = try PixelNormalisation(preprocessing)
    }

    /// Decodes a picture file and cuts it into one tile, or into those of a canvas; LLaVA-NeXT takes a framing of nil only.
    public func prepare(
        path: String, name: String?, framing: PictureFraming?, orientation: PictureOrientation
    ) throws -> PictureInput {
        if let framing { try configuration.check(framing) }
        let bytes: [UInt8]
        let picture: Picture
        do {
            bytes = try Picture.bytes(of: URL(fileURLWithPath: path))
            picture = try Picture(
                decoding: bytes, options: DecodingOptions(appliesOrientation: orientation == .exif))
        } catch {
            throw error.naming(name ?? path)
        }
        let (tiles, tiling) = try tiles(of: picture, framing: framing ?? configuration.usualFraming)
        let side = configuration.vision.patchSize
        return PictureInput(
            tiles: tiles.map { tile in
                PictureInput.Tile(
                    patches: Tensor(
                        normalisation.patches(tile, side: side),
                        shape: [configuration.vision.patches, 3 * side * side]),
                    geometry: tile.geometry)
            },
            tiling: tiling, sha256: SHA256.hash(data: bytes).hexadecimal, notes: picture.notes,
            orientation: picture.orientation)
    }

    private func tiles(
        of picture: Picture, framing: PictureFraming
    ) throws -> (tiles: [PreparedPicture], tiling: PictureTiling) {
        let vision = configuration.vision
        guard let anyResolution = configuration.anyResolution else {
            var settings = preprocessing
            settings.framing = framing
            return ([try PreparedPicture(picture, settings: settings)], PictureTiling(side: vision.side))
        }
        let tiled = TiledPicture(picture, canvases: anyResolution.canvases, tile: vision.imageSize)
        return (tiled.tiles, configuration.tiling(width: picture.width, height: picture.height))
    }

    /// The ids of an instruction under `template`, cut where its pictures go.
    public func prompt(
        _ instruction: String, template: PromptTemplate, tag: ImageTag?, pictures: Int
    ) throws -> MultimodalPrompt {
        guard template == .none || tag != nil || !instruction.contains(PromptTemplate.imageTag) else {
            throw ModelError(
                .malformedPrompt,
                "the prompt holds <image>: say with image_tag, or --image-tag, whether it is where a picture goes ('place') or "
                    + "ordinary text ('text')")
        }
        let rendered = template.render(instruction, pictures: pictures, tag: tag)
        let ids = try tokenizer.encode(rendered.text, pictures: rendered.pictures)
        return try MultimodalPrompt(
            ids: ids, imageToken: configuration.imageToken, pictures: pictures,
            visualTokens: configuration.anyResolution == nil ? configuration.visualTokens : nil,
            question: MultimodalPrompt.question(
                of: instruction, without: template != .none && tag == .text ? nil : tokenizer.imageText))
    }
}
