#!/bin/sh
# Runs in the build of an image: copies to /tree what packages of the workspace need to run. Example: install.sh @gatehouse/auth
# Keeps the workspace's layout, because Node strips no types below node_modules, where `pnpm deploy` would put the libraries.
set -eu
if [ -f /run/secrets/ca ]; then export NODE_EXTRA_CA_CERTS=/run/secrets/ca; fi

filters=
for package in "$@"; do filters="$filters --filter-prod $package..."; done

# Copies instead of links, because the store is a cache on another file system. No runtime dependency has an install script.
# shellcheck disable=SC2086 # words
pnpm install --prod --frozen-lockfile --ignore-scripts --store-dir /pnpm/store --package-import-method copy $filters

# pnpm always installs the root's dependencies too; the commands in tools/ need them.
case " $* " in
  *" gatehouse "*) ;;
  *) rm -r node_modules/@gatehouse node_modules/commander node_modules/.pnpm/commander@* ;;
esac

mkdir /tree
# shellcheck disable=SC2086 # words
for folder in package.json node_modules $(pnpm list $filters --depth -1 --parseable | sed -n "s|^$PWD/||p"); do
  cp --archive --parents "$folder" /tree
done
# Source maps and type declarations are half of the files.
find /tree/node_modules -type f \( -name '*.map' -o -name '*.d.ts' -o -name '*.d.cts' -o -name '*.d.mts' \) -delete

# Writes the image's software bill of materials (CycloneDX) from the lock file.
# shellcheck disable=SC2086 # words
pnpm sbom $filters --prod --sbom-format cyclonedx --sbom-type application --store-dir /pnpm/store --out /tree/sbom.cdx.json
