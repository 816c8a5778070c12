private import Crypto
import Foundation
public import ImageDecoding
public import JobModel
public import JobVocabulary
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
            imageSize: configuration.vision.imageSize, isTiled: configuration.anyResolution != nil)
        normalisation = try PixelNormalisation(preprocessing)
    }

    /// A tile of a picture, ready for the tower.
    public struct PreparedTile: Sendable {
        /// `(patches, 3·patch²)` f32.
        public let patches: Tensor
        /// Where the tile lies on the picture.
        public let geometry: PictureGeometry
    }

    /// A picture ready for the tower.
    public struct PreparedInput: Sendable {
        /// What the tower sees of it: one tile, or in LLaVA-NeXT several, the one that shows all of the picture first.
        public let tiles: [PreparedTile]
        /// How the picture lies on them.
        public let tiling: PictureTiling
        /// SHA-256 of the picture file, in hexadecimal.
        public let sha256: String
        /// What was wrong with the picture file though every pixel was there.
        public let notes: [PictureNote]
        /// The EXIF orientation, 1 to 8, that the picture was turned by; 1 if it lies as its file stores it.
        public let orientation: UInt8
    }

    /// Decodes, frames, resizes and normalises a picture file.
    ///
    /// - Parameters:
    ///   - name: What errors call the file; its path unless told otherwise.
    ///   - framing: How the picture becomes square; nil leaves that to the checkpoint. LLaVA-NeXT takes nil only.
    ///   - orientation: Which way up the picture is read.
    public func prepare(
        path: String, name: String? = nil, framing: PictureFraming?, orientation: PictureOrientation = .exif
    ) throws -> PreparedInput {
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
        return PreparedInput(
            tiles: tiles.map { tile in
                PreparedTile(
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
            visualTokens: configuration.anyResolution == nil ? configuration.visualTokens : nil,
            question: MultimodalPrompt.question(
                of: instruction, without: template != .none && tag == .text ? nil : tokenizer.imageText))
    }
}
