"""Train the two-layer LSTM with a learning rate that is reduced on a plateau.

    python lstm_genre_classifier_pytorch_ReduceLROnPlateau.py

Reads gtzan/data_*.npy; writes weights/ReduceLROnPlateau/ and result/ReduceLROnPlateau/.
"""

from torch.optim.lr_scheduler import ReduceLROnPlateau

from lstm_genre_classifier_pytorch import main
from script_helpers import run_script


def make_scheduler(optimizer, epochs):
    """Multiply the learning rate by 0.1 once the validation loss stops falling.

    That is when more than torch's usual 10 validations in a row bring no lower loss; the 10
    validations after a reduction don't count.
    """
    return ReduceLROnPlateau(optimizer, factor=0.1, cooldown=10)


if __name__ == "__main__":
    run_script(main, "ReduceLROnPlateau", make_scheduler, __doc__)
