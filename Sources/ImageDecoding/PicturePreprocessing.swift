public import JobVocabulary

/// How a picture becomes the model's input: the numbers of `preprocessor_config.json`.
///
/// The defaults are those of LLaVA-1.5's tower, CLIP ViT-L/14 at 336 pixels.
public struct PicturePreprocessing: Equatable, Sendable {
    /// What happens to the sides of a picture that is not square: `crop` scales the shorter one to `shortestEdge`, `pad`
    /// fills up with `padding`.
    public var framing: PictureFraming
    /// The length the shorter side is scaled to, in pixels (`size.shortest_edge`).
    public var shortestEdge: Int
    /// The side of the square that the tower sees, in pixels (`crop_size`).
    public var cropSize: Int
    /// What a sample of 0…255 is multiplied with first (`rescale_factor`).
    public var rescaleFactor: Double
    /// The mean subtracted from each channel (`image_mean`).
    public var mean: [Double]
    /// What each channel is divided by (`image_std`).
    public var standardDeviation: [Double]
    /// The colour that `pad` fills with; the original code uses the mean colour, rounded down.
    public var padding: [UInt8]

    /// The given settings; by default those of LLaVA-1.5.
    public init(
        framing: PictureFraming = .crop, shortestEdge: Int = 336, cropSize: Int = 336,
        rescaleFactor: Double = 0.00392156862745098,
        mean: [Double] = [0.48145466, 0.4578275, 0.40821073],
        standardDeviation: [Double] = [0.26862954, 0.26130258, 0.27577711],
        padding: [UInt8] = [122, 116, 104]
    ) {
        self.framing = framing
        self.shortestEdge = shortestEdge
        self.cropSize = cropSize
        self.rescaleFactor = rescaleFactor
        self.mean = mean
        self.standardDeviation = standardDeviation
        self.padding = padding
    }

    /// Refuses settings that cannot be carried out.
    public func check() throws(ImageError) {
        func refuse(_ message: String) -> ImageError {
            ImageError(.badSettings, "\(message); correct preprocessor_config.json")
        }
        guard (1...8192).contains(cropSize), (cropSize...8192).contains(shortestEdge) else {
            throw refuse("a crop of \(cropSize) from a shortest edge of \(shortestEdge) pixels is not possible")
        }
        guard mean.count == 3, standardDeviation.count == 3, padding.count == 3 else {
            throw refuse("image_mean and image_std need three values each, one per channel")
        }
        guard (mean + [rescaleFactor]).allSatisfy(\.isFinite),
            standardDeviation.allSatisfy({ $0.isFinite && Float($0) > 0 })
        else {
            throw refuse("image_mean, image_std and rescale_factor must be finite and image_std above zero")
        }
    }
}
