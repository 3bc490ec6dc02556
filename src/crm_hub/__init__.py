"""crm_hub: one customer model and one timeline out of the tools a company already has.

The rooms and the walk of one record are described in docs/explanation/house.md.
"""

__version__ = "0.1.0"
