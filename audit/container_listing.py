"""What lies in the container: the log's blobs and its digests by their hours, and what is neither."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from audit.digest import BEGINS, DIGEST, digest_hour
from audit.finding import Finding
from audit.layout import LogName, parse_name
from audit.reader import in_hours, log_prefixes
from audit.store import BlobInfo, Store


@dataclass
class ContainerListing:
    """`blobs` of the hours that were asked for; `digests` are the hours of all that there are, sorted by name."""

    blobs: dict[str, list[LogName]] = field(default_factory=lambda: defaultdict(list))
    digests: list[str] = field(default_factory=list)
    foreign: list[Finding] = field(default_factory=list)


def list_container(store: Store, since_s: float | None, until_s: float | None) -> ContainerListing:
    """Everything, or with `since` the log's days from then on and all digests. Raises `Unavailable`."""
    listing = ContainerListing()
    # Digests first, as their names sort: one that is written meanwhile must not list blobs that were not there yet.
    for prefix in [""] if since_s is None else [DIGEST, *log_prefixes(since_s, until_s)]:
        for info in store.list(prefix):
            if info.name.startswith(DIGEST):
                _digest(info, listing)
            else:
                _blob(info, listing, since_s, until_s)
    return listing


def list_log(store: Store, since_s: float | None, until_s: float | None) -> ContainerListing:
    """The same of what lies under `log/`. Raises `Unavailable`."""
    listing = ContainerListing()
    for prefix in ["log/"] if since_s is None else log_prefixes(since_s, until_s):
        for info in store.list(prefix):
            _blob(info, listing, since_s, until_s)
    return listing


def _digest(info: BlobInfo, listing: ContainerListing) -> None:
    if info.name == BEGINS:
        return
    hour = digest_hour(info.name)
    if hour is None:
        listing.foreign.append(Finding(info.name, "foreign", "no digest has such a name"))
    else:
        listing.digests.append(hour)


def _blob(info: BlobInfo, listing: ContainerListing, since_s: float | None, until_s: float | None) -> None:
    name = parse_name(info.name)
    if name is None:
        listing.foreign.append(Finding(info.name, "foreign", "no blob of the log has such a name"))
    elif in_hours(name.hour, since_s, until_s):
        listing.blobs[name.hour].append(name)
        if not info.append:
            listing.foreign.append(Finding(info.name, "foreign", "not an append blob: it was put here whole"))
