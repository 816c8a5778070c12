public import ImageDecoding
public import JobModel
public import JobVocabulary
public import Tensors
public import Tokenization

/// What turns a job's text and picture files into a model's input, and token ids back into text.
///
/// Never changes once read, so that pictures can be prepared on other threads while the model runs.
public protocol VisionLanguageProcessor: Sendable {
    /// Text to ids and back.
    var tokenizer: Tokenizer { get }

    /// Decodes, frames, resizes and normalises a picture file.
    ///
    /// - Parameters:
    ///   - name: What errors call the file; its path where it is nil.
    ///   - framing: How the picture becomes square; nil leaves that to the checkpoint. A model that takes pictures as they are
    ///     refuses all else.
    ///   - orientation: Which way up the picture is read.
    func prepare(
        path: String, name: String?, framing: PictureFraming?, orientation: PictureOrientation
    ) throws -> PictureInput

    /// The ids of an instruction under `template`, cut where its pictures go, if it is about any.
    ///
    /// - Parameter tag: What `<image>` in the instruction is; an error where nobody says and a template leaves it open.
    func prompt(
        _ instruction: String, template: PromptTemplate, tag: ImageTag?, pictures: Int
    ) throws -> MultimodalPrompt
}

extension VisionLanguageProcessor {
    /// Prepares a picture file that errors call by its path, turned as its EXIF data say unless told otherwise.
    public func prepare(
        path: String, framing: PictureFraming?, orientation: PictureOrientation = .exif
    ) throws -> PictureInput {
        try prepare(path: path, name: nil, framing: framing, orientation: orientation)
    }

    /// The ids of an instruction about one picture, unless told otherwise.
    public func prompt(
        _ instruction: String, template: PromptTemplate, tag: ImageTag? = nil, pictures: Int = 1
    ) throws -> MultimodalPrompt {
        try prompt(instruction, template: template, tag: tag, pictures: pictures)
    }
}

/// A picture ready for a model.
public struct PictureInput: Sendable {
    /// A tile of a picture, ready for the tower.
    public struct Tile: Sendable {
        /// `(patches, 3·patch²)` f32.
        public let patches: Tensor
        /// Where the tile lies on the picture.
        public let geometry: PictureGeometry
    }

    /// What the tower sees of it: one tile, or in LLaVA-NeXT several, the one that shows all of the picture first.
    public let tiles: [Tile]
    /// How the picture lies on them.
    public let tiling: PictureTiling
    /// SHA-256 of the picture file, in hexadecimal.
    public let sha256: String
    /// What was wrong with the picture file though every pixel was there.
    public let notes: [PictureNote]
    /// The EXIF orientation, 1 to 8, that the picture was turned by; 1 if it lies as its file stores it.
    public let orientation: UInt8
}
