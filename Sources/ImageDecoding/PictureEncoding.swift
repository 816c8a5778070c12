private import CImageCodecs
private import Glibc

extension Picture {
    /// The picture as a PNG file.
    public func png() throws(ImageError) -> [UInt8] {
        try encoded { pixels, bytes, count in
            codec_png_encode(pixels, UInt32(width), UInt32(height), bytes, count)
        }
    }

    /// The picture as a lossy WebP file, for pages and thumbnails; sides are at most 16,383 pixels.
    ///
    /// - Parameter quality: From 0 to 100.
    public func webP(quality: Float) throws(ImageError) -> [UInt8] {
        try encoded { pixels, bytes, count in
            codec_webp_encode(pixels, UInt32(width), UInt32(height), quality, bytes, count)
        }
    }

    private func encoded(
        _ encode: (UnsafePointer<UInt8>?, UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?>, UnsafeMutablePointer<Int>)
            -> Int32
    ) throws(ImageError) -> [UInt8] {
        var bytes: UnsafeMutablePointer<UInt8>?
        var count = 0
        let status = pixels.withUnsafeBufferPointer { encode($0.baseAddress, &bytes, &count) }
        defer { free(bytes) }
        guard status == Int32(CODEC_OK.rawValue) else {
            throw ImageError(
                .outOfMemory, "a picture of \(width)×\(height) pixels cannot be written as a file; make it smaller")
        }
        return Array(UnsafeBufferPointer(start: bytes, count: count))
    }
}
