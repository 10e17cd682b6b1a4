"""Whatever is sent, and whatever breaks: the engine does what the model does, and the invariants hold."""

import asyncio

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from barberpro.server.node import NodeOptions
from tests.fuzz.effort import TIMES
from tests.model.shop_machine import ShopMachine, Surroundings
from tests.support.clusters import Cluster


@pytest.mark.timeout(180 * TIMES)
def test_the_engine_does_what_the_model_does(database_url: str, redis_url: str, redis_prefix: str) -> None:
    compare_with_the_model(NodeOptions(database_url, redis_url, redis_prefix), examples=25 * TIMES)


@pytest.mark.timeout(120 * TIMES)
def test_the_engine_does_what_the_model_does_on_a_cluster(
    database_url: str, cluster: Cluster, redis_prefix: str
) -> None:
    compare_with_the_model(NodeOptions(database_url, cluster.url, redis_prefix), examples=5 * TIMES)


def compare_with_the_model(options: NodeOptions, examples: int) -> None:
    """Plays so many random days."""
    with asyncio.Runner() as loop:
        around = Surroundings(loop, options)
        bounds = settings(
            max_examples=examples,
            stateful_step_count=40,
            # A failure is told at once and unshrunk: add Phase.shrink to make it short, which takes minutes.
            phases=[Phase.generate],
            deadline=None,  # a step is as slow as the machine it runs on
            derandomize=TIMES == 1,
            database=None,
            print_blob=True,
            suppress_health_check=list(HealthCheck),
        )

        class Machine(ShopMachine):
            def __init__(self) -> None:
                super().__init__(around)

        try:
            run_state_machine_as_test(Machine, settings=bounds)
        finally:
            around.stop()
