"""The other side of bench/ingest.py: dlt's own rest_api source, run in dlt's environment.

    python bench/dlt_load.py '{"api": …, "records": …, "store": "sqlite", "url": …, "folder": …}'

Merge by primary key, incremental by `updatedAt` through the API's filter, pages of 1,000; workers,
buffers and file formats as dlt sets them. Prints one line of JSON for the same passes.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
import urllib.request
from typing import Any
from urllib.parse import urlsplit, urlunsplit

# dlt offers upsert on PostgreSQL alone, where it is the faster of its two ways to merge.
DISPOSITION: dict[str, Any] = {
    "sqlite": "merge",
    "postgresql": {"disposition": "merge", "strategy": "upsert"},
}


def main() -> None:
    """Load three times and print what it took."""
    job = json.loads(sys.argv[1])
    os.environ |= {
        "RUNTIME__DLTHUB_TELEMETRY": "false",
        "RUNTIME__LOG_LEVEL": "ERROR",
        "DLT_DATA_DIR": job["folder"],
    }
    import dlt

    pipeline = dlt.pipeline(
        "contacts",
        pipelines_dir=job["folder"],
        destination=destination(dlt, job),
        dataset_name="main" if job["store"] == "sqlite" else "crm",
    )
    result: dict[str, Any] = {"records": job["records"], "dlt": dlt.__version__}
    for name in ("first", "no change", "1 % changed"):
        if name == "1 % changed":
            ask = urllib.request.Request(job["api"] + "/change?share=0.01", method="POST")
            urllib.request.urlopen(ask).read()
        wall, cpu = time.perf_counter(), time.process_time()
        pipeline.run(source(job)).raise_on_failed_jobs()
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        result[name] = {"seconds": round(wall, 2), "cpu_s": round(cpu, 3)}
        if name == "first":
            result["records_a_second"] = round(job["records"] / wall)
            result["cpu_us_a_record"] = round(cpu / job["records"] * 1e6, 1)
            result["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    with pipeline.sql_client() as client:
        table = client.make_qualified_table_name("contacts")
        title = '"properties__jobtitle"'
        counts = (f"SELECT COUNT(*) FROM {table}",
                  f"SELECT COUNT(*) FROM {table} WHERE {title} = 'Director'")  # fmt: skip
        result["rows"] = [client.execute_sql(sql)[0][0] for sql in counts]
    print(json.dumps(result), flush=True)


def destination(dlt: Any, job: dict[str, Any]) -> Any:
    """Return the store of this run."""
    if job["store"] == "sqlite":
        return dlt.destinations.sqlalchemy(credentials=job["url"])
    # dlt insists on a password; a server that trusts 127.0.0.1 does not look at it.
    url = urlsplit(job["url"])
    user = url.netloc if url.password else url.netloc.replace("@", ":none@", 1)
    return dlt.destinations.postgres(credentials=urlunsplit(url._replace(netloc=user)))


def source(job: dict[str, Any]) -> Any:
    """Return dlt's description of the same API."""
    from dlt.sources.rest_api import rest_api_source

    since = {
        "type": "incremental",
        "cursor_path": "updatedAt",
        "initial_value": "2020-01-01T00:00:00Z",
    }
    return rest_api_source(
        {
            "client": {
                "base_url": job["api"],
                "paginator": {
                    "type": "cursor",
                    "cursor_path": "paging.next.after",
                    "cursor_param": "after",
                },
            },
            "resources": [
                {
                    "name": "contacts",
                    "primary_key": "id",
                    "write_disposition": DISPOSITION[job["store"]],
                    "endpoint": {
                        "path": "crm/contacts",
                        "data_selector": "results",
                        "params": {"limit": 1000, "updated_after": since},
                    },
                }
            ],
        }
    )


if __name__ == "__main__":
    main()
