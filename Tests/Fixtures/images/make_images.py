#!/usr/bin/env python3
"""Makes one small picture per colour mode, shape and codec, and what Pillow makes of each.

Writes the pictures beside this script and expected.json: for every file its mode, size, and CRC-32 sums and samples of
the RGB samples, of the 336-pixel centre crop, of the padded square, and of a smaller crop. Needs Pillow and numpy:

    python make_images.py
"""

import json
import math
import os
import struct
import zlib

import numpy as np
from PIL import Image, ImageOps

HERE = os.path.dirname(os.path.abspath(__file__))
MEAN = [0.48145466, 0.4578275, 0.40821073]
STD = [0.26862954, 0.26130258, 0.27577711]
ENDINGS = (".png", ".jpg", ".webp", ".gif")
SIGNATURE = b"\x89PNG\r\n\x1a\n"


def scene(width, height, seed, noise=9):
    """A gradient, stripes that alias when scaled, a disc with a hard edge and some noise."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    u, v = x / max(width - 1, 1), y / max(height - 1, 1)
    picture = np.stack([255 * u, 255 * v, 255 * (1 - u) * v], -1)
    stripes = (np.floor(x / 3) + np.floor(y / 5)) % 2 == 0
    picture[stripes & (u > 0.6)] *= 0.3
    disc = (u - 0.4) ** 2 + (v - 0.55) ** 2 < 0.06
    picture[disc] = [250, 12, 128]
    picture += np.random.default_rng(seed).integers(-noise, noise + 1, picture.shape)
    return np.clip(np.rint(picture), 0, 255).astype(np.uint8)


def path(name):
    return os.path.join(HERE, name)


def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def packed(samples, depth):
    """Rows (height, samples per row) of `depth`-bit numbers as PNG stores them, unfiltered."""
    rows = []
    for row in samples:
        if depth == 16:
            body = row.astype(">u2").tobytes()
        else:
            bits = np.unpackbits(row.astype(np.uint8)[:, None], axis=1)[:, 8 - depth:].ravel()
            body = np.packbits(bits).tobytes()
        rows.append(b"\0" + body)
    return b"".join(rows)


def write_png(name, samples, depth, colour, extra=b"", interlaced=False):
    """A PNG of any bit depth and colour type; `samples` is (height, width) or (height, width, channels)."""
    if samples.ndim == 2:
        samples = samples[..., None]
    height, width, channels = samples.shape
    passes = [(0, 0, 1, 1)]
    if interlaced:  # Adam7: first column, first row, column step, row step
        passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
    data = b""
    for left, top, across, down in passes:
        part = samples[top::down, left::across]
        if part.size:
            data += packed(part.reshape(part.shape[0], -1), depth)
    with open(path(name), "wb") as file:
        file.write(SIGNATURE + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlaced)))
        file.write(extra + chunk(b"IDAT", zlib.compress(data, 9)) + chunk(b"IEND", b""))


def lzw(indices, bits):
    """Indices as the image data of a GIF.

    Codes of `bits` + 1 bits: after each few indices the table is cleared, so that codes never grow.
    """
    clear, width = 1 << bits, bits + 1
    codes = [clear]
    for start in range(0, len(indices), clear - 2):
        codes += [*indices[start:start + clear - 2], clear]
    codes += [clear + 1]
    value = sum(int(code) << (width * place) for place, code in enumerate(codes))
    data = value.to_bytes((width * len(codes) + 7) // 8, "little")
    blocks = [data[start:start + 255] for start in range(0, len(data), 255)]
    return bytes([bits]) + b"".join(bytes([len(block)]) + block for block in blocks) + b"\0"


def write_gif(name, screen, palette, frames):
    """A GIF; frames are (left, top, indices, local palette, transparent index, interlaced)."""

    def table(colours):
        return bytes(colours), (len(colours) // 3).bit_length() - 2

    data = b"GIF89a" + struct.pack("<HH", *screen)
    if palette is None:
        data += bytes([0, 0, 0])
    else:
        colours, size = table(palette)
        data += bytes([0x80 | size, 0, 0]) + colours
    for left, top, indices, local, transparent, interlaced in frames:
        height, width = indices.shape
        if transparent is not None:
            data += bytes([0x21, 0xF9, 4, 1, 10, 0, transparent, 0])
        data += bytes([0x21, 0xFE, 2]) + b"hi" + b"\0"
        flags = 0x40 if interlaced else 0
        colours = b""
        if local is not None:
            colours, size = table(local)
            flags |= 0x80 | size
        data += b"," + struct.pack("<HHHHB", left, top, width, height, flags) + colours
        if interlaced:
            indices = np.concatenate([indices[0::8], indices[4::8], indices[2::4], indices[1::2]])
        data += lzw([int(i) for i in indices.ravel()], 8)
    with open(path(name), "wb") as file:
        file.write(data + b";")


def write_gifs():
    """What of a GIF's first frame may differ."""
    small = scene(37, 29, 20)
    indices = small[..., 1] >> 2  # 64 values
    shades = (np.arange(64)[:, None] * np.array([3, 1, 4]) + [7, 90, 1]).astype(np.uint8).ravel()
    others = shades[::-1].copy()
    write_gif("gif_palette.gif", (37, 29), shades, [(0, 0, indices, None, None, False)])
    write_gif("gif_interlaced.gif", (37, 29), shades, [(0, 0, indices, None, None, True)])
    write_gif("gif_local_palette.gif", (37, 29), shades, [(0, 0, indices, others, None, False)])
    write_gif("gif_smaller_frame.gif", (50, 40), shades, [(7, 4, indices, None, None, False)])
    write_gif("gif_transparent.gif", (50, 40), shades, [(7, 4, indices, None, 9, False)])
    write_gif("gif_larger_frame.gif", (20, 50), shades, [(3, 2, indices, None, None, False)])
    write_gif("gif_short_palette.gif", (37, 29), shades[:48], [(0, 0, indices, None, None, False)])
    write_gif("gif_grey.gif", (37, 29), np.repeat(np.arange(64, dtype=np.uint8), 3), [(0, 0, indices, None, None, False)])
    write_gif("gif_no_palette.gif", (37, 29), None, [(0, 0, indices, None, None, False)])


def oriented(value):
    exif = Image.Exif()
    exif[0x0112] = value
    return exif


def write_pictures():
    small = scene(57, 43, 1)
    alpha = np.tile(np.linspace(0, 255, 57).astype(np.uint8), (43, 1))
    grey = small[..., 1]
    rgb = Image.fromarray(small)

    rgb.save(path("rgb.png"))
    Image.fromarray(np.dstack([small, alpha])).save(path("rgba.png"))
    Image.fromarray(grey).save(path("grey.png"))
    Image.merge("LA", (Image.fromarray(grey), Image.fromarray(alpha))).save(path("grey_alpha.png"))
    rgb.convert("1").save(path("bilevel.png"))
    rgb.quantize(200).save(path("palette.png"))
    rgb.quantize(13).save(path("palette_4bit.png"))
    rgb.quantize(64).save(path("palette_transparent.png"), transparency=5)
    rgb.save(path("rgb_transparent.png"), transparency=tuple(int(c) for c in small[3, 5]))
    write_png("grey_2bit.png", grey >> 6, 2, 0)
    write_png("grey_4bit.png", grey >> 4, 4, 0)
    write_png("grey_16bit.png", (grey.astype(np.uint16) * 3) ** 2 // 64, 16, 0)
    write_png("grey_alpha_16bit.png", np.dstack([grey, alpha]).astype(np.uint16) * 255 + 99, 16, 4)
    write_png("rgb_16bit.png", small.astype(np.uint16) * 200 + 77, 16, 2)
    write_png("rgba_16bit.png", np.dstack([small, alpha]).astype(np.uint16) * 256 + 3, 16, 6)
    palette = chunk(b"PLTE", bytes(range(10, 46)))  # 12 entries; the picture asks for 16
    write_png("palette_short.png", grey >> 4, 4, 3, extra=palette)
    write_png("interlaced_rgb.png", small, 8, 2, interlaced=True)
    write_png("interlaced_palette.png", grey >> 5, 4, 3, extra=palette, interlaced=True)
    write_png("gamma.png", small, 8, 2, extra=chunk(b"gAMA", struct.pack(">I", 100000)))

    wide = Image.fromarray(scene(123, 77, 2))
    wide.save(path("jpeg_420.jpg"), quality=90, subsampling=2)
    wide.save(path("jpeg_422.jpg"), quality=85, subsampling=1)
    wide.save(path("jpeg_444_progressive.jpg"), quality=93, subsampling=0, progressive=True)
    wide.save(path("jpeg_420_progressive.jpg"), quality=60, progressive=True)
    wide.save(path("jpeg_restarts.jpg"), quality=75, restart_marker_blocks=3)
    wide.convert("L").save(path("jpeg_grey.jpg"), quality=90)
    wide.convert("CMYK").save(path("jpeg_cmyk.jpg"), quality=92)
    wide.save(path("webp_lossy.webp"), quality=80)
    wide.save(path("webp_lossless.webp"), lossless=True)
    translucent = Image.fromarray(np.dstack([small, alpha]))
    translucent.save(path("webp_lossy_alpha.webp"), quality=70)
    translucent.save(path("webp_lossless_alpha.webp"), lossless=True, exact=True)

    small_jpeg = Image.fromarray(scene(40, 24, 3))
    for value in range(1, 9):
        small_jpeg.save(path(f"orientation_{value}.jpg"), quality=90, exif=oriented(value))
    small_jpeg.save(path("orientation_6.png"), exif=oriented(6))
    small_jpeg.save(path("orientation_3.webp"), lossless=True, exif=oriented(3))

    for width, height, seed in [
        (1, 1, 4), (3, 2, 5), (2, 3, 6), (9, 700, 7), (801, 11, 8), (336, 336, 9), (336, 401, 10), (450, 336, 11),
        (640, 480, 12), (333, 500, 13), (701, 201, 14), (335, 335, 15), (337, 339, 16),
    ]:
        picture = Image.fromarray(scene(width, height, seed, noise=2))
        if width * height < 10_000:
            picture.save(path(f"size_{width}x{height}.png"))
        else:
            picture.save(path(f"size_{width}x{height}.jpg"), quality=45)


def resize_and_crop(picture, edge, size):
    width, height = picture.size
    short, long = min(width, height), max(width, height)
    longest = edge * long // short
    target = (edge, longest) if width <= height else (longest, edge)
    resized = np.array(picture.resize(target, Image.Resampling.BICUBIC))
    top, left = (target[1] - size) // 2, (target[0] - size) // 2
    return np.ascontiguousarray(resized[top:top + size, left:left + size])


def padded(picture):
    width, height = picture.size
    side = max(width, height)
    square = Image.new("RGB", (side, side), tuple(int(255 * m) for m in MEAN))
    square.paste(picture, ((side - width) // 2, (side - height) // 2))
    return square


def sums(samples):
    """The CRC-32 of the samples and a few of them, so that a failure can be read."""
    height, width = samples.shape[:2]
    at = sorted({(width * i // 3 + width // 7, height * ((i * 2) % 3) // 3 + height // 9) for i in range(3)})
    at = [(x, y) for x, y in at if x < width and y < height]
    return {
        "width": width,
        "height": height,
        "crc32": zlib.crc32(samples.tobytes()),
        "samples": [[x, y, *(int(c) for c in samples[y, x])] for x, y in at],
    }


def expected(name):
    picture = Image.open(path(name))
    mode = picture.mode
    upright = ImageOps.exif_transpose(picture).convert("RGB")
    rgb = picture.convert("RGB")
    turned = {"upright": sums(np.array(upright))} if upright != rgb else {}
    return {
        "file": name,
        "mode": mode,
        "rgb": sums(np.array(rgb)),
        **turned,
        "crop": sums(resize_and_crop(rgb, 336, 336)),
        "pad": sums(resize_and_crop(padded(rgb), 336, 336)),
        "small": sums(resize_and_crop(rgb, 50, 42)),
    }


def normalisation():
    """The table of Hugging Face's rescaling and normalisation, and what it makes of one picture."""
    values = (np.arange(256, dtype=np.float64) * 0.00392156862745098).astype(np.float32)[:, None]
    table = (values - np.array(MEAN, np.float32)) / np.array(STD, np.float32)
    assert table.dtype == np.float32
    crop = resize_and_crop(Image.open(path("rgb.png")).convert("RGB"), 336, 336)
    floats = np.stack([table[crop[..., c], c] for c in range(3)])  # (3, 336, 336)
    side = 14
    per_side = 336 // side
    patches = floats.reshape(3, per_side, side, per_side, side).transpose(1, 3, 0, 2, 4)
    return {
        "file": "rgb.png",
        "table_crc32": zlib.crc32(table.tobytes()),
        "channels_first_crc32": zlib.crc32(floats.tobytes()),
        "patches_crc32": zlib.crc32(np.ascontiguousarray(patches).tobytes()),
    }


def main():
    for name in os.listdir(HERE):
        if name.endswith(ENDINGS):
            os.remove(path(name))
    write_pictures()
    write_gifs()
    names = sorted(n for n in os.listdir(HERE) if n.endswith(ENDINGS))
    manifest = {
        "made_with": f"Pillow {Image.__version__}",
        "pictures": [expected(name) for name in names],
        "normalisation": normalisation(),
    }
    with open(path("expected.json"), "w") as file:
        file.write("{\n")
        file.write(f' "made_with": {json.dumps(manifest["made_with"])},\n')
        file.write(f' "normalisation": {json.dumps(manifest["normalisation"])},\n')
        rows = ",\n  ".join(json.dumps(entry) for entry in manifest["pictures"])
        file.write(f' "pictures": [\n  {rows}\n ]\n}}\n')
    total = sum(os.path.getsize(path(n)) for n in names + ["expected.json"])
    print(f"{len(names)} pictures, {total} bytes, {math.ceil(total / 1024)} KiB")


if __name__ == "__main__":
    main()
