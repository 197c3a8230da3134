#!/bin/bash
dnf clean all
rm -rf /var/log/dnf* /tmp/* /root/.bash_history
truncate --size=0 /etc/machine-id
