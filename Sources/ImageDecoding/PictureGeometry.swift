internal import JobVocabulary

/// Where the model's square lies on the source picture, so that tokens can be drawn back onto it.
///
/// A position p of the square, in pixels, lies at `(p + cropOffset) / resized * framed - paddingOffset` on the source.
/// The square may reach beyond the picture, where it is a tile of a canvas that the picture does not fill.
public struct PictureGeometry: Equatable, Sendable {
    /// Columns of the decoded picture.
    public let sourceWidth: Int
    /// Rows of the decoded picture.
    public let sourceHeight: Int
    /// Columns to the left of the source in the padded square; 0 without padding.
    public let paddingX: Int
    /// Rows above the source in the padded square; 0 without padding.
    public let paddingY: Int
    /// Columns after padding, before resizing.
    public let framedWidth: Int
    /// Rows after padding, before resizing.
    public let framedHeight: Int
    /// Columns after resizing.
    public let resizedWidth: Int
    /// Rows after resizing.
    public let resizedHeight: Int
    /// The first column of the square within the resized picture; negative to the left of it.
    public let cropX: Int
    /// The first row of the square within the resized picture; negative above it.
    public let cropY: Int
    /// The side of the square.
    public let size: Int

    /// The geometry of a picture of the given size under `settings`.
    init(width: Int, height: Int, settings: PicturePreprocessing) {
        sourceWidth = width
        sourceHeight = height
        let side = max(width, height)
        let pads = settings.framing == .pad
        framedWidth = pads ? side : width
        framedHeight = pads ? side : height
        paddingX = pads ? (side - width) / 2 : 0
        paddingY = pads ? (side - height) / 2 : 0
        // The longer side is rounded down, as Hugging Face does it.
        let longest = settings.shortestEdge * max(framedWidth, framedHeight) / min(framedWidth, framedHeight)
        resizedWidth = framedWidth <= framedHeight ? settings.shortestEdge : longest
        resizedHeight = framedWidth <= framedHeight ? longest : settings.shortestEdge
        cropX = (resizedWidth - settings.cropSize) / 2
        cropY = (resizedHeight - settings.cropSize) / 2
        size = settings.cropSize
    }
}
