"""What a user may rely on about the device that computes."""

import pytest
import torch
from helpers import make_features, make_model

from common.errors import InputError
from genre_lstm.device import flush_denormals, pick_device


@pytest.mark.parametrize(
    ("cuda", "mps", "best"),
    [(True, False, "cuda"), (False, True, "mps"), (True, True, "cuda"), (False, False, "cpu")],
)
def test_device_is_the_one_asked_for_and_automatically_the_fastest(monkeypatch, cuda, mps, best):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    assert pick_device("auto") == best
    assert pick_device("cpu") == "cpu"
    for name, there in (("cuda", cuda), ("mps", mps)):
        if not there:
            with pytest.raises(InputError, match=f"no {name} device here"):
                pick_device(name)


@pytest.mark.skipif(not torch.set_flush_denormal(False), reason="this processor keeps them")
def test_flushing_denormals_changes_no_gradient_of_a_weight():
    model, clips = make_model(), make_features(2, 800).requires_grad_()
    with flush_denormals():
        flushed = torch.autograd.grad(model(clips)[:, 0].sum(), [clips, *model.parameters()])
    whole = torch.autograd.grad(model(clips)[:, 0].sum(), [clips, *model.parameters()])
    tiny = torch.finfo(clips.dtype).tiny
    is_denormal = [(gradient[0] != 0) & (gradient[0].abs() < tiny) for gradient in (flushed, whole)]
    assert [bool(mask.any()) for mask in is_denormal] == [False, True]
    assert all(torch.equal(*pair) for pair in zip(flushed[1:], whole[1:], strict=True))
