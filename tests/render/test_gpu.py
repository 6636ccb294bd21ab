"""Frames drawn in batches by torch are those that the CPU draws."""

import threading

import numpy as np
import pytest
from numpy.typing import NDArray

torch = pytest.importorskip("torch")

from animator.evaluate.tracking.looks import psnr  # noqa: E402
from animator.evaluate.wishes.sweep import row  # noqa: E402
from animator.portrait.characters import find  # noqa: E402
from animator.portrait.portrait import Portrait, load  # noqa: E402
from animator.render import Renderer  # noqa: E402
from animator.render.gpu.batch_renderer import BatchRenderer  # noqa: E402
from animator.render.gpu.pool import Pool  # noqa: E402
from tests.render.test_glasses import with_glasses  # noqa: E402

pytestmark = [pytest.mark.torch, pytest.mark.model]

CPU = torch.device("cpu")
torch.set_num_threads(1)
CLOSE = 50.0  # dB
MOTIONS = np.stack(
    [
        row(),
        row(head_yaw=13, head_pitch=-6, head_roll=5, head_x=0.05, torso_y=0.02, browInnerUp=0.8, browOuterUp=0.8),
        row(head_yaw=-13, head_z=0.4, eyeBlink=0.4, jawOpen=0.5, mouthLowerDown=0.3, mouthUpperUp=0.3),
        row(eyeBlink=1, mouthSmile=0.8, cheekSquint=0.6, head_pitch=9),
        row(gaze_yaw=15, gaze_pitch=-9, jawOpen=0.2, mouthFunnel=0.4, mouthPucker=0.6),
        row(jawOpen=0.4, tongueOut=0.8, eyeWide=0.6, browDown=0.7, noseSneer=0.5),
        row(jawOpen=0.3, mouthClose=0.3, mouthPress=0.3),
    ]
)


def small(name: str) -> Portrait:
    return load(find(name).picture, 256)


def drawn(portrait: Portrait) -> NDArray[np.uint8]:
    return Renderer(portrait).draw_many(MOTIONS)


@pytest.mark.parametrize("name", ["mona_lisa", "astronaut", "toon"])
def test_a_batch_is_what_the_cpu_draws(name: str) -> None:
    portrait = small(name)
    frames = BatchRenderer([portrait], CPU).draw_many(MOTIONS, [0] * len(MOTIONS))
    assert [psnr(one, other) > CLOSE for one, other in zip(frames, drawn(portrait), strict=True)] == [True] * 7


def test_portraits_of_all_kinds_share_a_batch() -> None:
    """A painting, a drawing without wrinkles and with drawn lids, and a photograph with glasses."""
    portraits = [
        load(find("mona_lisa").picture),
        load(find("toon").picture),
        with_glasses("astronaut", (30, 25, 25), 0.02),
    ]
    faces, motions = [1, 0, 2], MOTIONS[[2, 1, 3]]
    frames = BatchRenderer(portraits, CPU).draw_many(motions, faces)
    for frame, face, motion in zip(frames, faces, motions, strict=True):
        assert psnr(frame, Renderer(portraits[face]).draw(motion)) > CLOSE


def test_portraits_of_different_sizes_make_no_batch() -> None:
    with pytest.raises(ValueError, match="one size"):
        BatchRenderer([small("toon"), load(find("toon").picture)], CPU)


def test_faces_in_many_threads_get_their_own_frames() -> None:
    portraits = [small("toon"), small("mona_lisa"), load(find("toon").picture)]
    pool = Pool(CPU)
    drawers = [pool.open(portrait) for portrait in portraits]
    shown: dict[int, NDArray[np.uint8]] = {}

    def show(number: int) -> None:
        shown[number] = drawers[number].draw_many(MOTIONS[1:3])

    threads = [threading.Thread(target=show, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number, portrait in enumerate(portraits):
        assert psnr(shown[number][1], Renderer(portrait).draw(MOTIONS[2])) > CLOSE


def test_bad_input_is_told_to_whoever_gave_it() -> None:
    drawer = Pool(CPU).open(small("toon"))
    with pytest.raises(ValueError, match="shape"):
        drawer.draw(np.zeros(63, np.float32))
    out = np.zeros((256, 256, 3), np.uint8)
    assert drawer.draw(MOTIONS[0], out).any()
    assert out.any()
