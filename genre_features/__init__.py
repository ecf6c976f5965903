"""From sound to arrays: the 33 features of every frame, cached by subset. Imports no torch."""
