"""Interventions equal their literal twin on every branch, end where they must, and leave nothing behind."""

import pytest
import torch
from torch import Tensor

from roicg.circuits.effects import measure
from roicg.circuits.intervene import Intervention, run_intervened
from roicg.core.errors import PromptError, RoicgError
from roicg.models.batches import batches
from roicg.models.forward import logits_at
from roicg.models.forward import run as run_lens
from roicg.models.metrics import metric
from roicg.models.pairs import PairRun, run_pair
from roicg.rois.controls import components, singletons
from roicg.rois.positions import split_tokens
from tests import literal
from tests.lenses import VARIANTS, make_lens, make_prompts
from tests.unit.attribution.test_edges import grouped


def one_run(lens, prompts) -> PairRun:
    (batch,) = batches(prompts.eval, 8)
    return run_pair(lens, batch, metric("logit_difference"))


def literal_logits(lens, pair, partition, what: Intervention) -> Tensor:
    """Every reader reads the frozen value instead of each touched writer's own: features of touched ROIs for all, edges for their target and port."""
    frozen_from = pair.corrupted if what.donor is None else what.donor
    clean, donor = (literal.forward(lens, tokens, literal.nothing)[1] for tokens in (pair.clean, frozen_from))
    roi_of = {(roi.site, i): roi.key for roi in partition.rois for i in roi.members}

    def extra(site: str, i: int, port: str, wrote: dict[literal.Feature, Tensor]) -> Tensor:
        target = roi_of[site, i]
        here = [f for f in wrote if roi_of[f] in what.rois or (roi_of[f], target, port) in what.edges]
        return sum((clean[f] + (1 - what.factor) * (donor[f] - clean[f]) - wrote[f] for f in here), torch.zeros_like(wrote["tok", 0]))

    return literal.forward(lens, pair.clean, extra)[0][list(pair.positions)]


def some(variant: str) -> list[Intervention]:
    """Sets with members before one another, edges through every kind of port, both at once, and every kind of value."""
    if variant == "one layer":
        edges = (("a0.h0", "m0.r1", "in"), ("tok", "a0.h1", "v"), ("a0.h1", "logits", "in"))
        return [Intervention("ablate", ("a0.h1", "m0.r0")), Intervention("scale", ("a0.h0",), edges, factor=0.3)]
    last = "a1.h1" if VARIANTS[variant].get("d_mlp") == 0 else "m1.r1"
    edges = (("tok", "a0.h1", "q"), ("a0.h1", "a1.h0", "k"), ("tok", "a1.h0", "k"), ("a0.h0", "a1.h0", "v"), ("a0.h0", last, "v" if "h" in last else "in"))
    return [
        Intervention("ablate", ("a0.h0", "a1.h1", last)),
        Intervention("ablate", edges=(*edges, ("a1.h0", "logits", "in"))),
        Intervention("scale", ("a0.h0", last), (*edges, (last, "logits", "in")), factor=-0.7),
        Intervention("patch", ("a0.h1", "tok"), edges[1:], donor=(1, 5, 2)),
    ]


@pytest.mark.parametrize("variant", sorted(VARIANTS))
def test_an_intervention_equals_its_literal_twin(variant: str) -> None:
    """Broken on purpose: frozen values taken from the changed run (``given``) instead of the clean one; only the last source site heard in ``read``."""
    lens, prompts = make_lens(3, **VARIANTS[variant]), make_prompts(1, n=2, lengths=(3,))
    partition, run = grouped(lens), one_run(lens, prompts)
    for what in some(variant):
        fast = logits_at(lens, run_intervened(run, partition, what), run.batch.positions)
        for b, pair in enumerate(prompts.eval.pairs):
            torch.testing.assert_close(fast[b], literal_logits(lens, pair, partition, what), rtol=1e-9, atol=1e-9)
        assert not torch.allclose(fast, logits_at(lens, run.clean.final, run.batch.positions), atol=1e-6), what


@pytest.mark.parametrize("variant", sorted(VARIANTS))
def test_everything_ablated_is_the_corrupted_run(variant: str) -> None:
    """All ROIs, and all edges. Broken on purpose: the logits port left out of ``read``; ``tok`` left out of ``wrote``."""
    lens, prompts = make_lens(5, **VARIANTS[variant]), make_prompts(2, n=3)
    partition, run = grouped(lens), one_run(lens, prompts)
    writers = [roi for roi in partition.rois if roi.kind != "logits"]
    sites = {site.key: site for site in partition.sites}
    edges = tuple(
        (u.key, v.key, port)
        for u in writers
        for v in partition.rois
        for port in sites[v.site].ports
        if sites[u.site].writes_at < sites[v.site].reads_at  # type: ignore[operator]
    )
    for what in (Intervention("ablate", tuple(roi.key for roi in writers)), Intervention("ablate", edges=edges)):
        torch.testing.assert_close(run_intervened(run, partition, what), run.corrupted.final, rtol=1e-10, atol=1e-10)


def test_the_input_alone_ablated_is_the_corrupted_run_and_its_positions_add_up_to_it() -> None:
    """Broken on purpose: the positions of ``tok`` swapped in ``_mask``."""
    lens, prompts = make_lens(6), make_prompts(3, n=3)
    run = one_run(lens, prompts)
    torch.testing.assert_close(run_intervened(run, components(lens.sites), Intervention("ablate", ("tok",))), run.corrupted.final)
    parts = split_tokens(components(lens.sites), lens.sites_with(lens.n_ctx))
    keys = [roi.key for roi in parts.rois if roi.kind == "tok"]
    torch.testing.assert_close(run_intervened(run, parts, Intervention("ablate", tuple(keys))), run.corrupted.final)
    first = run_intervened(run, parts, Intervention("ablate", ("tok[0]",)))
    for b, pair in enumerate(prompts.eval.pairs):
        mixed = (pair.corrupted[0], *pair.clean[1:])
        slow = literal.forward(lens, mixed, literal.nothing)[0][list(pair.positions)]
        torch.testing.assert_close(logits_at(lens, first, run.batch.positions)[b], slow, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("variant", sorted(VARIANTS))
def test_scale_one_does_nothing_and_scale_zero_ablates(variant: str) -> None:
    """Broken on purpose: ``amount`` = factor; ``torch.lerp`` written out as donor + factor · (clean − donor), which misses the last bits."""
    lens, prompts = make_lens(7, **VARIANTS[variant]), make_prompts(4, n=3)
    partition, run = singletons(lens.sites), one_run(lens, prompts)
    rois = tuple(roi.key for roi in partition.rois if roi.kind != "logits")[1::2]
    assert torch.equal(run_intervened(run, partition, Intervention("scale", rois, factor=1.0)), run.clean.final)
    edges = tuple(("tok", target, "q") for target in ("a0.h0", "a0.h1"))
    same = run_intervened(run, partition, Intervention("scale", edges=edges, factor=1.0))
    torch.testing.assert_close(same, run.clean.final, rtol=1e-12, atol=1e-12)
    scaled, ablated, patched = (
        run_intervened(run, partition, Intervention(kind, rois, edges, factor=0.0))  # type: ignore[arg-type]
        for kind in ("scale", "ablate", "patch")
    )
    assert torch.equal(scaled, ablated)
    assert torch.equal(patched, ablated)


def test_undone_is_as_before_bit_for_bit() -> None:
    """The weights and the clean logits are the same bits after an intervention. Broken on purpose: ``_frozen`` written into the cache in place."""
    lens, prompts = make_lens(8), make_prompts(5, n=4)
    run, partition = one_run(lens, prompts), grouped(lens)
    before = logits_at(lens, one_run(lens, prompts).clean.final, run.batch.positions)
    kept = [t.clone() for t in (lens.W_E, lens.attentions[0].W_O, lens.mlps[1].W_out, run.clean.z[0], run.corrupted.z[0], run.clean.post[0])]
    for what in some("layer norm, learned positions")[:3]:
        run_intervened(run, partition, what)
        measure(lens, partition, prompts, [what])
    after = logits_at(lens, one_run(lens, prompts).clean.final, run.batch.positions)
    assert torch.equal(before, after)
    now = (lens.W_E, lens.attentions[0].W_O, lens.mlps[1].W_out, run.clean.z[0], run.corrupted.z[0], run.clean.post[0])
    assert all(torch.equal(a, b) for a, b in zip(kept, now, strict=True))


def test_the_order_of_naming_has_no_meaning() -> None:
    """Broken on purpose: members kept in the order given."""
    lens, prompts = make_lens(9), make_prompts(6, n=3)
    run, partition = one_run(lens, prompts), grouped(lens)
    names, edges = ("m1.r0", "a0.h0", "m0.r1"), (("tok", "a1.h0", "v"), ("tok", "a1.h0", "q"), ("m0.r0", "logits", "in"))
    one, other = Intervention("ablate", names, edges), Intervention("ablate", (*names[::-1], "a0.h0"), edges[::-1])
    assert one == other
    assert torch.equal(run_intervened(run, partition, one), run_intervened(run, partition, other))


def test_the_measurement_is_paired_and_its_error_is_that_of_the_difference() -> None:
    """Broken on purpose: ``se`` of the metric after instead of the change; KL the other way round."""
    lens, prompts = make_lens(10), make_prompts(7, n=9, lengths=(3, 4))
    partition, what = grouped(lens), Intervention("ablate", ("a0.h1", "m1.r0"))
    (effect,) = measure(lens, partition, prompts, [what])
    before, after, right, kept, divergence = [], [], [], [], []
    for pair in prompts.eval.pairs:
        clean = literal.forward(lens, pair.clean, literal.nothing)[0]
        changed = torch.zeros_like(clean)
        changed[list(pair.positions)] = literal_logits(lens, pair, partition, what)
        before.append(literal.metric(clean, pair))
        after.append(literal.metric(changed, pair))
        for found, values in ((right, clean), (kept, changed)):
            ((p, answers, wrong),) = zip(pair.positions, pair.answers, pair.wrong_answers, strict=True)
            found.append(float(values[p, list(answers)].min() > values[p, list(wrong)].max()))
        p = list(pair.positions)
        divergence.append((clean[p].softmax(-1) * (clean[p].log_softmax(-1) - changed[p].log_softmax(-1))).sum(-1).mean())
    change = torch.stack(after) - torch.stack(before)
    expected = (sum(before) / 9, sum(after) / 9, change.mean(), change.std() / 3, sum(right) / 9, sum(kept) / 9, sum(divergence) / 9)
    found = (effect.before, effect.after, effect.change, effect.se, effect.accuracy_before, effect.accuracy_after, effect.kl)
    assert found == pytest.approx([float(value) for value in expected], rel=1e-9)
    assert (effect.task, effect.n) == ("task", 9)


@pytest.mark.parametrize(
    ("what", "sentence"),
    [
        (lambda: Intervention("ablate"), "nothing to ablate: name at least one ROI"),
        (lambda: Intervention("ablate", ("tok",), factor=0.5), "a factor belongs to scale"),
        (lambda: Intervention("scale", ("tok",), factor=float("nan")), "not a finite number"),
        (lambda: Intervention("ablate", ("tok",), donor=(1,)), "a donor prompt belongs to patch"),
        (lambda: Intervention("ablate", ("a0.h7",)), "no ROI 'a0.h7' in partition 'own'; did you mean a0.h"),
        (lambda: Intervention("ablate", ("logits",)), "the logits write nothing"),
        (lambda: Intervention("ablate", edges=(("tok", "a0.h0", "in"),)), "a0.h0 reads through q, k, v, not through 'in'"),
        (lambda: Intervention("ablate", edges=(("m0.r0", "a0.h0", "q"),)), "there is no edge m0.r0>a0.h0"),
        (lambda: Intervention("ablate", edges=(("a0.h0", "tok", "q"),)), "tok reads through no port"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(what, sentence: str) -> None:
    lens, prompts = make_lens(1), make_prompts(1, n=2)
    with pytest.raises(RoicgError, match=sentence.replace("(", r"\(")):
        run_intervened(one_run(lens, prompts), grouped(lens), what())


def test_a_donor_of_another_length_is_refused() -> None:
    lens, prompts = make_lens(1), make_prompts(1, n=2)
    with pytest.raises(PromptError, match="the donor prompt has 2 tokens and the prompts it is patched into have 4"):
        run_intervened(one_run(lens, prompts), grouped(lens), Intervention("patch", ("tok",), donor=(1, 2)))


def test_an_edit_at_the_answers_only_is_refused() -> None:
    """The last layer's keys and values read every position, an edit would be shown the answers alone.

    Seen to fail without either check: the run with ``at`` gave the edit one position for ``a1.k``, and with one answer per prompt
    the frozen values of a pair made by ``answers_only`` were broadcast over all positions without a word.
    """
    lens, prompts = make_lens(3), make_prompts(1, n=2, lengths=(3,))
    (batch,) = batches(prompts.eval, 8)
    with pytest.raises(ValueError, match="computed at every position"):
        run_lens(lens, batch.clean, edit=Unchanged(), at=batch.positions)
    pair = run_pair(lens, batch, metric("logit_difference"), answers_only=True)
    with pytest.raises(ValueError, match="without answers_only"):
        run_intervened(pair, grouped(lens), Intervention("ablate", ("a1.h1",)))
    assert torch.equal(run_lens(lens, batch.clean, edit=Unchanged()).final, run_lens(lens, batch.clean).final)


class Unchanged:
    """An edit that changes nothing."""

    def wrote(self, site: str, value: Tensor) -> Tensor:
        return value

    def read(self, group: str, stream: Tensor, value: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        return value
