#!/bin/bash
# deb.sh VERSION DATE FOLDER - builds the Debian package of this tree into FOLDER: `make deb` calls it.
#
# It is built from a copy elsewhere: make looks for its own files in all of FOLDER.  The maintainer is that of DEBFULLNAME and DEBEMAIL, as for Debian's own tools.
set -euo pipefail
cd "$(dirname "$0")/.."
version=$1 date=$2 folder=$3
maintainer="${DEBFULLNAME:-libcfshim maintainers} <${DEBEMAIL:-maintainers@libcfshim.invalid}>"

for command in dpkg-buildpackage dh; do
	if ! command -v "$command" >/dev/null; then
		echo "deb: $command is missing: make setup deb installs it" >&2
		exit 1
	fi
done

# What is tracked or new, as it is now; without git, all but what was built.
tree_files() {
	if git rev-parse --git-dir >/dev/null 2>&1; then
		git ls-files -z -co --exclude-standard | while IFS= read -r -d '' file; do
			if [[ -e $file ]]; then printf '%s\0' "$file"; fi
		done
	else
		find . -path ./build -prune -o -type f -print0
	fi
}

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
source=$scratch/cfshim-$version
rm -rf "$folder"
mkdir -p "$source" "$folder"
tree_files | tar -c --null -T - | tar -x --no-same-owner -C "$source"
cp -R packaging/debian "$source/debian"
sed -i "s/@MAINTAINER@/$maintainer/" "$source/debian/control"
printf 'cfshim (%s) unstable; urgency=medium\n\n  * See /usr/share/doc/cfshim/changelog.gz.\n\n -- %s  %s\n' \
	"$version" "$maintainer" "$(LC_ALL=C date -u -R -d "$date")" >"$source/debian/changelog"

(cd "$source" && env -u MAKEFLAGS -u MAKELEVEL -u MFLAGS DEB_BUILD_OPTIONS="noautodbgsym ${DEB_BUILD_OPTIONS:-}" dpkg-buildpackage -b -us -uc) >"$folder/log" 2>&1 || {
	tail -n 40 "$folder/log"
	exit 1
}
mv "$scratch"/cfshim_* "$folder"
ls "$folder"/*.deb
