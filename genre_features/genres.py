"""GTZAN's genres, and those that the original project took of them."""

SIX_GENRES = ["classical", "hiphop", "jazz", "metal", "pop", "reggae"]
EIGHT_GENRES = sorted([*SIX_GENRES, "country", "disco"])
TEN_GENRES = sorted([*EIGHT_GENRES, "blues", "rock"])

# Caches of the original project name no genres: their number of columns tells which they are.
ORIGINAL_GENRES = {6: SIX_GENRES, 8: EIGHT_GENRES, 10: TEN_GENRES}
