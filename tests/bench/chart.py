# SPDX-License-Identifier: GPL-2.0-only
"""A bar chart as SVG: for each row a bar per side, as long as the ratio's logarithm."""
import html
import math

COLOURS = ["#1f6fb4", "#d95f02", "#7570b3", "#1b9e77", "#e7298a", "#a6761d", "#666666"]
BAR, GAP, LEFT, WIDTH, TOP = 11, 8, 270, 640, 46


def write(path, rows):
    """rows: [(title, {side: ratio or None})]."""
    sides = list(rows[0][1]) if rows else []
    largest = max([value for _, row in rows for value in row.values() if value] + [2])
    end = math.log2(largest) * 1.05
    height = TOP + sum(GAP + BAR * len(sides) for _ in rows) + 20

    def x(value):
        return LEFT + WIDTH * max(0, math.log2(max(value, 1))) / end

    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{LEFT + WIDTH + 70}" height="{height}"'
           ' font-family="sans-serif" font-size="11">',
           '<rect width="100%" height="100%" fill="white"/>',
           f'<text x="{LEFT}" y="14" font-size="13">ticks, as a multiple of native'
           ' (logarithmic; shorter is better)</text>']
    for i, side in enumerate(sides):
        out.append(f'<rect x="{LEFT + 110 * i}" y="22" width="10" height="10" fill="{COLOURS[i % len(COLOURS)]}"/>'
                   f'<text x="{LEFT + 14 + 110 * i}" y="31">{html.escape(side)}</text>')
    tick = 1
    while math.log2(tick) <= end:
        out.append(f'<line x1="{x(tick):.1f}" x2="{x(tick):.1f}" y1="{TOP - 6}" y2="{height - 16}" stroke="#ccc"/>'
                   f'<text x="{x(tick):.1f}" y="{height - 4}" text-anchor="middle">{tick}</text>')
        tick *= 2
    y = TOP
    for title, row in rows:
        middle = y + BAR * len(sides) / 2 + 4
        out.append(f'<text x="{LEFT - 8}" y="{middle:.1f}" text-anchor="end">{html.escape(title)}</text>')
        for i, value in enumerate(row.values()):
            if value:
                out.append(f'<rect x="{LEFT}" y="{y}" width="{max(1, x(value) - LEFT):.1f}" height="{BAR - 2}"'
                           f' fill="{COLOURS[i % len(COLOURS)]}"/>'
                           f'<text x="{x(value) + 4:.1f}" y="{y + BAR - 3}" font-size="9">{value:.2f}</text>')
            y += BAR
        y += GAP
    out.append("</svg>")
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(out) + "\n")
