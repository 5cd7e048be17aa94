#!/usr/bin/env python3
"""Draws docs/layers.svg, the picture of docs/ARCHITECTURE.md, from scripts/layers.toml, so that it is true.

    scripts/draw_layers.py            write the picture
    scripts/draw_layers.py --check    fail if the picture is not what it would write; `make lint` does this
"""

import html
import pathlib
import sys
import tomllib

SOURCE = pathlib.Path(__file__).resolve().parent.parent
PICTURE = SOURCE / "docs" / "layers.svg"
WIDTH, HEIGHT = 270, 46          # Of a box.
LEFT, TOP = 20, 52               # Of the first one.
COLUMN, ROW = 300, 74            # From one to the next.

# (column, row), rows from the top. The edges come from layers.toml; only the places are given here.
PLACES = {
    "app_wfl": (0, 0), "tools": (0, 1), "terminal": (1, 1), "driver": (0, 2),
    "compile": (0, 3), "keystore": (1, 3),
    "check": (0, 4), "stdlib": (1, 4),
    "syntax": (0, 5), "vm": (1, 5),
    "language": (0, 6),
    "app_kvb": (2, 0), "public": (2, 1), "api": (2, 2), "store": (2, 3), "index": (2, 4), "log": (2, 5), "space": (2, 6),
    "format": (2, 7), "os": (2, 8),
}
COLORS = {"app": "#fff4d6", "wfl": "#e3f0ff", "kvb": "#e4f5e6", "public": "#ffffff"}


def box(name, title, about):
    column, row = PLACES[name]
    x, y = LEFT + column * COLUMN, TOP + row * ROW
    color = COLORS["app" if name.startswith("app_") else "public" if name == "public" else "kvb" if column == 2 else "wfl"]
    return (f'<rect x="{x}" y="{y}" width="{WIDTH}" height="{HEIGHT}" rx="6" fill="{color}" stroke="#555"/>\n'
            f'<text x="{x + WIDTH / 2:g}" y="{y + 19}" class="name">{html.escape(title)}</text>\n'
            f'<text x="{x + WIDTH / 2:g}" y="{y + 36}" class="about">{html.escape(about)}</text>\n')


def arrow(above, below):
    """From the user down to the used, or sideways from edge to edge."""
    (c1, r1), (c2, r2) = PLACES[above], PLACES[below]
    x1, y1 = LEFT + c1 * COLUMN + WIDTH / 2, TOP + r1 * ROW + HEIGHT
    x2, y2 = LEFT + c2 * COLUMN + WIDTH / 2, TOP + r2 * ROW
    if c1 != c2:  # Leave and arrive nearer to each other, so that crossings are rare.
        shift = WIDTH / 4 if c2 > c1 else -WIDTH / 4
        x1, x2 = x1 + shift, x2 - shift
    if c1 != c2 and (r2 <= r1 or r2 - r1 > 1):  # Through the gap between the columns.
        x1, y1 = LEFT + c1 * COLUMN + (WIDTH if c2 > c1 else 0), TOP + r1 * ROW + HEIGHT / 2
        x2, y2 = LEFT + c2 * COLUMN + (0 if c2 > c1 else WIDTH), TOP + r2 * ROW + HEIGHT / 2
    return f'<line x1="{x1:g}" y1="{y1:g}" x2="{x2:g}" y2="{y2:g}" class="edge" marker-end="url(#tip)"/>\n'


def direct_edges(layers):
    """The edges of layers.toml without those that another path says already."""
    def reach(name):
        found = set()
        for used in layers[name]["uses"]:
            found |= {used} | reach(used)
        return found

    for name, layer in layers.items():
        for used in layer["uses"]:
            if not any(used in reach(other) for other in layer["uses"] if other != used):
                yield name, used
        if layer.get("public") == "all" and name not in ("store", "api"):
            yield name, "public"
    yield "public", "api"


def draw():
    table = tomllib.loads((SOURCE / "scripts" / "layers.toml").read_text(encoding="utf-8"))
    layers = table["layers"]
    unplaced = set(layers) ^ (set(PLACES) - {"public"})
    if unplaced:
        sys.exit(f"scripts/draw_layers.py: give these layers a place in PLACES, or take it away: {', '.join(sorted(unplaced))}")
    rows = 1 + max(row for _, row in PLACES.values())
    width, height = LEFT * 2 + 2 * COLUMN + WIDTH, TOP + rows * ROW
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img">\n',
        "<title>The layers of the WFL Keystore</title>\n",
        "<style>text{font-family:sans-serif;text-anchor:middle;fill:#222}.head{font-size:15px;font-weight:bold}"
        ".name{font-size:14px;font-weight:bold}.about{font-size:10.5px}.edge{stroke:#555;stroke-width:1.3}</style>\n",
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto">'
        '<path d="M0 0 8 4 0 8z" fill="#555"/></marker></defs>\n',
        f'<rect width="{width}" height="{height}" fill="#fff"/>\n',
        f'<text x="{LEFT + (COLUMN + WIDTH) / 2:g}" y="30" class="head">The language: src/wfl</text>\n',
        f'<text x="{LEFT + 2 * COLUMN + WIDTH / 2:g}" y="30" class="head">The engine: src/kvb</text>\n',
    ]
    parts += [arrow(above, below) for above, below in direct_edges(layers)]
    for name, layer in layers.items():
        title = layer["root"] if name.startswith("app_") else name
        parts.append(box(name, title, layer["about"]))
    parts.append(box("public", "include/kvb", "the public headers: bucket.h, repair.h, kvb.h"))
    return "".join(parts) + "</svg>\n"


def main():
    picture = draw()
    if "--check" in sys.argv[1:]:
        if not PICTURE.exists() or PICTURE.read_text(encoding="utf-8") != picture:
            sys.exit("docs/layers.svg is not what scripts/layers.toml says: run scripts/draw_layers.py")
        return
    PICTURE.parent.mkdir(exist_ok=True)
    PICTURE.write_text(picture, encoding="utf-8")


if __name__ == "__main__":
    main()
