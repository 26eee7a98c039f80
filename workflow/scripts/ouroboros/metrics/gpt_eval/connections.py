"""Why there is no connection to a server, and the proxy that stands between."""

import os
import socket
import ssl
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass


def proxy_to(url: str) -> str | None:
    """Host and port of the proxy that the environment sets for a URL; None without one."""
    server = urlsplit(url)
    proxies = getproxies()
    proxy = proxies.get(server.scheme) or proxies.get("all")
    if not proxy or proxy_bypass(server.netloc):
        return None
    return proxy.rpartition("@")[2].rpartition("//")[2].rstrip("/")  # no password


def is_connected(error: Exception) -> bool:
    """True where the client's `error` came after the connection was made."""
    return type(error.__cause__).__name__ not in ("ConnectError", "ConnectTimeout", "ProxyError")


def cause(error: BaseException) -> str:
    """The message of the system or the proxy, from which the client's errors were raised."""
    error = innermost(error)
    system = isinstance(error, OSError) and not isinstance(error, ssl.SSLError)
    if system and (error.errno or 0) > 0:  # those of names are below zero
        return os.strerror(error.errno)
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def innermost(error: BaseException) -> BaseException:
    """The error that the others were raised from; of several addresses' errors the first."""
    while True:
        several = isinstance(error, BaseExceptionGroup)
        inner = error.exceptions[0] if several else error.__cause__ or error.__context__
        if inner is None:
            return error
        error = inner


def what_waiting_does_not_mend(error: Exception, proxy: str | None) -> str | None:
    """The reason, with advice, why a server cannot be reached: its name, TLS or a proxy; None for others."""
    if is_connected(error):
        return None
    if proxy:
        return (
            f"the proxy fails ({cause(error)}). Check HTTP_PROXY, HTTPS_PROXY and ALL_PROXY in the "
            "environment; NO_PROXY lists the servers that are asked without it."
        )
    if isinstance(innermost(error), socket.gaierror):
        return f"the name of its server cannot be found ({cause(error)}). Check `base_url`, and the network."
    if isinstance(innermost(error), ssl.SSLError):
        return (
            f"TLS fails ({cause(error)}). Check that `base_url` begins with what the server speaks, http "
            "or https; SSL_CERT_FILE in the environment names certificates to trust."
        )
    return None
