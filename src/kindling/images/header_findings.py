"""Say what is unusual about images by their headers, and what becomes of their size and numbers."""

from collections import Counter
from collections.abc import Callable, Sequence

from kindling.errors import Problem
from kindling.fixes import Fix, Setting
from kindling.images.file_types import SUFFIXES
from kindling.images.image_schema import (
    BYTES,
    MAX_SIZE_PX,
    MIN_SIZE_PX,
    ImageHeader,
    ImageOptions,
    ImageSchema,
)
from kindling.images.listing import ListedImage, problems_by_rule

Pairs = Sequence[tuple[ListedImage, ImageHeader]]
MIN_STEPS = 128  # of 256 steps of grey: with fewer, a bit or more of them is unused


def header_faults(
    entries: Sequence[ListedImage], headers: Sequence[ImageHeader | None], options: ImageOptions
) -> list[Problem]:
    """Find images whose bands are not those of most others, where all bands are to be taken."""
    pairs = _known(entries, headers)
    counts = Counter(header.bands for _, header in pairs)
    if options.channels or options.bands or set(counts) <= {1, 3}:
        return []
    (usual, _), *others = counts.most_common()
    rule = f"all images must have as many bands as most, {usual}"
    names = [f"{e.name} ({h.bands})" for e, h in pairs if h.bands != usual]
    fix = ("take them out", Setting("data.channels", 3, "to take the first three of each"))
    return problems_by_rule({rule: (names, fix)}, "D441") if others else []


def unusual_headers(
    entries: Sequence[ListedImage],
    headers: Sequence[ImageHeader | None],
    schema: ImageSchema,
    options: ImageOptions,
) -> list[Problem]:
    """Find files that can be used, but are not quite what one expects."""
    pairs = _known(entries, headers)
    size = (schema.height, schema.width)

    def named(is_unusual: Callable[[ImageHeader], object], form: str = "{0}x{1}") -> list[str]:
        return [
            f"{e.name} ({form.format(*h, *inner_size(h, schema))})"
            for e, h in pairs
            if is_unusual(h)
        ]

    taken = schema.bands or (1, 2, 3)
    rules: list[tuple[str, str, list[str], Fix]] = [
        (
            "D413",
            f"images should have the size that is learnt from, {size[0]}x{size[1]} pixels",
            named(lambda h: (h.height, h.width) != size),
            (
                f"nothing: they are resized by data.fit={schema.fit}",
                Setting("data.size", ..., "[height,width] for another size"),
            ),
        ),
        (
            "D414",
            "an image file should hold a single image",
            [e.name for e, h in pairs if h.has_more_frames and h.format != "JPEG"],
            (
                f"nothing: frame or page {schema.page} is taken, the others are left out",
                Setting("data.pages", schema.page + 1, "for the next one"),
                "save them as files of their own if you need all",
            ),
        ),
        (
            "D445",
            "a JPEG should hold a single image",
            [e.name for e, h in pairs if h.has_more_frames and h.format == "JPEG"],
            "the photo is taken; previews and maps of depth or light are left out",
        ),
        (
            "D415",
            "an image should hold the format that its name says",
            [
                f"{e.name} ({h.format})"
                for e, h in pairs
                if h.format != SUFFIXES.get(e.file.suffix.lower())
            ],
            "read by their content; rename them for other programs",
        ),
        (
            "D416",
            f"both sides of an image should have {MIN_SIZE_PX} pixels or more",
            named(lambda h: min(h.height, h.width) < MIN_SIZE_PX),
            "take them out if they show nothing",
        ),
        (
            "D416",
            f"both sides of an image should keep {MIN_SIZE_PX} pixels or more when it is resized",
            named(lambda h: _becomes_narrow(h, schema), "{0}x{1} becomes {8}x{9}"),
            (
                Setting("data.size", ..., "[height,width] with a larger short side"),
                Setting("data.fit", "stretch"),
            ),
        ),
        (
            "D444",
            "all bands of an image should be taken",
            named(lambda h: not options.bands and h.bands > max(3, *taken), "{6} bands")
            + named(lambda h: not schema.bands and h.bands == 2, "{6} bands"),
            (f"nothing: {_taken(schema)}", Setting("data.channels", "auto", "to take all")),
        ),
        (
            "D443",
            "all images should have one bit depth",
            named(lambda h: not schema.samples and h.samples != _usual(pairs), "{5}"),
            _both_scaled(schema),
        ),
    ]
    return [
        problem
        for code, rule, names, fix in rules
        for problem in problems_by_rule(
            {rule: (names, fix)}, code, f"{len(names):,} of {len(entries):,}: "
        )
    ]


def lost_steps(
    count: int, total: int, ends: tuple[float, float], samples: str, schema: ImageSchema
) -> list[Problem]:
    """Say how many steps of grey are left of images of more bits that use little of their format.

    Args:
        count: how many there are.
        total: of so many images.
        ends: the smallest and the largest number in them.
        samples: their data type, such as "uint16".
        schema: what they are brought to.
    """
    bits = int("".join(filter(str.isdigit, samples)))
    if samples.startswith("float") or bits <= 8:
        return []
    low, high = map(int, ends)
    steps = ((high - low) >> (bits - 8)) + 1
    if steps >= MIN_STEPS:
        return []
    rule = "images of more than 8 bits should use the range of their format"
    got = f"{count:,} of {total:,} hold {low} to {high} ({samples}): {steps} of 256 steps are left"
    this_range = Setting("data.scale", [low, high], "for this range")
    keep = Setting("data.scale", "none", "to keep all steps")
    fix = (this_range, keep) if schema.samples else this_range
    return [Problem(rule, got, fix, "D443", count=count)]


def describe_numbers(
    headers: Sequence[ImageHeader | None], schema: ImageSchema, options: ImageOptions
) -> list[str]:
    """Note what becomes of sizes, of transparency, of bands and of more than 8 bits."""
    known = [header for header in headers if header is not None]
    low, high = (f"{end:.6g}" for end in schema.value_range)
    notes = _resized(known, schema)
    num_clear = sum(header.has_alpha for header in known)
    if num_clear and not schema.bands:
        notes.append(f"{num_clear:,} of them with transparency, put before data.background")
    if options.bands:
        notes.append(f"bands {', '.join(map(str, options.bands))} taken")
    if schema.keeps_numbers:
        what = schema.samples or "numbers of several bit depths"
        notes.append(f"{what} kept as they are, {low} to {high}")
    if schema.scale == "range":
        notes.append(f"{low} to {high} scaled to 0 to 255, cut beyond")
    return notes


def inner_size(header: ImageHeader, schema: ImageSchema) -> tuple[int, int]:
    """Return which height and width an image itself has in the schema's size."""
    if schema.fit == "stretch":
        return schema.height, schema.width
    scales = schema.height / header.height, schema.width / header.width
    scale = min(scales) if schema.fit == "pad" else max(scales)
    return max(1, round(header.height * scale)), max(1, round(header.width * scale))


def _becomes_narrow(header: ImageHeader, schema: ImageSchema) -> bool:
    return min(inner_size(header, schema)) < MIN_SIZE_PX <= min(header.height, header.width)


def _resized(headers: Sequence[ImageHeader], schema: ImageSchema) -> list[str]:
    """Note how many images become smaller or larger, and whether they are padded or cut, too."""
    found: dict[str, list[tuple[int, int]]] = {}
    for header in headers:
        words = _what_is_done(header, schema)
        if words:
            found.setdefault(words, []).append((header.height, header.width))
    notes = []
    for words, sizes in sorted(found.items(), key=lambda pair: -len(pair[1])):
        height, width = max(sizes)
        up_to = "" if len(set(sizes)) == 1 else "up to "
        keep = ""
        # Not for one large image among many small ones: all would take its size.
        is_usual = 2 * len(sizes) >= len(headers) and max(height, width) <= MAX_SIZE_PX
        if words.startswith("shrunk") and is_usual:
            keep = f" (data.size=[{height},{width}] keeps all pixels)"
        done = words.format(size=f"{up_to}{height}x{width}")
        notes.append(f"{len(sizes):,} of them {done}{keep}")
    return notes


def _what_is_done(header: ImageHeader, schema: ImageSchema) -> str:
    """Say what becomes of an image of another size; {size} is where its own is put."""
    size, wanted = (header.height, header.width), (schema.height, schema.width)
    if size == wanted:
        return ""
    inner = inner_size(header, schema)
    words = []
    if inner != size:
        is_larger = [after > before for after, before in zip(inner, size, strict=True)]
        is_smaller = [after < before for after, before in zip(inner, size, strict=True)]
        word = "stretched" if any(is_larger) and any(is_smaller) else "shrunk"
        words.append("enlarged" if not any(is_smaller) else word)
    if inner != wanted:
        words.append("padded" if schema.fit == "pad" else "cropped")
    elif schema.fit == "stretch" and size[0] * wanted[1] != size[1] * wanted[0]:
        words = [f"{words[0]} unevenly"]
    first, *others = words
    return f"{first} from {{size}}" + "".join(f" and {word}" for word in others)


def _taken(schema: ImageSchema) -> str:
    if schema.bands:
        return f"bands {', '.join(map(str, schema.bands))} are taken"
    return "what is seen is taken: grey, or red, green and blue"


def _usual(pairs: Pairs) -> str:
    return Counter(header.samples for _, header in pairs).most_common(1)[0][0]


def _both_scaled(schema: ImageSchema) -> Fix:
    if schema.scale == "format":
        scaled = "nothing: each is scaled by the range of its own format"
        return (scaled, Setting("data.scale", ..., "[low,high] for one range of all"))
    return "their numbers are taken as if they had one unit; save all of them with one bit depth"


def _known(
    entries: Sequence[ListedImage], headers: Sequence[ImageHeader | None]
) -> list[tuple[ListedImage, ImageHeader]]:
    return [(e, h) for e, h in zip(entries, headers, strict=True) if h is not None]


def deep_rows(headers: Sequence[ImageHeader | None]) -> list[int]:
    """Return which images have more than 8 bits."""
    return [row for row, h in enumerate(headers) if h is not None and h.samples != BYTES]
