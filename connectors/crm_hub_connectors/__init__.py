"""The connectors that come with the hub: a folder is a connector."""
