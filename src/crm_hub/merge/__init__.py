"""Step 5: members and rules become one golden record with provenance.

Pure, and a function of the set of members: the order of arrival plays no part.
"""

from crm_hub.merge.diff import diff
from crm_hub.merge.explain import Candidate, FieldStory, explain
from crm_hub.merge.golden import Golden, MergeMember, display_name, golden
from crm_hub.merge.three_way import Decided, Decision, decide
from crm_hub.merge.whole_name import NAME, is_of_parts, whole_name

__all__ = [
    "NAME",
    "Candidate",
    "Decided",
    "Decision",
    "FieldStory",
    "Golden",
    "MergeMember",
    "decide",
    "diff",
    "display_name",
    "explain",
    "golden",
    "is_of_parts",
    "whole_name",
]
