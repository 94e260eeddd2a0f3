"""sbom.py VERSION HOST: the crates that the program is built of, as CycloneDX 1.5: by
Cargo.lock, without those that only tests, build scripts or other systems need."""

import json
import os
import subprocess
import sys
from datetime import datetime, timezone

version, host = sys.argv[1:]
metadata = json.loads(subprocess.check_output(
    ["cargo", "metadata", "--locked", "--format-version", "1", "--filter-platform", host]))
packages = {package["id"]: package for package in metadata["packages"]}
edges = {
    node["id"]: sorted(
        dep["pkg"] for dep in node["deps"] if any(kind["kind"] is None for kind in dep["dep_kinds"]))
    for node in metadata["resolve"]["nodes"]
}
root = next(id for id, package in packages.items() if package["name"] == "dialback")
reached, left = set(), [root]
while left:
    id = left.pop()
    if id not in reached:
        reached.add(id)
        left.extend(edges[id])

# Cargo's lock has the checksum of each crate's archive, which names what was built.
checksums, entry = {}, {}
for line in open("Cargo.lock"):
    key, _, value = line.strip().partition(" = ")
    if line.startswith("[[package]]"):
        entry = {}
    elif key in ("name", "version", "checksum"):
        entry[key] = value.strip('"')
        checksums[entry.get("name"), entry.get("version")] = entry.get("checksum")


def ref(id):
    package = packages[id]
    return f"pkg:cargo/{package['name']}@{package['version']}"


def component(id):
    package = packages[id]
    found = {"type": "library", "bom-ref": ref(id), "name": package["name"],
             "version": package["version"], "purl": ref(id)}
    if package["license"]:
        found["licenses"] = [{"expression": " ".join(package["license"].replace("/", " OR ").split())}]
    checksum = checksums.get((package["name"], package["version"]))
    if checksum:
        found["hashes"] = [{"alg": "SHA-256", "content": checksum}]
    return found


built = datetime.fromtimestamp(int(os.environ["SOURCE_DATE_EPOCH"]), timezone.utc)
ordered = sorted(reached, key=ref)
print(json.dumps({
    "bomFormat": "CycloneDX",
    "specVersion": "1.5",
    "version": 1,
    "metadata": {
        "timestamp": built.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "component": component(root) | {"type": "application"},
    },
    "components": [component(id) for id in ordered if id != root],
    "dependencies": [{"ref": ref(id), "dependsOn": sorted(ref(dep) for dep in edges[id])} for id in ordered],
}, indent=1))
