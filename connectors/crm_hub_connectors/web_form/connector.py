"""Web forms: POST /in/<connection>/<form> from a page, a site's server or a form tool."""

from __future__ import annotations

from crm_hub.sdk import (
    Caps,
    Change,
    CheckReport,
    Connector,
    HookBatch,
    HookRefused,
    HookReply,
    HookRequest,
    Manifest,
    RecordError,
    StreamInfo,
)
from crm_hub.sdk.webhooks import check_shared_secret
from crm_hub_connectors.web_form.body import Form, read_form
from crm_hub_connectors.web_form.settings import FORM_NAME, WebFormSettings
from crm_hub_connectors.web_form.submission import payload_of

_HEADER = "x-form-token"
_FORM_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data")
_THANKS = b"<!doctype html><meta charset=utf-8><title>Thank you</title><p>Thank you.</p>"


class WebFormConnector(Connector[WebFormSettings]):
    """Receives form posts; one submission is one record of the stream `submissions`."""

    manifest = Manifest(
        id="web_form",
        version="1.0.0",
        title="Web forms",
        settings=WebFormSettings,
        summary="Takes what visitors send from forms on the company's own site.",
        docs=(
            "https://url.spec.whatwg.org/#urlencoded-parsing",
            "https://www.rfc-editor.org/rfc/rfc7578",
        ),
    )

    def check(self) -> CheckReport:
        settings, name = self.settings, self.context.connection
        forms = ", ".join(settings.form_names) or "any name"
        lines = [f"Post forms to /in/{name}/<form>; forms taken: {forms}."]
        if not settings.origins:
            lines.append("Scripts on other sites cannot post: allowed_origins is empty.")
        if settings.secret is None and not settings.origins:
            lines.append("Anybody who knows the address can post: no token, no allowed origins.")
        return CheckReport(account=f"web forms of {name}", lines=tuple(lines))

    def discover(self) -> list[StreamInfo]:
        return [
            StreamInfo(
                "submissions",
                caps=Caps(read="none", webhooks=True),
                fields={
                    "id": "string",
                    "form": "string",
                    "submission_id": "string",
                    "submitted_at": "string",
                    "content_key": "string",
                    "page_url": "string",
                    "referrer": "string",
                    "fields": "object",
                    "answers": "object",
                },
            )
        ]

    def verify_hook(self, request: HookRequest) -> HookReply:
        self._form_name(request)
        origin = request.headers.get("origin", "").lower()
        self._check_origin(origin)
        if request.method == "OPTIONS":
            return self._preflight(origin)
        if request.method != "POST":
            raise HookRefused("forms are posted", status=405, remedy="Use POST.")
        self._check_token(request)
        self._read(request)
        return self._thanks(request, origin)

    def parse_hook(self, request: HookRequest) -> HookBatch:
        try:
            form_name = self._form_name(request)
            form = self._read(request)
        except HookRefused as refused:
            raise RecordError(refused.message, remedy=refused.remedy) from None
        if self._is_robot(form):
            return HookBatch(ignored=f"honeypot field {self.settings.honeypot} was filled")
        payload = payload_of(form_name, form, request)
        change = Change(payload["id"], payload, changed_at=request.received_at)
        return HookBatch(changes=[("submissions", change)])

    def _form_name(self, request: HookRequest) -> str:
        _, _, rest = request.path.partition("/in/")
        name = rest.partition("/")[2].strip("/")
        allowed = self.settings.form_names
        if not FORM_NAME.fullmatch(name) or (allowed and name not in allowed):
            raise HookRefused(
                "there is no such form",
                status=404,
                remedy="Post to /in/<connection>/<form> with a form named in `forms`.",
            )
        return name

    def _check_origin(self, origin: str) -> None:
        origins = self.settings.origins
        if origin and origins and origin not in origins:
            raise HookRefused(
                "this site may not post here", status=403, remedy="Add it to allowed_origins."
            )

    def _check_token(self, request: HookRequest) -> None:
        secret = self.settings.secret
        if secret is None:
            return
        given = request.headers.get(_HEADER) or request.query.get("token")
        check_shared_secret(given, secret.get_secret_value())

    def _read(self, request: HookRequest) -> Form:
        content_type = request.headers.get("content-type", "")
        return read_form(content_type, request.body, self.settings.max_fields)

    def _is_robot(self, form: Form) -> bool:
        trap = self.settings.honeypot
        return bool(trap) and bool(form.fields.get(trap) or form.envelope.get(trap))

    def _preflight(self, origin: str) -> HookReply:
        if not origin or origin not in self.settings.origins:
            raise HookRefused(
                "this site may not post here", status=403, remedy="Add it to allowed_origins."
            )
        headers = {
            **self._cors(origin),
            "access-control-allow-methods": "POST",
            "access-control-allow-headers": "content-type, x-form-token",
            "access-control-max-age": "600",
        }
        return HookReply(status=204, headers=headers, keep=False)

    def _cors(self, origin: str) -> dict[str, str]:
        if origin not in self.settings.origins:
            return {}
        return {"access-control-allow-origin": origin, "vary": "Origin"}

    def _thanks(self, request: HookRequest, origin: str) -> HookReply:
        """Return the same answer for people and for robots caught in the honeypot."""
        cors = self._cors(origin)
        is_form = request.headers.get("content-type", "").lower().startswith(_FORM_TYPES)
        if not is_form or "text/html" not in request.headers.get("accept", ""):
            return HookReply(body=b'{"ok":true}', content_type="application/json", headers=cors)
        target = self.settings.redirect
        if not target:
            return HookReply(body=_THANKS, content_type="text/html; charset=utf-8", headers=cors)
        if target.startswith("/") and cors:
            target = origin + target
        return HookReply(status=303, headers={**cors, "location": target})


connector = WebFormConnector
