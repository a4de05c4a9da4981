"""Which paths are the API: what counts towards a rate, needs a key in a header and is for who asked alone."""

MCP = "/mcp"
API = ("/v1/", MCP)
