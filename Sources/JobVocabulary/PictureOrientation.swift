/// Which way up a picture is read.
///
/// The raw values stand in batch files, on the command line and in shards.
public enum PictureOrientation: String, Codable, Sendable, CaseIterable {
    /// Turned upright as the EXIF orientation in the file says: how every viewer shows it.
    case exif
    /// Rows and columns as they are stored: LLaVA's own code and Hugging Face's image processor read it so.
    case asStored = "as-stored"
}
