/// What happens to the sides of a picture that is not square; the raw values are the words of `image_mode`.
public enum PictureFraming: String, Codable, Sendable, CaseIterable {
    /// Scale the shorter side and cut out the centre: Hugging Face's default.
    case crop
    /// Fill up to a square first: the original LLaVA code, and every published benchmark number.
    case pad
}
