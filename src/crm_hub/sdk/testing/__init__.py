"""Everything to test a connector with; third parties run it too.

contract: the suite every connector must survive · fault_server: a real HTTP server that
misbehaves on demand · golden: input and expected files · corpus: nasty inputs under limits ·
servers: real servers where they can be had · example: a whole connector with its harness.
"""
