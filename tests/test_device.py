"""What a user may rely on about the device that computes."""

import pytest
import torch
from helpers import make_features, make_model

from common.errors import InputError
from genre_lstm.device import flush_denormals, pick_device


@pytest.mark.parametrize("mps", [True, False])
@pytest.mark.parametrize(("cuda", "best"), [(True, "cuda"), (False, "cpu")])
def test_device_is_the_one_asked_for_and_automatically_cuda_or_cpu(monkeypatch, cuda, mps, best):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    assert pick_device("auto") == best
    for name, there in (("cuda", cuda), ("mps", mps), ("cpu", True)):
        if there:
            assert pick_device(name) == name
        else:
            with pytest.raises(InputError, match=f"no {name} device here"):
                pick_device(name)


def test_dropout_on_mps_is_refused_since_its_gradients_are_wrong(monkeypatch):
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert pick_device("mps", dropout=0.0) == "mps"
    with pytest.raises(InputError, match="mps with dropout: give --device cpu or --dropout 0"):
        pick_device("mps", dropout=0.3)


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
