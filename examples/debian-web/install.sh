#!/bin/sh
# Installs nginx into the image, without starting it: it would run on the machine that bakes.
set -eu
export DEBIAN_FRONTEND=noninteractive

printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
chmod 755 /usr/sbin/policy-rc.d

apt-get update --quiet
apt-get install --quiet --yes --no-install-recommends nginx-light curl

rm /usr/sbin/policy-rc.d
