"""The assistant as tools of the Model Context Protocol, over standard input and output and over HTTP.

Only this package imports `mcp`, and it is imported where the protocol is spoken: the library takes a second.
"""
