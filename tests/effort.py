"""How hard a property is tried: as often as it says; under `make fuzz` twenty times as often, each
round with other examples."""

from typing import Final

from hypothesis import HealthCheck, settings

__all__ = ["examples"]

USUAL: Final = 100  # Hypothesis' own
SLOW_TO_MAKE: Final = (
    HealthCheck.too_slow,
    HealthCheck.data_too_large,
    HealthCheck.filter_too_much,
)


def examples(count: int = USUAL, *, steps: int = 50, alike: bool = False) -> settings:
    """Return settings for so many examples.

    Args:
        steps: of a state machine, at most.
        alike: the same examples in every run, unless fuzzing.
    """
    fuzzing = settings.get_current_profile_name() == "fuzz"
    more = settings.default.max_examples // USUAL if fuzzing else 1
    return settings(
        max_examples=count * more,
        stateful_step_count=steps,
        deadline=None,
        derandomize=alike and not fuzzing,
        suppress_health_check=SLOW_TO_MAKE,
    )
