#!/bin/sh
exec echo "service for ${1:?environment}: $(cat "/etc/service/$1.conf")"
