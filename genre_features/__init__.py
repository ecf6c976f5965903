"""From sound to arrays: the 33 features of every frame, cached by part. Imports no torch."""
