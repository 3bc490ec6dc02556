"""A write that turns out not to have been made is over and planned again at once, or neither."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from crm_hub.flow.farside import FarSide
from crm_hub.flow.outbound import push
from crm_hub.store import Outbox
from tests.flow.two_way.fake import Clock, Side
from tests.flow.two_way.worlds import World


def test_a_crash_after_an_unmade_write_was_found_out_loses_no_edit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    world = World(tmp_path, [Side("a", clock), Side("b", clock)])
    key = world.sides["a"].add(first="Dana", last="Whitfield", email=["d@x.example"])
    world.pull()
    world.settle()
    world.sides["a"].edit(key, title="Head")
    world.pull()
    with world.hub.store.write() as db:  # sent, and the process died before it reached the side
        (row,) = Outbox(db).open_rows("b", "due")
        Outbox(db).save([row._replace(state="unknown", tries=1)])

    def dies(*_given: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(FarSide, "_taken", dies)
        with pytest.raises(KeyboardInterrupt):
            push(world.hub, "b")
    push(world.hub, "b")
    assert [p.get("title") for p in world.sides["b"].live().values()] == ["Head"]
