"""kubernetes_types.py < MANIFESTS - holds every field of the manifests against the types of Kubernetes' API.

The types are those that the client of Kubernetes' own makers is generated with: a field that its class does not have, one that is
missing, or a value of another kind is told with its path, and ends it with 1.
"""
import re
import sys

import yaml
from kubernetes import client


def class_of(kind):
    return getattr(client, kind, None)


def check(value, kind, path):
    """What is wrong with `value` as a `kind` of the client's: strings, integers, V1Pod, list[V1Container], dict(str, str)."""
    inner = re.fullmatch(r"(list\[|dict\(str, )(.*)[\])]", kind)
    if inner and kind.startswith("list"):
        if not isinstance(value, list):
            return [f"{path}: is no list"]
        return [wrong for i, item in enumerate(value) for wrong in check(item, inner[2], f"{path}[{i}]")]
    if inner:
        if not isinstance(value, dict):
            return [f"{path}: is no map"]
        return [wrong for key, item in value.items() for wrong in check(item, inner[2], f"{path}.{key}")]
    if class_of(kind) is not None:
        return check_object(value, class_of(kind), path)
    simple = {"str": str, "int": int, "bool": bool, "float": (int, float)}.get(kind, object)
    if not isinstance(value, simple) or (kind == "int" and isinstance(value, bool)):
        return [f"{path}: {value!r} is no {kind}"]
    return []


def check_object(value, its_class, path):
    if not isinstance(value, dict):
        return [f"{path}: is no {its_class.__name__}"]
    attributes = {spelling: name for name, spelling in its_class.attribute_map.items()}
    wrong = [f"{path}.{key}: there is no such field in {its_class.__name__}" for key in value if key not in attributes]
    known = {attributes[key]: item for key, item in value.items() if key in attributes}
    try:
        its_class(**known)  # says what is missing
    except ValueError as error:
        wrong.append(f"{path}: {error}")
    for name, item in known.items():
        wrong += check(item, its_class.openapi_types[name], f"{path}.{its_class.attribute_map[name]}")
    return wrong


def class_of_manifest(manifest):
    version = "".join(part.capitalize() for part in manifest["apiVersion"].split("/")[-1:])
    return class_of(version + manifest["kind"])


def main():
    wrong = []
    manifests = [manifest for manifest in yaml.safe_load_all(sys.stdin) if manifest]
    for manifest in manifests:
        path = f"{manifest.get('kind')} {manifest.get('metadata', {}).get('name')}"
        its_class = class_of_manifest(manifest)
        wrong += check_object(manifest, its_class, path) if its_class else [f"{path}: there is no such kind"]
    print("\n".join(wrong) if wrong else f"{len(manifests)} manifests are as their types say")
    return 1 if wrong or not manifests else 0


sys.exit(main())
