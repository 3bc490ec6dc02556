"""The stand-in of the Graph API answers a connector as the vendor's pages say."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest

from tests.examples.clearwater import FOLDER

LEADS = FOLDER / "inbound/meta-leads"
FORM = "778800990011"
TOKEN = "token-of-the-tests"


def _load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("clearwater_graph", FOLDER / "graph.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def graph() -> ModuleType:
    return _load()


@pytest.fixture
def client(graph: ModuleType, tmp_path: Path) -> Iterator[httpx.Client]:
    shutil.copytree(LEADS, tmp_path / "leads")
    headers = {"Authorization": f"Bearer {TOKEN}"}
    with (
        graph.GraphStandIn(tmp_path / "leads", TOKEN) as server,
        httpx.Client(base_url=server.url, headers=headers, timeout=10) as client,
    ):
        yield client


def _error(answer: httpx.Response) -> dict[str, Any]:
    body: dict[str, Any] = answer.json()["error"]
    return body


def test_a_lead_comes_back_with_the_asked_fields(client: httpx.Client) -> None:
    lead = client.get("/v21.0/911000222333401", params={"fields": "field_data,form_id"}).json()
    assert set(lead) == {"id", "created_time", "form_id", "field_data"}
    assert {"name": "full_name", "values": ["Dana Whitfield"]} in lead["field_data"]


def test_the_account_and_the_form_say_their_names(client: httpx.Client) -> None:
    assert client.get("/v21.0/me").json()["name"] == "Clearwater"
    assert client.get(f"/v21.0/{FORM}").json()["status"] == "ACTIVE"


def test_a_wrong_token_is_refused_with_code_190(client: httpx.Client) -> None:
    for value in ("Bearer wrong", f"Basic {TOKEN}", f"Bearer {TOKEN}x", "Bearer caf\u00e9"):
        header = {b"Authorization": value.encode()}
        answer = client.get("/v21.0/911000222333401", headers=header)
        assert (answer.status_code, _error(answer)["code"]) == (401, 190)


def test_a_missing_token_is_refused_with_code_104(client: httpx.Client) -> None:
    del client.headers["Authorization"]
    answer = client.get("/v21.0/911000222333401")
    assert (answer.status_code, _error(answer)["code"]) == (400, 104)


def test_an_unknown_lead_has_code_100_and_subcode_33(client: httpx.Client) -> None:
    error = _error(client.get("/v21.0/5"))
    assert (error["code"], error["error_subcode"]) == (100, 33)


@pytest.mark.parametrize(
    "path", ["/", "/v21.0/", "/v21.0/..%2ftruth", "/v21.0/x", "/911000222333401"]
)
def test_other_paths_reach_no_file(client: httpx.Client, path: str) -> None:
    assert client.get(path).status_code == 400


def _list(client: httpx.Client, **query: str) -> dict[str, Any]:
    body: dict[str, Any] = client.get(f"/v21.0/{FORM}/leads", params=query).json()
    return body


def test_the_leads_of_a_form_come_newest_first_in_pages(client: httpx.Client) -> None:
    ids, page = [], _list(client, limit="1")
    while True:
        ids += [lead["id"] for lead in page["data"]]
        if "next" not in page["paging"]:
            break
        page = client.get(page["paging"]["next"]).json()
    assert ids == ["911000222333403", "911000222333402", "911000222333401"]


def test_a_lead_added_between_two_pages_moves_nothing(client: httpx.Client, tmp_path: Path) -> None:
    first = _list(client, limit="2")
    newer = json.loads((LEADS / "911000222333403.json").read_text("utf-8"))
    newer |= {"id": "911000222333499", "created_time": "2026-03-15T09:00:00+0000"}
    (tmp_path / "leads/911000222333499.json").write_text(json.dumps(newer), "utf-8")
    second = _list(client, limit="2", after=first["paging"]["cursors"]["after"])
    assert [lead["id"] for lead in second["data"]] == ["911000222333401"]
    assert _list(client, limit="1")["data"][0]["id"] == "911000222333499"


def test_leads_are_filtered_by_time_created(client: httpx.Client) -> None:
    dana_s = 1773146530
    condition = {"field": "time_created", "operator": "GREATER_THAN", "value": dana_s}
    page = _list(client, filtering=json.dumps([condition]))
    assert len(page["data"]) == 2
    condition["operator"] = "GREATER_THAN_OR_EQUAL"
    assert len(_list(client, filtering=json.dumps([condition]))["data"]) == 3


@pytest.mark.parametrize(
    "query",
    [{"filtering": "[1]"}, {"filtering": "{"}, {"filtering": '[{"field":"x","value":1}]'},
     {"after": "7"}, {"limit": "many"}, {"limit": "9" * 40}],
)  # fmt: skip
def test_a_parameter_that_cannot_be_read_is_code_100(
    client: httpx.Client, query: dict[str, str]
) -> None:
    answer = client.get(f"/v21.0/{FORM}/leads", params=query)
    assert (answer.status_code, _error(answer)["code"]) == (400, 100)


def test_the_script_prints_its_address_and_serves() -> None:
    process = subprocess.Popen(
        [sys.executable, "-B", str(FOLDER / "graph.py"), str(LEADS)],
        stdout=subprocess.PIPE, text=True, env={**os.environ, "GRAPH_TOKEN": TOKEN},
    )  # fmt: skip
    try:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        header = {"Authorization": f"Bearer {TOKEN}"}
        answer = httpx.get(f"{url}/v21.0/911000222333402", headers=header, timeout=10)
        assert answer.json()["id"] == "911000222333402"
    finally:
        process.terminate()
        process.communicate(timeout=10)


def test_the_script_asks_for_its_token() -> None:
    environment = {name: text for name, text in os.environ.items() if name != "GRAPH_TOKEN"}
    done = subprocess.run(
        [sys.executable, "-B", str(FOLDER / "graph.py"), str(LEADS)], env=environment,
        capture_output=True, text=True, check=False, timeout=20,
    )  # fmt: skip
    assert done.returncode == 2
    assert "GRAPH_TOKEN" in done.stderr
