"""The program of the helper process of flow/understanding.py: contacts in, profiles out."""

from __future__ import annotations

import gc
import marshal
from collections.abc import Callable

from crm_hub.flow.helper import serve
from crm_hub.model.rules import IdentityRules
from crm_hub.resolve.evidence import profile_of
from crm_hub.resolve.profile import Contact, packed


def answers(opening: tuple[str, IdentityRules]) -> Callable[[bytes], bytes]:
    """Return what makes packed profiles of contacts, as the opening says."""
    gc.disable()  # each job's records are freed with it
    entity, rules = opening

    def answer_of(job: bytes) -> bytes:
        contacts = (Contact(*row) for row in marshal.loads(job))  # noqa: S302 - our own process
        return packed([profile_of(contact, entity, rules) for contact in contacts])

    return answer_of


if __name__ == "__main__":
    serve(answers)
