"""Train the two-layer LSTM with a learning rate that decays piecewise.

    python lstm_genre_classifier_pytorch_PiecewiseDecay.py

Reads gtzan/data_*.npy; writes weights/PiecewiseDecay/ and result/PiecewiseDecay/.
"""

from torch.optim.lr_scheduler import LambdaLR

from lstm_genre_classifier_pytorch import main
from script_helpers import run_script


def make_scheduler(optimizer, epochs):
    """Multiply the learning rate by 0.1 from 30 % of the epochs on, by 0.01 from 60 % on."""

    def factor(epoch):
        if epoch < 0.3 * epochs:
            return 1.0
        if epoch < 0.6 * epochs:
            return 0.1
        return 0.01

    return LambdaLR(optimizer, factor)


if __name__ == "__main__":
    run_script(main, "PiecewiseDecay", make_scheduler, __doc__)
