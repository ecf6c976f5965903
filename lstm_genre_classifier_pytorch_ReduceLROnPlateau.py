"""Train the two-layer LSTM with a learning rate that is reduced on a plateau.

    python lstm_genre_classifier_pytorch_ReduceLROnPlateau.py

Reads gtzan/data_*.npy; writes weights/ReduceLROnPlateau/ and result/ReduceLROnPlateau/.
"""

import torch
from torch.nn.functional import nll_loss
from torch.nn.utils import clip_grad_norm_
from torch.optim.lr_scheduler import ReduceLROnPlateau

from common.cli import run_script
from genre_lstm.augmentation import augment
from genre_lstm.model import GenreLSTM
from genre_lstm.options import parse_options
from genre_lstm.run import training_run


def main():
    with training_run("ReduceLROnPlateau", parse_options(__doc__)) as run:
        data, recipe = run.data, run.recipe  # with a frame every recipe.frame_step seconds
        torch.manual_seed(run.seed)

        # 33 features a frame -> two LSTM layers -> pooling over time -> linear -> log-softmax
        model = GenreLSTM(len(data.genres), recipe, data.settings).to(run.device)
        model.fit_scaler(run.batches("train"))
        class_weights = run.class_weights()
        # Without weight decay, as in the published recipe, AdamW is Adam.
        optimizer = torch.optim.AdamW(
            model.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay
        )
        # A tenth after more than 10 validations in a row without a lower loss, then a wait of 10.
        scheduler = ReduceLROnPlateau(optimizer, factor=0.1, patience=10, cooldown=10)

        def criterion(log_probs, targets):
            # The mean over the clips: nll_loss itself would divide by the sum of the weights.
            return nll_loss(log_probs, targets, class_weights, reduction="none").mean()

        parallel_model = run.shard.wrap(model)  # under torchrun, in DistributedDataParallel
        for _epoch in run.epochs(model, optimizer, scheduler):  # with --resume, the remaining ones
            model.train()
            for features, targets in run.batches("train", shuffle=recipe.shuffle):
                inputs, targets, mixed_targets, lam = augment(model, features, targets)
                inputs, targets, mixed_targets = run.shard.take(inputs, targets, mixed_targets)
                log_probs = parallel_model(inputs)
                loss = lam * criterion(log_probs, targets)
                loss = loss + (1 - lam) * criterion(log_probs, mixed_targets)
                optimizer.zero_grad()
                loss.backward()
                if recipe.max_grad_norm:
                    clip_grad_norm_(model.parameters(), recipe.max_grad_norm)
                optimizer.step()
                run.log_batch(loss, log_probs, targets if lam >= 0.5 else mixed_targets)
            val_scores = run.validate()  # of whole clips; None in the epochs between
            if val_scores:
                scheduler.step(val_scores["loss"])
            run.save_checkpoint(val_scores)
        run.write_results()  # of the last epoch's model


if __name__ == "__main__":
    run_script(main)
