"""Small simulations for tests."""

from pipelines.simulation.cases import Cases
from pipelines.simulation.parameters import (
    ITEM,
    HandOffs,
    Machine,
    Parameters,
    Runs,
    Verdicts,
    minutes,
)
from pipelines.simulation.world import World

# Everything that goes wrong goes wrong often, so that a small simulation has all of it.
ROUGH = Parameters(
    notice=minutes(10, 60),
    item={stage: minutes(20, 120) for stage in ITEM},
    machine=Machine(retryable=0.08, final=0.05, lost=0.04, timed_out=0.02, red=0.2, by_step={}),
    verdicts=Verdicts(request_changes=0.35, conditions=0.3, abstain=0.1),
    hand_offs=HandOffs(returned=0.3, withdrawn=0.15),
    runs=Runs(start_share=0.1, pause=0.6, cancel=0.2, second_seat=0.6),
)


def play(*, seed: int, days: int = 40, use_cases: int = 4) -> World:
    world = World(ROUGH, seed=seed, days=days, use_cases=use_cases, tell=lambda _at: None)
    Cases(world).prepare()
    world.play_on()
    world.truth.complete = True
    world.wind_down()
    return world
