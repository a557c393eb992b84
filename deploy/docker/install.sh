#!/bin/sh
# install.sh LOCK [PIP_OPTION...]: make /opt/maskdet with the packages of requirements/LOCK.txt, the wheel of maskdet
# in dist/, and sbom.cdx.json, the CycloneDX list of them all. Neither pip nor the tools get into it.
set -eu

lock=$1
shift

install() {
    /tools/bin/pip --python /opt/maskdet/bin/python install \
        --no-cache-dir --disable-pip-version-check --root-user-action ignore --no-deps "$@"
}

python3 -m venv --without-pip /opt/maskdet
install "$@" --require-hashes -r "requirements/$lock.txt"
install "$@" --no-index dist/*.whl
/tools/bin/cyclonedx-py environment --output-reproducible --output-format JSON \
    --output-file /opt/maskdet/sbom.cdx.json /opt/maskdet/bin/python
