"""What must never be kept: the list of the setting `never_log`, asked of every message.

It is asked before anything is handed over, so a listed message never reaches the hub; one that
is there from before the list is taken out again (see `cycle`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from crm_hub.sdk import ConfigError
from crm_hub.sdk.formats.mail_people import NO_OWN, Own

_REMEDY = "Part entries by commas: ann@x.example, bank.example, subject:salary, label:private"
_PEOPLE = ("to", "cc", "bcc", "reply_to")


@dataclass(frozen=True, slots=True)
class NeverLog:
    """The list: addresses and domains (subdomains count), words of subjects, folders, keywords."""

    who: Own = NO_OWN
    subjects: tuple[str, ...] = ()
    labels: frozenset[str] = frozenset()

    @classmethod
    def parse(cls, text: str) -> NeverLog:
        """Return the list of a setting. Raises: ConfigError naming the entry that is none."""
        who, subjects, labels = [], [], set()
        for entry in filter(None, (part.strip() for part in text.split(","))):
            kind, colon, rest = entry.partition(":")
            word = " ".join(rest.split()).lower()
            if not colon:
                who.append(entry.removeprefix("@"))
            elif kind.strip().lower() == "subject" and word:
                subjects.append(word)
            elif kind.strip().lower() == "label" and word:
                labels.add(word)
            else:
                raise ConfigError(f"`never_log` holds {entry!r}, which is no rule", remedy=_REMEDY)
        try:
            found = Own.parse(",".join(who))
        except ConfigError as error:
            message = error.message.replace("`own`", "`never_log`")
            raise ConfigError(message, remedy=_REMEDY) from None
        return cls(found, tuple(subjects), frozenset(labels))

    def __bool__(self) -> bool:
        return bool(self.who.addresses or self.who.domains or self.subjects or self.labels)

    def covers_labels(self, words: Iterable[str]) -> bool:
        """Tell whether one of these folders or keywords is listed."""
        return bool(self.labels) and any(word.lower() in self.labels for word in words)

    def covers_address(self, address: str) -> bool:
        return bool(address) and self.who.is_own(address)

    def covers(self, payload: dict[str, Any], labels: Iterable[str]) -> bool:
        """Tell whether a mail (a payload of `parse_message`) is listed."""
        if self.covers_labels((*labels, *payload["labels"])):
            return True
        if self.subjects:
            subject = payload["subject"].lower()
            if any(word in subject for word in self.subjects):
                return True
        if not (self.who.addresses or self.who.domains):
            return False
        people = [payload["from"], *(one for field in _PEOPLE for one in payload[field])]
        return any(self.covers_address(one["address"]) for one in people)
