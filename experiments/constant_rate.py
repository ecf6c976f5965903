"""Train the two-layer LSTM with a constant learning rate.

    python -m experiments.constant_rate

The run that the two schedules are compared with; otherwise it equals their scripts. Reads
gtzan/data_*.npy; writes weights/Constant/ and result/Constant/.
"""

from common.cli import run_script
from genre_lstm.options import parse_options


def main():
    options = parse_options(__doc__)
    # Imported after the options are read: --help doesn't wait for torch.
    import torch

    from genre_lstm.model import GenreLSTM
    from genre_lstm.run import training_run
    from genre_lstm.training import batches, train_epoch

    with training_run("Constant", options) as run:
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

        run.start(model, optimizer)  # with --resume, as it was when interrupted
        for epoch in run.epochs():
            trained = train_epoch(model, optimizer, data)
            validated = run.validate(epoch)  # scores; None in the epochs between validations
            run.record(epoch, trained, validated)  # in the history and in checkpoint.pt

        summary = run.summarise()
        run.write_weights(summary)
        run.write_curves()
        run.write_scores(summary)


if __name__ == "__main__":
    run_script(main)
