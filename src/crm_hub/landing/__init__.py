"""Step 2: the same payload lands once, a newer one replaces it, an older one never does.

Pure. Before it: a connector's page. After it: the mapping room, for what is new or changed.
"""

from crm_hub.landing.compare import Arrival, Known, Landing, Ready, compare, encode, fold

__all__ = ["Arrival", "Known", "Landing", "Ready", "compare", "encode", "fold"]
