"""The mapping room: source payloads in the words of the canonical model.

Comes after landing, before resolve. Pure, but for the functions that find and read mapping files.
docs/reference/mapping-language.md describes the language.
"""

from __future__ import annotations

from crm_hub.mapping.golden import TestResult, accept, run_tests
from crm_hub.mapping.lint import Finding, lint
from crm_hub.mapping.outbound import compile_outbound
from crm_hub.mapping.plan import Plan, SectionPlan, compile_plan, compile_section
from crm_hub.mapping.reading import (
    MappingFile,
    builtin_folder,
    overlay,
    parse,
    read_layers,
    read_text,
)
from crm_hub.mapping.rulebooks import read_identity, read_survivorship
from crm_hub.mapping.steps.contact import phone_in_e164
from crm_hub.mapping.steps.numbers import amount_text

__all__ = [
    "Finding",
    "MappingFile",
    "Plan",
    "SectionPlan",
    "TestResult",
    "accept",
    "amount_text",
    "builtin_folder",
    "compile_outbound",
    "compile_plan",
    "compile_section",
    "lint",
    "overlay",
    "parse",
    "phone_in_e164",
    "read_identity",
    "read_layers",
    "read_survivorship",
    "read_text",
    "run_tests",
]
