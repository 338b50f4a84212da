"""Pictures as small as they look: a plot needs few colours, so its PNG is stored with a palette, a third of the size."""
import base64
import io

from PIL import Image

COLOURS = 256


def with_palette(png):
    """The same picture (bytes of a PNG) with a palette; as it was if it has one, lets the page shine through, or would not shrink."""
    picture = Image.open(io.BytesIO(png))
    if picture.mode == "P" or picture.convert("RGBA").getextrema()[3][0] < 255:
        return png
    small = io.BytesIO()
    palette = picture.convert("RGB").quantize(COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    palette.save(small, format="png", optimize=True)
    return min(png, small.getvalue(), key=len)


def shrink(cell):
    """Stores the pictures that a code cell put out with palettes."""
    for output in cell.outputs:
        data = output.get("data", {})
        if "image/png" in data:
            data["image/png"] = base64.encodebytes(with_palette(base64.b64decode(data["image/png"]))).decode()
