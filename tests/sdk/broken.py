"""Broken copies of the ledger connector: each has one fault seen in real connectors.

BROKEN names the case that must catch it. When the suite stops catching one, the suite is wrong.
"""

from __future__ import annotations

from crm_hub.sdk.testing.example import LedgerConnector, LedgerHarness
from crm_hub.sdk.testing.example_oauth import OAuthLedger, OAuthLedgerHarness
from crm_hub.sdk.testing.example_push import WritableLedger, WritableLedgerHarness
from tests.sdk.broken_care import (
    AcceptsOldPosts,
    BreaksOnRemoved,
    BreaksOnRetyped,
    HoldsEverything,
    IgnoresWindow,
    LeaksInCause,
    LeaksInError,
    LeaksInLog,
    LeaksInRepr,
    NaiveTimes,
    NeverStops,
    NoSignature,
    SignsParsedBody,
    UnknownEventsBreak,
    WindowMovesCheckpoint,
    WrongZone,
)
from tests.sdk.broken_oauth import (
    ForgetsTheGrant,
    NeverRenews,
    RenewsInEachThread,
    UsesBeforeSaving,
)
from tests.sdk.broken_pull import (
    BadCredentialIsTrouble,
    CheckpointBeforePage,
    DoubledKeys,
    DropsRetryAfter,
    EmptyKey,
    EveryPageComplete,
    HalfSweeps,
    IgnoresTombstones,
    LosesEqualStamps,
    NeverLooks,
    NeverSeesChanges,
    PlainSecret,
    ShuffledDiscovery,
    SkipsLastPage,
    SwallowsHtml,
    SwallowsThrottling,
    Undescribed,
)
from tests.sdk.broken_push import (
    ConflictLooksApplied,
    DropsAField,
    ForeignId,
    ForgetsTheKey,
    IgnoresTheGuard,
    MergeGoesUnseen,
    MergeLooksDeleted,
    NamesNoField,
    OldVersionAfterWrite,
    RaisesForOne,
    RepeatsLookNew,
    WritesWholeRecords,
)

BROKEN: dict[type[LedgerConnector], int] = {
    PlainSecret: 1,
    Undescribed: 1,
    BadCredentialIsTrouble: 2,
    NeverLooks: 2,
    ShuffledDiscovery: 3,
    DoubledKeys: 4,
    EmptyKey: 4,
    SkipsLastPage: 5,
    CheckpointBeforePage: 5,
    LosesEqualStamps: 6,
    NeverSeesChanges: 7,
    IgnoresTombstones: 8,
    HalfSweeps: 8,
    EveryPageComplete: 8,
    SwallowsHtml: 9,
    SwallowsThrottling: 9,
    DropsRetryAfter: 9,
    RenewsInEachThread: 10,
    ForgetsTheGrant: 10,
    UsesBeforeSaving: 10,
    NeverRenews: 10,
    ForgetsTheKey: 11,
    RepeatsLookNew: 11,
    IgnoresTheGuard: 12,
    ConflictLooksApplied: 12,
    WritesWholeRecords: 13,
    DropsAField: 13,
    RaisesForOne: 14,
    NamesNoField: 14,
    OldVersionAfterWrite: 15,
    ForeignId: 15,
    SignsParsedBody: 16,
    NoSignature: 16,
    AcceptsOldPosts: 16,
    UnknownEventsBreak: 16,
    LeaksInError: 17,
    LeaksInCause: 17,
    LeaksInLog: 17,
    LeaksInRepr: 17,
    BreaksOnRetyped: 18,
    BreaksOnRemoved: 18,
    NaiveTimes: 19,
    WrongZone: 19,
    NeverStops: 20,
    HoldsEverything: 20,
    WindowMovesCheckpoint: 21,
    IgnoresWindow: 21,
    MergeLooksDeleted: 22,
    MergeGoesUnseen: 22,
}


def harness_of(connector: type[LedgerConnector]) -> LedgerHarness:
    """Return the ledger's harness with another connector under test."""
    harness = LedgerHarness()
    if issubclass(connector, WritableLedger):
        harness = WritableLedgerHarness()
    elif issubclass(connector, OAuthLedger):
        harness = OAuthLedgerHarness()
    harness.connector = connector
    return harness
