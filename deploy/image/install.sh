#!/bin/sh
# Run in the build of an image: makes in /tree what packages of the workspace need to run.  install.sh @gatehouse/auth
# The layout of the workspace stays: Node strips no types below node_modules, where `pnpm deploy` would put the libraries.
set -eu
if [ -f /run/secrets/ca ]; then export NODE_EXTRA_CA_CERTS=/run/secrets/ca; fi

filters=
for package in "$@"; do filters="$filters --filter-prod $package..."; done

# Copied and not linked: the store is a cache on another file system. Nothing that runs has an install script.
# shellcheck disable=SC2086 # words
pnpm install --prod --frozen-lockfile --ignore-scripts --store-dir /pnpm/store --package-import-method copy $filters

# The root's own dependencies come along whatever is asked for; they are those of the commands in tools/.
case " $* " in
  *" gatehouse "*) ;;
  *) rm -r node_modules/@gatehouse node_modules/commander node_modules/.pnpm/commander@* ;;
esac

mkdir /tree
# shellcheck disable=SC2086 # words
for folder in package.json node_modules $(pnpm list $filters --depth -1 --parseable | sed -n "s|^$PWD/||p"); do
  cp --archive --parents "$folder" /tree
done
# Maps for debuggers, and declarations for compilers: half of the files.
find /tree/node_modules -type f \( -name '*.map' -o -name '*.d.ts' -o -name '*.d.cts' -o -name '*.d.mts' \) -delete

# The software bill of materials of the image (CycloneDX), from the lock file.
# shellcheck disable=SC2086 # words
pnpm sbom $filters --prod --sbom-format cyclonedx --sbom-type application --store-dir /pnpm/store --out /tree/sbom.cdx.json
