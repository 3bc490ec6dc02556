"""Meta lead ads: the webhook names the lead, the Graph API holds it.

    GET  /in/<connection>    Meta's check of the subscription (hub.challenge)
    POST /in/<connection>    signed notices, each with the ids of new leads

Sources: https://developers.facebook.com/docs/graph-api/webhooks/getting-started
and https://developers.facebook.com/docs/marketing-api/guides/lead-ads/retrieving
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import orjson

from crm_hub.model.records import Change, Checkpoint, Page, Reject, Window
from crm_hub.sdk import (
    Caps,
    CheckpointExpired,
    CheckReport,
    ConfigError,
    Connector,
    HookBatch,
    HookRefused,
    HookReply,
    HookRequest,
    Manifest,
    RateLimit,
    RecordError,
    Ref,
    StreamInfo,
    Unavailable,
)
from crm_hub.sdk.webhooks import check_hmac, check_shared_secret
from crm_hub_connectors.meta_ads import leads
from crm_hub_connectors.meta_ads.graph import BadParameterError, GoneError, Graph
from crm_hub_connectors.meta_ads.settings import GRAPH_URL, OBJECT_ID, MetaAdsSettings

_CHALLENGE = re.compile(r"[0-9A-Za-z_-]{1,200}")
_SIGNATURE = "x-hub-signature-256"
_HINTS = ("form_id", "page_id", "ad_id", "adgroup_id", "created_time")
_PAGE_SIZE = 100
_FIELDS = {
    "id": "string",
    "created_time": "string",
    "form_id": "string",
    "ad_id": "string",
    "ad_name": "string",
    "adset_id": "string",
    "adset_name": "string",
    "campaign_id": "string",
    "campaign_name": "string",
    "platform": "string",
    "is_organic": "boolean",
    "field_data": "array",
    "questions": "array",
}


class MetaAdsConnector(Connector[MetaAdsSettings]):
    """Receives notices of new leads, fetches them, and reads whole forms to fill gaps."""

    manifest = Manifest(
        id="meta_ads",
        version="1.0.0",
        title="Meta lead ads",
        settings=MetaAdsSettings,
        summary="Receives the leads of Facebook and Instagram lead ads.",
        rate_limits=(
            RateLimit(requests=4_800, per_s=86_400, headers=("x-business-use-case-usage",)),
        ),
        docs=(
            "https://developers.facebook.com/docs/graph-api/webhooks/getting-started",
            "https://developers.facebook.com/docs/marketing-api/guides/lead-ads/retrieving",
            "https://developers.facebook.com/docs/graph-api/guides/error-handling",
        ),
    )

    def check(self) -> CheckReport:
        with self._graph() as graph:
            me = graph.get("me", fields="id,name")
            forms = [graph.get(form_id, fields="id,name,status") for form_id in self._forms]
        lines = [f"Callback URL for Meta's webhook: /in/{self.context.connection} on the hub."]
        lines += [f"Lead form {f.get('id')}: {f.get('name')} ({f.get('status')})" for f in forms]
        if not forms:
            lines.append("Missed webhooks are not made up for: form_ids is empty.")
        return CheckReport(account=str(me.get("name") or me.get("id") or ""), lines=tuple(lines))

    def discover(self) -> list[StreamInfo]:
        read = Caps(read="since" if self._forms else "none", webhooks=True)
        return [
            StreamInfo("leads", caps=read, fields=_FIELDS),
            StreamInfo("test_leads", caps=Caps(read="none", webhooks=True), fields=_FIELDS),
        ]

    # receiving

    def verify_hook(self, request: HookRequest) -> HookReply:
        if request.method == "GET":
            return self._challenge(request)
        if request.method != "POST":
            raise HookRefused("notices are posted", status=405, remedy="Use POST.")
        secret = self.settings.app_secret.get_secret_value()
        check_hmac(request.body, request.headers.get(_SIGNATURE), secret, prefix="sha256=")
        return HookReply()

    def _challenge(self, request: HookRequest) -> HookReply:
        expected = self.settings.verify_token.get_secret_value()
        check_shared_secret(request.query.get("hub.verify_token"), expected)
        challenge = request.query.get("hub.challenge", "")
        if request.query.get("hub.mode") != "subscribe" or not _CHALLENGE.fullmatch(challenge):
            raise HookRefused("this is no subscription check", status=400, remedy="Subscribe anew.")
        return HookReply(body=challenge.encode(), keep=False)

    def parse_hook(self, request: HookRequest) -> HookBatch:
        refs: dict[str, Ref] = {}
        others: set[str] = set()
        for name, value in _changes(_parse(request.body)):
            if name == "leadgen":
                ref = _ref(value)
                refs[ref.id] = ref
            else:
                others.add(name[:50])
        if refs:
            return HookBatch(refs=list(refs.values()))
        return HookBatch(ignored=f"no new lead in it ({', '.join(sorted(others)) or 'empty'})")

    def fetch(self, refs: Sequence[Ref]) -> list[tuple[str, Change]]:
        """Return each lead; those of Meta's testing tool go to the stream `test_leads`.

        Raises: RecordError for a lead that is gone or hidden, for Graph does not say which: a
            tombstone would lose a lead that the token only may not see.
        """
        with self._graph() as graph:
            return [self._fetch_one(graph, ref) for ref in refs]

    def _fetch_one(self, graph: Graph, ref: Ref) -> tuple[str, Change]:
        try:
            change = leads.change_of(graph.get(ref.id, fields=self._lead_fields()))
        except GoneError:
            raise RecordError(
                f"lead {ref.id} does not exist at Meta, or the token may not see it",
                remedy="The sample notice of Meta's dashboard names a lead that never was: drop"
                " it. Otherwise give the token's user lead access for the page.",
            ) from None
        return ("test_leads" if leads.is_test(change) else "leads"), change

    # reading whole forms

    def pull(
        self, stream: StreamInfo, checkpoint: Checkpoint | None, window: Window | None = None
    ) -> Iterator[Page]:
        if stream.name != "leads":
            return
        state = {} if window else dict(checkpoint or {})
        with self._graph() as graph:
            for form_id in self._forms:
                for page in self._pull_form(graph, form_id, state, window):
                    yield page
                    if self.context.stopping():
                        return

    def _pull_form(
        self, graph: Graph, form_id: str, state: dict[str, Any], window: Window | None
    ) -> Iterator[Page]:
        walk = leads.FormWalk.load(form_id, state)
        while True:
            data, after = self._leads_page(graph, walk, window)
            if after and after == walk.after:
                raise Unavailable(f"form {form_id}: Meta names the same page as the next one twice")
            changes, rejects = self._read(data)
            new = walk.take(changes, after)
            # A page of leads all known already needs no commit: asked again, it is the same.
            if new or rejects or (not after and walk.dump() != state.get(form_id)):
                state[form_id] = walk.dump()
                yield Page(new, None if window else dict(state), rejects=rejects)
            if not after:
                return

    def _leads_page(
        self, graph: Graph, walk: leads.FormWalk, window: Window | None
    ) -> tuple[list[Any], str]:
        """Return a page of raw leads and the cursor of the next one, "" when it is the last."""
        params: dict[str, Any] = {"fields": self._lead_fields(), "limit": _PAGE_SIZE}
        if filters := _filters(walk, window):
            params["filtering"] = orjson.dumps(filters).decode()
        if walk.after:
            params["after"] = walk.after
        try:
            answer = graph.get(f"{walk.form_id}/leads", **params)
        except BadParameterError as error:
            if not walk.after:
                raise
            raise CheckpointExpired(f"{error.message} (page cursor)") from None
        data = answer.get("data")
        if not isinstance(data, list):
            raise ConfigError(f"form {walk.form_id}: Meta's answer holds no list of leads")
        return data, _next_cursor(answer.get("paging"))

    def _read(self, data: list[Any]) -> tuple[list[Change], list[Reject]]:
        changes, rejects = [], []
        for place, lead in enumerate(data):
            try:
                change = leads.change_of(lead)
            except RecordError as error:
                found = str(lead.get("id", "")) if isinstance(lead, dict) else ""
                rejects.append(Reject(found, f"lead {place}", error.message, error.remedy))
                continue
            if not leads.is_test(change):
                changes.append(change)
        return changes, rejects

    def _lead_fields(self) -> str:
        details = self.settings.ad_details
        return f"{leads.BASE_FIELDS},{leads.AD_FIELDS}" if details else leads.BASE_FIELDS

    @property
    def _forms(self) -> tuple[str, ...]:
        return self.settings.forms

    @contextmanager
    def _graph(self) -> Iterator[Graph]:
        settings = self.settings
        if self.context.http is None:
            raise ConfigError("meta_ads was started without an HTTP client")
        token = settings.access_token.get_secret_value()
        # An address of one's own is typed in by the admin, who may mean this very machine.
        own_host = [urlsplit(settings.base_url).hostname] if settings.base_url != GRAPH_URL else []
        with self.context.http(
            settings.base_url,
            headers={"authorization": f"Bearer {token}"},
            allow_private=own_host,
        ) as client:
            yield Graph(client, settings.version, token, settings.app_secret.get_secret_value())


def _next_cursor(paging: Any) -> str:
    """Return the cursor of the next page; Graph gives one on the last page too, but no link."""
    if not isinstance(paging, dict) or not paging.get("next"):
        return ""
    cursors = paging.get("cursors")
    after = cursors.get("after") if isinstance(cursors, dict) else None
    if not isinstance(after, str) or not after:
        raise Unavailable("Meta names a next page without its cursor")
    return after


def _filters(walk: leads.FormWalk, window: Window | None) -> list[dict[str, Any]]:
    if window is not None:
        since, until = leads.window_filter(window.since, window.until)
        return [_filter("GREATER_THAN", since), _filter("LESS_THAN", until)]
    return [_filter("GREATER_THAN", walk.since)] if walk.since else []


def _filter(operator: str, value: int) -> dict[str, Any]:
    return {"field": "time_created", "operator": operator, "value": value}


def _parse(body: bytes) -> dict[str, Any]:
    try:
        notice = orjson.loads(body)
    except orjson.JSONDecodeError:
        notice = None
    if not isinstance(notice, dict):
        raise RecordError(
            "a signed notice is not a JSON object", remedy="Check the webhook version at Meta."
        )
    return notice


def _changes(notice: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for entry in _objects(notice.get("entry")):
        for change in _objects(entry.get("changes")):
            yield str(change.get("field", "")), change.get("value")


def _objects(items: Any) -> list[dict[str, Any]]:
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []


def _ref(value: Any) -> Ref:
    given = value if isinstance(value, dict) else {}
    lead_id = str(given.get("leadgen_id", ""))
    if not OBJECT_ID.fullmatch(lead_id):
        raise RecordError(
            "a notice of a new lead names no lead", remedy="Check the webhook version at Meta."
        )
    return Ref("leads", lead_id, {name: given[name] for name in _HINTS if name in given})


connector = MetaAdsConnector
