/// Which way up a picture is: the EXIF tag 0x0112, with its eight values.
enum Orientation: Int, Sendable {
    case upright = 1
    case mirrored, halfTurn, mirroredHalfTurn, transposed, quarterTurn, transversed, threeQuarterTurn

    /// The orientation a file asks for; upright when it says nothing, or nothing that makes sense.
    init(of bytes: UnsafeRawBufferPointer, format: PictureFormat) {
        let block: Slice<UnsafeRawBufferPointer>? =
            switch format {
            case .jpeg: exifBlock(ofJPEG: bytes)
            case .png: exifBlock(ofPNG: bytes)
            case .webp: exifBlock(ofWebP: bytes)
            case .gif: nil
            }
        self = block.flatMap(orientationTag).flatMap(Orientation.init) ?? .upright
    }
}

extension Picture {
    /// The picture turned so that it is seen as `orientation` asks; Pillow's `exif_transpose`.
    func turned(_ orientation: Orientation) -> Picture {
        guard orientation != .upright else { return self }
        let swaps = orientation.rawValue >= Orientation.transposed.rawValue
        let (columns, rows) = swaps ? (height, width) : (width, height)
        var turned = [UInt8]()
        turned.reserveCapacity(pixels.count)
        for y in 0..<rows {
            for x in 0..<columns {
                let (sourceX, sourceY) =
                    switch orientation {
                    case .upright: (x, y)
                    case .mirrored: (width - 1 - x, y)
                    case .halfTurn: (width - 1 - x, height - 1 - y)
                    case .mirroredHalfTurn: (x, height - 1 - y)
                    case .transposed: (y, x)
                    case .quarterTurn: (y, height - 1 - x)
                    case .transversed: (width - 1 - y, height - 1 - x)
                    case .threeQuarterTurn: (width - 1 - y, x)
                    }
                let start = (sourceY * width + sourceX) * 3
                turned.append(contentsOf: pixels[start..<start + 3])
            }
        }
        return Picture(
            width: columns, height: rows, pixels: turned, mode: mode, notes: notes,
            orientation: UInt8(orientation.rawValue))
    }
}

/// The TIFF structure inside the first APP1 segment that is EXIF.
private func exifBlock(ofJPEG bytes: UnsafeRawBufferPointer) -> Slice<UnsafeRawBufferPointer>? {
    var position = 2
    while position + 4 <= bytes.count, bytes[position] == 0xFF {
        let marker = bytes[position + 1]
        if marker == 0xFF {  // padding before a marker
            position += 1
            continue
        }
        let length = Int(bytes[position + 2]) << 8 | Int(bytes[position + 3])
        let end = position + 2 + length
        guard marker != 0xDA, marker != 0xD9, length >= 2, end <= bytes.count else { return nil }
        let body = bytes[position + 4..<end]
        if marker == 0xE1, body.starts(with: Array("Exif\0\0".utf8)) { return body.dropFirst(6) }
        position = end
    }
    return nil
}

/// The body of the eXIf chunk.
private func exifBlock(ofPNG bytes: UnsafeRawBufferPointer) -> Slice<UnsafeRawBufferPointer>? {
    var position = 8
    while position + 12 <= bytes.count {
        let length = (0..<4).reduce(0) { $0 << 8 | Int(bytes[position + $1]) }
        guard length <= bytes.count - position - 12 else { return nil }
        let body = bytes[position + 8..<position + 8 + length]
        if bytes[position + 4..<position + 8].elementsEqual("eXIf".utf8) { return body }
        position += length + 12
    }
    return nil
}

/// The body of the EXIF chunk, with or without JPEG's six leading bytes.
private func exifBlock(ofWebP bytes: UnsafeRawBufferPointer) -> Slice<UnsafeRawBufferPointer>? {
    var position = 12
    while position + 8 <= bytes.count {
        let length = (0..<4).reduce(0) { $0 | Int(bytes[position + 4 + $1]) << (8 * $1) }
        guard length <= bytes.count - position - 8 else { return nil }
        let body = bytes[position + 8..<position + 8 + length]
        if bytes[position..<position + 4].elementsEqual("EXIF".utf8) {
            return body.starts(with: Array("Exif\0\0".utf8)) ? body.dropFirst(6) : body
        }
        position += 8 + length + length % 2
    }
    return nil
}

/// The value of tag 0x0112 in the first directory of a TIFF structure, nil if there is none.
private func orientationTag(_ tiff: Slice<UnsafeRawBufferPointer>) -> Int? {
    let bigEndian: Bool
    if tiff.starts(with: [0x4D, 0x4D, 0x00, 0x2A]) {
        bigEndian = true
    } else if tiff.starts(with: [0x49, 0x49, 0x2A, 0x00]) {
        bigEndian = false
    } else {
        return nil
    }
    func number(at offset: Int, bytes: Int) -> Int? {
        guard offset >= 0, offset <= tiff.count - bytes else { return nil }
        let digits = tiff[tiff.startIndex + offset..<tiff.startIndex + offset + bytes]
        return bigEndian
            ? digits.reduce(0) { $0 << 8 | Int($1) } : digits.reversed().reduce(0) { $0 << 8 | Int($1) }
    }
    guard let directory = number(at: 4, bytes: 4), let entries = number(at: directory, bytes: 2) else { return nil }
    for entry in 0..<entries {
        let start = directory + 2 + entry * 12
        guard let tag = number(at: start, bytes: 2), let type = number(at: start + 2, bytes: 2) else { return nil }
        if tag == 0x0112, type == 3 { return number(at: start + 8, bytes: 2) }
    }
    return nil
}
