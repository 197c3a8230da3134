#!/bin/bash
cat > /etc/sysctl.d/90-hardening.conf <<END
kernel.kptr_restrict = 2
kernel.dmesg_restrict = 1
net.ipv4.conf.all.accept_redirects = 0
net.ipv4.conf.all.log_martians = $AUDIT_LEVEL
END
