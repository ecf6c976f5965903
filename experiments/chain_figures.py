"""The figures about the two recording chains, from the rows of the tables."""

from experiments import chains, counterfactual
from experiments.chain_tables import classify_full_band
from experiments.plan import PIECEWISE, PLATEAU
from experiments.tables import select
from genre_features.dataset_plots import add_legend, plot_clips
from genre_features.figures import BLUE, GRAY, PAGE_WIDTH, genre_colors, new_figure


def draw_chains(rows):
    """Draw each track's mean contrast over its number, in a row for each genre."""
    points = {genre: [] for genre in sorted({row["genre"] for row in rows})}
    wrong = []
    for row in rows:
        number, contrast = int(row["track"].rpartition(".")[2]), float(row["contrast"])
        points[row["genre"]].append((number, row["subset"], contrast))
        guesses = (row[f"{schedule}, {chains.UNFILTERED}"] for schedule in (PIECEWISE, PLATEAU))
        if row["genre"] == "hiphop" and "metal" in guesses:
            wrong.append((number, contrast))
    figure, panels = plot_clips(points)
    for axes, genre in zip(panels, points, strict=True):
        label = f"{chains.MAX_CONTRAST} dB: band-limited above"
        axes.axhline(chains.MAX_CONTRAST, color=GRAY, linewidth=0.8, linestyle="--", label=label)
        if genre == "hiphop" and wrong:
            label = "hiphop classified as metal"
            axes.plot(*zip(*wrong, strict=True), "x", color="black", label=label)
    panels[-1].set_xlim(-1, 100)
    add_legend(figure, panels)
    figure.suptitle("Mean spectral contrast from 6.4 to 11 kHz (dB): high where band-limited")
    return figure


def draw_counterfactual(rows):
    """Draw the probability of metal of full-band and of hiphop clips with another highest band."""
    rows = [row for row in rows if counterfactual.is_full_band(row) or row["genre"] == "hiphop"]
    genres = sorted({row["genre"] for row in rows})
    figure = new_figure(figsize=(PAGE_WIDTH, 3.2))
    panels = figure.subplots(1, 2, sharey=True)
    for axes, schedule in zip(panels, (PIECEWISE, PLATEAU), strict=True):
        for genre, color in zip(genres, genre_colors(genres), strict=True):
            clips = {}
            for row in select(rows, schedule=schedule, genre=genre):
                clips.setdefault(row["track"], {})[row["version"]] = float(row["p_metal"])
            label = f"{genre}: {len(clips)} clips"
            for p in clips.values():
                axes.plot(p.keys(), p.values(), "o-", color=color, markersize=4, label=label)
        axes.set(title=f"published, {schedule}", ylim=(0, 1))
        axes.tick_params(axis="x", rotation=30)
        axes.grid()
    add_legend(figure, panels)
    panels[0].set_ylabel("probability of metal")
    figure.suptitle("Full-band clips, and hiphop clips that are band-limited")
    return figure


def draw_metal(rows):
    """Draw the full-band clips of each genre that are classified as metal, before and after."""
    figure = new_figure(figsize=(PAGE_WIDTH, 2.2))
    axes = figure.add_subplot(xlabel="clips without a band limit that are classified as metal, %")
    styles = {PIECEWISE: ("Piecewise", "o", -0.12), PLATEAU: ("Plateau", "^", 0.12)}
    names = {}
    for genre, schedule, guesses in classify_full_band(rows):
        y = names.setdefault(f"{genre}: {guesses.shape[1]} clips", len(names))
        before, after = 100 * (guesses == "metal").mean(axis=1)
        name, mark, below = styles[schedule]
        axes.plot([before, after], [y + below] * 2, "-", color=GRAY, linewidth=0.8)
        axes.plot(before, y + below, mark, color=GRAY, label=f"unfiltered, {name}")
        axes.plot(after, y + below, mark, color=BLUE, label=f"low-passed, {name}")
    axes.set_yticks(range(len(names)), list(names))
    axes.set_xlim(-2, 100)
    axes.invert_yaxis()
    axes.grid(axis="x")
    add_legend(figure, [axes])
    return figure
