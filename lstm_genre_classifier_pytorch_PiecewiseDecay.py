"""Train the two-layer LSTM with a learning rate that decays piecewise.

    python lstm_genre_classifier_pytorch_PiecewiseDecay.py

Reads gtzan/data_*.npy; writes weights/PiecewiseDecay/ and result/PiecewiseDecay/.
"""

from common.cli import run_script
from genre_lstm.options import parse_options


def make_scheduler(optimizer, epochs):
    """Multiply the learning rate by 0.1 from 30 % of the epochs on, and by 0.01 from 60 % on."""
    from torch.optim.lr_scheduler import LambdaLR

    def factor(epoch):
        if epoch < 0.3 * epochs:
            return 1.0
        if epoch < 0.6 * epochs:
            return 0.1
        return 0.01

    return LambdaLR(optimizer, factor)


def main():
    options = parse_options(__doc__)
    # Imported after the options are read: --help doesn't wait for torch.
    import torch

    from genre_lstm.model import GenreLSTM
    from genre_lstm.run import training_run
    from genre_lstm.training import batches, train_epoch

    with training_run("PiecewiseDecay", options) as run:
        data, recipe = run.data, run.recipe
        torch.manual_seed(run.seed)

        # Two LSTM layers over the frames, pooled over time, and a linear layer to the genres.
        model = run.place(GenreLSTM(len(data.genres), recipe, data.settings))
        tracks = batches(data, "train", recipe.batch_size, run.device)
        model.standardise(features for features, _ in tracks)
        # Without weight decay, as in the published recipe, AdamW is Adam.
        optimizer = torch.optim.AdamW(
            model.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay
        )
        scheduler = make_scheduler(optimizer, recipe.epochs)

        run.start(model, optimizer, scheduler)  # with --resume, as it was when interrupted
        for epoch in run.epochs():
            trained = train_epoch(model, optimizer, data)
            validated = run.validate(epoch)  # scores; None in the epochs between validations
            scheduler.step()
            run.record(epoch, trained, validated)  # in the history and in checkpoint.pt

        summary = run.summarise()
        run.write_weights(summary)
        run.write_curves()
        run.write_scores(summary)


if __name__ == "__main__":
    run_script(main)
