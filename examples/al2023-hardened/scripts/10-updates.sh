#!/bin/bash
dnf --assumeyes upgrade --releasever=latest
dnf --assumeyes install audit amazon-ssm-agent
