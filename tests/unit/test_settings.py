"""Settings and the file that lists them."""

import re
from pathlib import Path

from barberpro.server.settings import Settings

EXAMPLE = Path(__file__).parents[2] / ".env.example"


def test_the_example_lists_every_setting_and_nothing_else() -> None:
    listed = {line.lower() for line in re.findall(r"^# (?:BARBERPRO_)?(\w+)=", EXAMPLE.read_text(), re.MULTILINE)}
    assert listed - {"postgres_password"} == set(Settings.model_fields)
