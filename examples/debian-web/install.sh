#!/bin/sh
# Installs nginx into the image. amibake keeps it from being started: it would run on the machine that bakes.
set -eu
export DEBIAN_FRONTEND=noninteractive

apt-get update --quiet
apt-get install --quiet --yes --no-install-recommends nginx-light curl
