import os
import sys
import threading

import pytest

from companion.stages.worker import model_threads

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux gives each thread a priority")


def niceness() -> int:
    return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())


def test_models_run_after_what_draws_and_sends() -> None:
    with model_threads("model") as pool:
        assert pool.submit(niceness).result() > niceness()


def test_a_models_own_threads_have_its_priority_and_not_a_lower_one() -> None:
    def within() -> tuple[int, int]:
        with model_threads("inner") as pool:
            return niceness(), pool.submit(niceness).result()

    with model_threads("model") as pool:
        outer, inner = pool.submit(within).result()
    assert outer == inner
